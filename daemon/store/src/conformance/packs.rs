//! Packing: readers see the same stream whether its events are packed or not.

use serde_json::{Value, json};

use super::{Subject, append, commit, event, row, stream};
use crate::{Batch, CommitError, Guard, PACKS_MAX, Pack, Store, Table, VALUE_BYTES_MAX};

fn pack(name: &str, expected: u64) -> Batch {
    let stream = stream(name);
    Batch {
        packs: vec![Pack { stream, expected }],
        ..Batch::default()
    }
}

fn add(store: &dyn Store, name: &str, expected: u64, events: u64) {
    let appends = vec![append(name, expected, events)];
    let batch = Batch {
        appends,
        ..Batch::default()
    };
    commit(store, batch).unwrap();
}

/// Reads a stream from every version and in pages of several sizes.
fn assert_whole(store: &dyn Store, name: &str, events: &[Value]) {
    let all = (1..).zip(events.iter().cloned());
    let all: Vec<(u64, Value)> = all.collect();
    for after in 0..=events.len() {
        for limit in [1, 3, usize::MAX] {
            let page = store.read_stream(&stream(name), after as u64, limit);
            let page: Vec<_> = page
                .unwrap()
                .into_iter()
                .map(|it| (it.version, it.event))
                .collect();
            let end = after.saturating_add(limit).min(all.len());
            assert_eq!(page, all[after..end], "after {after}, at most {limit}");
        }
    }
    let streams = store.streams(None, 100).unwrap();
    let listed = streams.iter().find(|(it, _)| it.0 == name);
    assert_eq!(listed.unwrap().1, events.len() as u64);
}

fn events(count: u64) -> Vec<Value> {
    (1..=count).map(event).collect()
}

pub fn a_packed_stream_reads_as_before(subject: Box<dyn Subject>) {
    for (name, count) in [("a", 1), ("b", 2), ("b/c", 40)] {
        add(subject.store(), name, 0, count);
        commit(subject.store(), pack(name, count)).unwrap();
        assert_whole(subject.store(), name, &events(count));
    }
    let subject = subject.reopened();
    for (name, count) in [("a", 1), ("b", 2), ("b/c", 40)] {
        assert_whole(subject.store(), name, &events(count));
    }
}

pub fn a_packed_stream_takes_more_events(subject: Box<dyn Subject>) {
    add(subject.store(), "a", 0, 12);
    let mut version = 12;
    for more in [1, 5, 3] {
        commit(subject.store(), pack("a", version)).unwrap();
        add(subject.store(), "a", version, more);
        version += more;
        assert_whole(subject.store(), "a", &events(version));
    }
    let subject = subject.reopened();
    commit(subject.store(), pack("a", version)).unwrap();
    commit(subject.store(), pack("a", version)).unwrap();
    assert_whole(subject.store(), "a", &events(version));
}

pub fn a_stream_is_packed_with_the_events_of_its_batch(subject: Box<dyn Subject>) {
    add(subject.store(), "a", 0, 4);
    let earlier = Batch {
        appends: vec![append("a", 4, 2)],
        ..Batch::default()
    };
    let batch = Batch {
        appends: vec![append("a", 6, 3), append("new", 0, 2)],
        packs: [pack("a", 6).packs, pack("new", 0).packs].concat(),
        ..Batch::default()
    };
    let answers = subject.store().commit(vec![earlier, batch]).unwrap();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let subject = subject.reopened();
    assert_whole(subject.store(), "a", &events(9));
    assert_whole(subject.store(), "new", &events(2));
}

pub fn a_pack_refuses_a_version_that_has_passed(subject: Box<dyn Subject>) {
    add(subject.store(), "a", 0, 4);
    let refused = commit(subject.store(), pack("a", 3)).unwrap_err();
    let (expected, found) = (3, 4);
    let what = "stream a".to_owned();
    assert_eq!(
        refused,
        CommitError::Conflict {
            what,
            expected,
            found
        }
    );
    let mut many = pack("a", 4);
    many.packs = vec![many.packs[0].clone(); PACKS_MAX + 1];
    let refused = commit(subject.store(), many).unwrap_err();
    assert!(matches!(refused, CommitError::TooLarge { .. }), "{refused}");
}

pub fn a_refused_batch_packs_nothing(subject: Box<dyn Subject>) {
    add(subject.store(), "a", 0, 4);
    let mut batch = pack("a", 4);
    batch.rows = vec![row(Table::Key, "k", 1)];
    batch.guards = vec![Guard {
        table: Table::Key,
        key: "k".to_owned(),
        revision: 7,
    }];
    commit(subject.store(), batch).unwrap_err();
    assert_eq!(subject.store().row(Table::Key, "k").unwrap(), None);
    assert_whole(subject.store(), "a", &events(4));
}

pub fn events_that_do_not_fit_together_are_kept_apart(subject: Box<dyn Subject>) {
    // Digits without a pattern, which hardly compress.
    let mut state = 1_u64;
    let mut noise = |bytes: usize| {
        let digit = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695);
            char::from(b'!' + u8::try_from(state >> 33 & 0x3f).unwrap_or(0))
        };
        let text: String = (0..bytes).map(digit).filter(|it| *it != '"').collect();
        json!(text.replace('\\', "/"))
    };
    let mut all = vec![json!("x".repeat(VALUE_BYTES_MAX - 2))];
    all.extend((0..20).map(|n| noise(n * 400)));
    let mut long = append("a", 0, 0);
    long.events.clone_from(&all);
    let batch = Batch {
        appends: vec![long],
        ..Batch::default()
    };
    commit(subject.store(), batch).unwrap();
    commit(subject.store(), pack("a", 21)).unwrap();
    assert_whole(subject.store(), "a", &all);
    let subject = subject.reopened();
    assert_whole(subject.store(), "a", &all);
}

pub fn a_stream_that_is_not_there_packs(subject: Box<dyn Subject>) {
    commit(subject.store(), pack("a", 0)).unwrap();
    assert_eq!(subject.store().streams(None, 100).unwrap(), []);
    add(subject.store(), "a", 0, 1);
    assert_whole(subject.store(), "a", &events(1));
}

pub fn verify_reads_what_is_packed(subject: Box<dyn Subject>) {
    add(subject.store(), "a", 0, 300);
    commit(subject.store(), pack("a", 300)).unwrap();
    add(subject.store(), "a", 300, 2);
    let report = crate::verify_events(subject.store(), |_| Ok(()));
    assert_eq!((report.streams, report.events), (1, 302));
    assert!(report.is_sound(), "{report:?}");
}
