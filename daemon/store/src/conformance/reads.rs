//! Reads: in order, in pages, and only what was requested; and the removal of expired entries.

use serde_json::json;
use tocsin_core::Timestamp;

use super::{Subject, append, command, commit, row, stream};
use crate::{Append, Batch, CommandKey, RowChange, Store, Table, verify_events};

pub fn a_stream_is_read_in_pages(subject: Box<dyn Subject>) {
    let appends = vec![append("a", 0, 5), append("aa", 0, 1), append("", 0, 1)];
    commit(
        subject.store(),
        Batch {
            appends,
            ..Batch::default()
        },
    )
    .unwrap();
    let read = |after, limit| {
        let events = subject
            .store()
            .read_stream(&stream("a"), after, limit)
            .unwrap();
        events
            .iter()
            .map(|stored| stored.version)
            .collect::<Vec<_>>()
    };
    assert_eq!(read(0, 2), [1, 2]);
    assert_eq!(read(2, 2), [3, 4]);
    assert_eq!(read(4, 2), [5]);
    assert_eq!(read(5, 2), [0; 0]);
    assert_eq!(read(u64::MAX, 2), [0; 0]);
    assert_eq!(read(0, 0), [0; 0]);
    assert_eq!(subject.store().read_stream(&stream("b"), 0, 9).unwrap(), []);
}

const ODD: [&str; 8] = ["", "\0", "\0\u{1}", "a", "a\0", "a\0b", "a/b", "ü"];

pub fn streams_with_unusual_names_stay_separate(subject: Box<dyn Subject>) {
    for (name, events) in ODD.iter().zip(1..) {
        let appends = vec![append(name, 0, events)];
        commit(
            subject.store(),
            Batch {
                appends,
                ..Batch::default()
            },
        )
        .unwrap();
    }
    for (name, events) in ODD.iter().zip(1..) {
        let read = subject.store().read_stream(&stream(name), 0, 99).unwrap();
        assert_eq!(read.len(), events, "{name:?}");
    }
}

pub fn streams_are_listed_with_their_versions(subject: Box<dyn Subject>) {
    for (name, events) in ODD.iter().zip([1, 2, 3, 4, 5, 6, 7, 8]).rev() {
        let appends = vec![append(name, 0, events), append("none", 0, 0)];
        commit(
            subject.store(),
            Batch {
                appends,
                ..Batch::default()
            },
        )
        .unwrap();
    }
    let all: Vec<_> = ODD.iter().map(|name| stream(name)).zip(1..).collect();
    assert_eq!(subject.store().streams(None, 99).unwrap(), all);
    assert_eq!(subject.store().streams(None, 3).unwrap(), all[..3]);
    assert_eq!(
        subject.store().streams(Some(&all[2].0), 3).unwrap(),
        all[3..6]
    );
    assert_eq!(
        subject.store().streams(Some(&stream("a/")), 1).unwrap(),
        all[6..7]
    );
    assert_eq!(subject.store().streams(Some(&all[7].0), 3).unwrap(), []);
}

