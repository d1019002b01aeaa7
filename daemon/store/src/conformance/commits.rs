//! Commits: atomic, in order, and never twice.

use serde_json::json;

use super::{Subject, append, command, commit, delivery, event, kept, row, stream, timer};
use crate::{Batch, Class, CommandKey, CommitError, Committed, Guard, RowChange, Store, Table};

fn whole() -> Batch {
    Batch {
        appends: vec![append("a", 0, 2), append("b", 0, 1)],
        rows: vec![
            row(Table::Alert, "one", 1),
            row(Table::Key, "two", json!({"x": [null, "ü"]})),
        ],
        outbox: vec![delivery(Class::Page, "anna", 1, 0)],
        timers_set: vec![timer(7, "escalation", "a")],
        command: Some(command("ack", "done", 99)),
        ..Batch::default()
    }
}

fn is_whole(store: &dyn Store) {
    let events = store.read_stream(&stream("a"), 0, 9).unwrap();
    let events: Vec<_> = events
        .into_iter()
        .map(|stored| (stored.version, stored.event))
        .collect();
    assert_eq!(events, [(1, event(1)), (2, event(2))]);
    assert_eq!(
        store.row(Table::Alert, "one").unwrap().unwrap().value,
        json!(1)
    );
    let two = store.row(Table::Key, "two").unwrap().unwrap();
    assert_eq!(
        (two.value, two.expires_at),
        (json!({"x": [null, "ü"]}), None)
    );
    let rows = store.outbox(Class::Page, None, 9).unwrap();
    let page = whole().outbox.remove(0);
    assert_eq!(rows, [kept(page, &rows[0].key, 0)]);
    assert_eq!(store.timers(None, 9).unwrap(), whole().timers_set);
    let answered = store.command_result(&CommandKey("ack".to_owned())).unwrap();
    assert_eq!(answered, Some(json!("done")));
}

/// The versions in the result of a batch that queued nothing.
fn versions(answer: &Result<Committed, CommitError>) -> Result<Vec<u64>, CommitError> {
    let committed = answer.clone()?;
    assert_eq!(committed.queued, []);
    Ok(committed.versions)
}

pub(super) fn is_empty(store: &dyn Store) {
    assert_eq!(store.streams(None, 9).unwrap(), []);
    for table in Table::ALL {
        assert_eq!(store.rows(table, "", None, 9).unwrap(), []);
    }
    for class in Class::ALL {
        assert_eq!(store.outbox(class, None, 9).unwrap(), []);
        assert_eq!(store.next_ready(class).unwrap(), None);
    }
    assert_eq!(store.timers(None, 9).unwrap(), []);
    assert_eq!(store.next_timer().unwrap(), None);
    assert_eq!(
        store.command_result(&CommandKey("ack".to_owned())).unwrap(),
        None
    );
}

pub fn a_batch_commits_whole(subject: Box<dyn Subject>) {
    is_empty(subject.store());
    let committed = commit(subject.store(), whole()).unwrap();
    assert_eq!(committed.versions, [2, 1]);
    is_whole(subject.store());
    let rows = subject.store().outbox(Class::Page, None, 9).unwrap();
    assert_eq!(committed.queued, [rows[0].key.clone()]);
}

pub fn everything_is_there_after_a_crash(subject: Box<dyn Subject>) {
    commit(subject.store(), whole()).unwrap();
    let subject = subject.reopened();
    is_whole(subject.store());
    commit(
        subject.store(),
        Batch {
            appends: vec![append("a", 2, 1)],
            ..Batch::default()
        },
    )
    .unwrap();
    let subject = subject.reopened();
    assert_eq!(
        subject.store().read_stream(&stream("a"), 2, 9).unwrap()[0].version,
        3
    );
}

pub fn a_refused_batch_leaves_nothing(subject: Box<dyn Subject>) {
    let guard = Guard {
        table: Table::Meta,
        key: "absent".to_owned(),
        revision: 4,
    };
    let refused = commit(
        subject.store(),
        Batch {
            guards: vec![guard],
            ..whole()
        },
    );
    assert!(matches!(
        refused,
        Err(CommitError::Conflict {
            expected: 4,
            found: 0,
            ..
        })
    ));
    let refused = commit(
        subject.store(),
        Batch {
            appends: vec![append("a", 0, 1), append("b", 1, 1)],
            ..whole()
        },
    );
    assert!(matches!(
        refused,
        Err(CommitError::Conflict {
            expected: 1,
            found: 0,
            ..
        })
    ));
    is_empty(subject.store());
    is_empty(subject.reopened().store());
}

pub fn a_conflict_fails_only_its_own_batch(subject: Box<dyn Subject>) {
    let batch = |name, expected| Batch {
        appends: vec![append(name, expected, 1)],
        ..Batch::default()
    };
    let group = vec![batch("a", 0), batch("a", 0), batch("b", 0)];
    let answers = subject.store().commit(group).unwrap();
    assert_eq!(versions(&answers[0]), Ok(vec![1]));
    assert!(matches!(&answers[1], Err(CommitError::Conflict { what, .. }) if what.contains('a')));
    assert_eq!(versions(&answers[2]), Ok(vec![1]));
    let streams = [(stream("a"), 1), (stream("b"), 1)];
    assert_eq!(
        subject.reopened().store().streams(None, 9).unwrap(),
        streams
    );
}

