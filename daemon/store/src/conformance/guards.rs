//! Guards: a batch is written only if the rows that it is based on are unchanged.

use serde_json::json;

use super::{Subject, commit, row};
use crate::{Batch, CommitError, Committed, Guard, RowChange, Store, Table, VALUE_BYTES_MAX};

/// Writes (or with `None` removes) the row if it is at this revision.
fn guarded(revision: u64, value: Option<i64>) -> Batch {
    let guard = Guard {
        table: Table::Key,
        key: "k".to_owned(),
        revision,
    };
    Batch {
        guards: vec![guard],
        ..write(value)
    }
}

fn write(value: Option<i64>) -> Batch {
    let change = RowChange {
        value: value.map(|value| json!(value).into()),
        ..row(Table::Key, "k", 0)
    };
    Batch {
        rows: vec![change],
        ..Batch::default()
    }
}

fn revision(store: &dyn Store) -> u64 {
    let row = store.row(Table::Key, "k").unwrap();
    row.map_or(0, |row| row.revision)
}

fn value(store: &dyn Store) -> Option<i64> {
    let row = store.row(Table::Key, "k").unwrap();
    row.map(|row| row.value.as_i64().unwrap())
}

/// The revision that a refused guard found.
fn found(answer: &Result<Committed, CommitError>) -> u64 {
    match answer {
        Err(CommitError::Conflict { found, .. }) => *found,
        other => panic!("no conflict: {other:?}"),
    }
}

pub fn an_answer_has_the_revisions_that_its_rows_got(subject: Box<dyn Subject>) {
    let two = Batch {
        rows: vec![row(Table::Key, "k", 1), row(Table::Alert, "k", 2)],
        ..Batch::default()
    };
    let committed = commit(subject.store(), two).unwrap();
    let read = [Table::Key, Table::Alert].map(|table| {
        let row = subject.store().row(table, "k").unwrap();
        row.unwrap().revision
    });
    assert_eq!(committed.revisions, read);
    commit(subject.store(), guarded(read[0], Some(3))).unwrap();
}

pub fn a_guard_refuses_a_row_that_moved(subject: Box<dyn Subject>) {
    let write = |value| Batch {
        rows: vec![row(Table::Key, "k", value)],
        ..Batch::default()
    };
    commit(subject.store(), write(1)).unwrap();
    let seen = subject
        .store()
        .row(Table::Key, "k")
        .unwrap()
        .unwrap()
        .revision;
    let guards = vec![Guard {
        table: Table::Key,
        key: "k".to_owned(),
        revision: seen,
    }];
    commit(
        subject.store(),
        Batch {
            guards: guards.clone(),
            ..write(2)
        },
    )
    .unwrap();
    let late = commit(subject.store(), Batch { guards, ..write(3) });
    assert!(
        matches!(late, Err(CommitError::Conflict { expected, found, .. })
        if expected == seen && found > seen)
    );
    assert_eq!(
        subject.store().row(Table::Key, "k").unwrap().unwrap().value,
        json!(2)
    );
}

pub fn a_guard_refuses_a_row_that_is_there(subject: Box<dyn Subject>) {
    let guards = vec![Guard {
        table: Table::Key,
        key: "k".to_owned(),
        revision: 0,
    }];
    let write = Batch {
        rows: vec![row(Table::Key, "k", 1)],
        guards,
        ..Batch::default()
    };
    commit(subject.store(), write.clone()).unwrap();
    assert!(matches!(
        commit(subject.store(), write),
        Err(CommitError::Conflict { .. })
    ));
}

pub fn a_guard_refuses_a_row_that_was_removed(subject: Box<dyn Subject>) {
    commit(subject.store(), write(Some(1))).unwrap();
    let seen = revision(subject.store());
    commit(subject.store(), guarded(seen, None)).unwrap();
    let subject = subject.reopened();
    let late = commit(subject.store(), guarded(seen, Some(2)));
    assert_eq!(found(&late), 0);
    assert_eq!(value(subject.store()), None);
    commit(subject.store(), guarded(0, Some(3))).unwrap();
    assert_eq!(value(subject.store()), Some(3));
}