pub fn rows_are_read_by_prefix_in_pages(subject: Box<dyn Subject>) {
    let names = ["a", "p", "p/", "p/1", "p/2", "p/3", "p0", "q"];
    let rows = names
        .iter()
        .rev()
        .map(|name| row(Table::Alert, name, *name))
        .collect();
    commit(
        subject.store(),
        Batch {
            rows,
            ..Batch::default()
        },
    )
    .unwrap();
    let read = |prefix, after, limit| {
        let rows = subject
            .store()
            .rows(Table::Alert, prefix, after, limit)
            .unwrap();
        assert!(rows.iter().all(|(key, stored)| stored.value == json!(key)));
        rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(read("", None, 99), names);
    assert_eq!(read("p/", None, 99), names[2..6]);
    assert_eq!(read("p/", None, 2), names[2..4]);
    assert_eq!(read("p/", Some("p/1"), 2), names[4..6]);
    assert_eq!(read("p/", Some("p/2x"), 9), names[5..6]);
    assert_eq!(
        read("p/", Some("a"), 9),
        names[2..6],
        "a page may start before the prefix"
    );
    assert_eq!(read("p/", Some("q"), 9), [""; 0]);
    assert_eq!(read("x", None, 9), [""; 0]);
}

pub fn tables_stay_apart(subject: Box<dyn Subject>) {
    let rows = Table::ALL
        .map(|table| row(table, "same", format!("{table:?}")))
        .to_vec();
    commit(
        subject.store(),
        Batch {
            rows,
            ..Batch::default()
        },
    )
    .unwrap();
    let subject = subject.reopened();
    for table in Table::ALL {
        let rows = subject.store().rows(table, "", None, 9).unwrap();
        assert_eq!(rows.len(), 1, "{table:?}");
        assert_eq!(rows[0].1.value, json!(format!("{table:?}")));
    }
}

fn mortal(key: &str, expires_at: i64) -> RowChange {
    RowChange {
        expires_at: Some(Timestamp(expires_at)),
        ..row(Table::Effect, key, 1)
    }
}

fn left(store: &dyn Store) -> Vec<String> {
    let rows = store.rows(Table::Effect, "", None, 99).unwrap();
    rows.into_iter().map(|(key, _)| key).collect()
}

pub fn what_expired_is_forgotten_and_nothing_else(subject: Box<dyn Subject>) {
    let rows = vec![
        mortal("a", 30),
        mortal("b", 10),
        row(Table::Effect, "c", 1),
        mortal("d", 20),
    ];
    let batch = |command| Batch {
        command: Some(command),
        ..Batch::default()
    };
    commit(
        subject.store(),
        Batch {
            rows,
            ..batch(command("old", "x", 10))
        },
    )
    .unwrap();
    commit(subject.store(), batch(command("new", "y", 11))).unwrap();
    let subject = subject.reopened();
    let store = subject.store();
    assert_eq!(
        store.row(Table::Effect, "d").unwrap().unwrap().expires_at,
        Some(Timestamp(20))
    );
    assert_eq!(store.expire(Timestamp(9), 99).unwrap(), 0);
    assert_eq!(store.expire(Timestamp(10), 99).unwrap(), 2);
    assert_eq!(left(store), ["a", "c", "d"]);
    assert_eq!(
        store.command_result(&CommandKey("old".to_owned())).unwrap(),
        None
    );
    assert_eq!(
        store.command_result(&CommandKey("new".to_owned())).unwrap(),
        Some(json!("y"))
    );
    commit(store, batch(command("old", "z", 99))).unwrap();
    assert_eq!(
        store.expire(Timestamp(30), 2).unwrap(),
        2,
        "the earliest first"
    );
    assert_eq!(left(store), ["a", "c"]);
    let subject = subject.reopened();
    assert_eq!(subject.store().expire(Timestamp(30), 2).unwrap(), 1);
    assert_eq!(subject.store().expire(Timestamp(30), 2).unwrap(), 0);
    assert_eq!(left(subject.store()), ["c"]);
    assert!(
        subject
            .store()
            .command_result(&CommandKey("old".to_owned()))
            .unwrap()
            .is_some()
    );
}

pub fn a_row_written_again_lives_by_its_new_time(subject: Box<dyn Subject>) {
    let write = |rows| {
        commit(
            subject.store(),
            Batch {
                rows,
                ..Batch::default()
            },
        )
        .unwrap()
    };
    write(vec![
        mortal("longer", 10),
        mortal("shorter", 90),
        mortal("forever", 10),
        mortal("x", 10),
    ]);
    write(vec![
        mortal("longer", 90),
        mortal("shorter", 10),
        row(Table::Effect, "forever", 1),
    ]);
    write(vec![RowChange {
        value: None,
        ..mortal("x", 10)
    }]);
    write(vec![row(Table::Effect, "x", 1)]);
    assert_eq!(subject.store().expire(Timestamp(10), 99).unwrap(), 1);
    assert_eq!(left(subject.store()), ["forever", "longer", "x"]);
    let subject = subject.reopened();
    assert_eq!(subject.store().expire(Timestamp(90), 99).unwrap(), 1);
    assert_eq!(left(subject.store()), ["forever", "x"]);
}

pub fn verify_finds_a_sound_store_sound(subject: Box<dyn Subject>) {
    let batch = |n: usize| Batch {
        rows: vec![
            row(Table::Alert, &n.to_string(), 1),
            row(Table::Key, &n.to_string(), 1),
        ],
        timers_set: vec![super::timer(5, "kind", &n.to_string())],
        outbox: vec![super::delivery(crate::Class::Bulk, "lane", n as u64, 0)],
        appends: vec![append(&n.to_string(), 0, 2)],
        ..Batch::default()
    };
    subject
        .store()
        .commit((0..1_000).map(batch).collect())
        .unwrap();
    let report = verify_events(subject.store(), |_| Ok(()));
    assert_eq!(report.faults, [""; 0]);
    assert_eq!((report.streams, report.events), (1_000, 2_000));
    assert_eq!(
        (report.rows, report.deliveries, report.timers),
        (2_000, 1_000, 1_000)
    );
}

pub fn verify_names_an_event_that_is_no_envelope(subject: Box<dyn Subject>) {
    let events = vec![
        super::event(1),
        json!({"type": "no version"}),
        json!("text"),
    ];
    let appends = vec![Append {
        stream: stream("bad"),
        expected: 0,
        events,
    }];
    commit(
        subject.store(),
        Batch {
            appends,
            ..Batch::default()
        },
    )
    .unwrap();
    let report = verify_events(subject.store(), |event| match event.get("v") {
        Some(_) => Ok(()),
        None => Err("it has no version".to_owned()),
    });
    assert_eq!(report.events, 3);
    assert_eq!(report.fault_count, 2);
    assert!(
        report
            .faults
            .iter()
            .all(|fault| fault.contains("stream bad")),
        "{report:?}"
    );
}