pub fn later_batches_see_earlier_ones_of_the_group(subject: Box<dyn Subject>) {
    let guard = |revision| {
        vec![Guard {
            table: Table::Key,
            key: "k".to_owned(),
            revision,
        }]
    };
    let write = |value, guards| Batch {
        rows: vec![row(Table::Key, "k", value)],
        guards,
        ..Batch::default()
    };
    let add = |expected| Batch {
        appends: vec![append("a", expected, 1)],
        ..Batch::default()
    };
    let once = Batch {
        command: Some(command("c", "first", 9)),
        ..Batch::default()
    };
    let again = Batch {
        command: Some(command("c", "second", 9)),
        ..Batch::default()
    };
    let group = vec![
        write(1, guard(0)),
        write(2, guard(0)),
        add(0),
        add(1),
        once,
        again,
    ];
    let answers = subject.store().commit(group).unwrap();
    assert!(matches!(
        answers[1],
        Err(CommitError::Conflict { expected: 0, .. })
    ));
    assert_eq!(versions(&answers[3]), Ok(vec![2]));
    assert_eq!(answers[5], Err(CommitError::Duplicate(json!("first"))));
    assert_eq!(
        subject.store().row(Table::Key, "k").unwrap().unwrap().value,
        json!(1)
    );
    let remove = RowChange {
        table: Table::Key,
        key: "k".to_owned(),
        value: None,
        expires_at: None,
    };
    let remove = Batch {
        rows: vec![remove],
        ..Batch::default()
    };
    let answers = subject
        .store()
        .commit(vec![remove, write(3, guard(0))])
        .unwrap();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

pub fn a_stream_refuses_a_version_that_has_passed(subject: Box<dyn Subject>) {
    let add = |expected, events| Batch {
        appends: vec![append("a", expected, events)],
        ..Batch::default()
    };
    commit(subject.store(), add(0, 3)).unwrap();
    for wrong in [0, 2, 4] {
        let Err(CommitError::Conflict {
            expected, found, ..
        }) = commit(subject.store(), add(wrong, 1))
        else {
            panic!("version {wrong} was taken");
        };
        assert_eq!((expected, found), (wrong, 3));
    }
    let nothing = commit(subject.store(), add(3, 0));
    assert_eq!(versions(&nothing), Ok(vec![3]));
}

pub fn revisions_are_never_used_twice(mut subject: Box<dyn Subject>) {
    let mut last = 0;
    for value in [Some(1), Some(1), None, Some(1), None, Some(1)] {
        let change = row(Table::Key, "k", 0);
        let change = RowChange {
            value: value.map(|value| json!(value).into()),
            ..change
        };
        commit(
            subject.store(),
            Batch {
                rows: vec![change],
                ..Batch::default()
            },
        )
        .unwrap();
        subject = subject.reopened();
        let Some(stored) = subject.store().row(Table::Key, "k").unwrap() else {
            continue;
        };
        assert!(stored.revision > last, "{} after {last}", stored.revision);
        last = stored.revision;
    }
}

pub fn a_command_is_carried_out_once(subject: Box<dyn Subject>) {
    commit(subject.store(), whole()).unwrap();
    let changed = Batch {
        command: Some(command("ack", "other", 99)),
        ..whole()
    };
    let again = commit(subject.store(), changed.clone());
    assert_eq!(
        again,
        Err(CommitError::Duplicate(json!("done"))),
        "before any conflict"
    );
    let subject = subject.reopened();
    assert_eq!(
        commit(subject.store(), changed),
        Err(CommitError::Duplicate(json!("done")))
    );
    is_whole(subject.store());
}

pub fn several_appends_to_one_stream_follow_each_other(subject: Box<dyn Subject>) {
    let appends = vec![append("a", 0, 2), append("b", 0, 1), append("a", 2, 1)];
    let answer = commit(
        subject.store(),
        Batch {
            appends,
            ..Batch::default()
        },
    );
    assert_eq!(versions(&answer), Ok(vec![2, 1, 3]));
    let appends = vec![append("a", 3, 1), append("a", 3, 1)];
    let answer = commit(
        subject.store(),
        Batch {
            appends,
            ..Batch::default()
        },
    );
    assert!(matches!(
        answer,
        Err(CommitError::Conflict {
            expected: 3,
            found: 4,
            ..
        })
    ));
}

pub fn a_batch_falls_with_those_it_needs(subject: Box<dyn Subject>) {
    let add = |name, expected, needs| Batch {
        appends: vec![append(name, expected, 1)],
        needs,
        ..Batch::default()
    };
    let group = vec![
        add("a", 0, vec![]),
        add("b", 7, vec![]),
        add("c", 0, vec![0]),
        add("d", 0, vec![0, 1]),
        add("e", 0, vec![3]),
        add("f", 0, vec![5]),
        add("g", 0, vec![2]),
    ];
    let answers = subject.store().commit(group).unwrap();
    let skipped = |answer: &_| *answer == Err(CommitError::Skipped);
    let skipped: Vec<_> = answers.iter().map(skipped).collect();
    assert_eq!(skipped, [false, false, false, true, true, true, false]);
    let streams = ["a", "c", "g"].map(|name| (stream(name), 1));
    assert_eq!(
        subject.reopened().store().streams(None, 9).unwrap(),
        streams
    );
}

pub fn readers_never_see_a_batch_in_part(subject: Box<dyn Subject>) {
    let store = subject.store();
    let names: Vec<_> = (0..40).map(|n| n.to_string()).collect();
    let done = std::sync::atomic::AtomicBool::new(false);
    let ordering = std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(ordering) {
                let rows = store.rows(Table::Key, "", None, 99).unwrap();
                assert!(
                    rows.is_empty() || rows.len() == names.len(),
                    "{}",
                    rows.len()
                );
                assert!(
                    rows.iter()
                        .all(|(_, stored)| stored.value == rows[0].1.value)
                );
            }
        });
        for value in 0..100 {
            let rows = names
                .iter()
                .map(|name| row(Table::Key, name, value))
                .collect();
            commit(
                store,
                Batch {
                    rows,
                    ..Batch::default()
                },
            )
            .unwrap();
        }
        done.store(true, ordering);
    });
}