pub fn a_guard_refuses_a_row_that_was_removed_and_written_again(subject: Box<dyn Subject>) {
    commit(subject.store(), write(Some(1))).unwrap();
    let seen = revision(subject.store());
    commit(subject.store(), write(None)).unwrap();
    commit(subject.store(), write(Some(1))).unwrap();
    let subject = subject.reopened();
    let late = commit(subject.store(), guarded(seen, Some(2)));
    assert_eq!(found(&late), revision(subject.store()));
    assert_eq!(value(subject.store()), Some(1));
}

pub fn a_guard_sees_its_group(subject: Box<dyn Subject>) {
    commit(subject.store(), write(Some(0))).unwrap();
    let seen = revision(subject.store());
    let group = vec![
        write(Some(1)),
        guarded(seen, Some(2)),
        write(None),
        guarded(seen, Some(3)),
        guarded(0, Some(4)),
        guarded(0, Some(5)),
        write(None),
        write(Some(6)),
        guarded(seen, Some(7)),
    ];
    let answers = subject.store().commit(group).unwrap();
    let written: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(
        written,
        [true, false, true, false, true, false, true, true, false]
    );
    assert!(found(&answers[1]) > seen);
    assert_eq!(found(&answers[3]), 0);
    assert!(found(&answers[5]) > found(&answers[1]));
    assert_eq!(found(&answers[8]), revision(subject.store()));
    let subject = subject.reopened();
    assert_eq!(value(subject.store()), Some(6));
}

pub fn a_guard_does_not_see_what_was_refused(subject: Box<dyn Subject>) {
    let refused = Batch {
        command: Some(super::command("c", "", 9)),
        ..write(Some(1))
    };
    let first = Batch {
        command: refused.command.clone(),
        ..Batch::default()
    };
    let group = vec![first, refused, guarded(0, Some(2))];
    let answers = subject.store().commit(group).unwrap();
    assert!(matches!(answers[1], Err(CommitError::Duplicate(_))));
    assert!(answers[2].is_ok(), "{answers:?}");
    assert_eq!(value(subject.store()), Some(2));
}

/// A group of several megabytes may be written in pieces.
pub fn a_guard_sees_the_whole_of_a_large_group(subject: Box<dyn Subject>) {
    let filler = |n: usize| Batch {
        rows: vec![row(
            Table::Alert,
            &n.to_string(),
            "x".repeat(VALUE_BYTES_MAX - 2),
        )],
        ..Batch::default()
    };
    let mut group = vec![guarded(0, Some(1))];
    group.extend((0..400).map(filler));
    group.extend([guarded(0, Some(2)), write(None), guarded(0, Some(3))]);
    group.extend((0..400).map(filler));
    group.push(guarded(0, Some(4)));
    let answers = subject.store().commit(group).unwrap();
    let refused = answers.iter().enumerate().filter(|(_, it)| it.is_err());
    let refused: Vec<_> = refused.map(|(at, _)| at).collect();
    assert_eq!(refused, [401, 804]);
    assert_eq!(value(subject.store()), Some(3));
}

pub fn a_guard_is_checked_before_the_rows_of_its_batch(subject: Box<dyn Subject>) {
    let other = Guard {
        table: Table::Meta,
        key: "k".to_owned(),
        revision: 0,
    };
    let mut batch = guarded(0, Some(1));
    batch.guards.push(other);
    batch.rows.push(row(Table::Meta, "k", 1));
    commit(subject.store(), batch.clone()).unwrap();
    batch.guards[0].revision = revision(subject.store());
    let late = commit(subject.store(), batch);
    assert!(
        matches!(&late, Err(CommitError::Conflict { what, .. }) if what.contains("Meta/k")),
        "{late:?}"
    );
    assert_eq!(value(subject.store()), Some(1));
}
