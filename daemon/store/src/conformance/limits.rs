//! Limits: what is too large is rejected as a whole, and the largest allowed values are stored.

use serde_json::json;
use tocsin_core::Timestamp;

use super::commits::is_empty;
use super::{Subject, append, command, commit, delivery, row, timer};
use crate::{
    APPENDS_MAX, Batch, Class, CommitError, GROUP_BATCHES_MAX, KEY_BYTES_MAX, NewDelivery, Table,
    TimerRow, VALUE_BYTES_MAX,
};

pub fn too_large_is_refused_before_anything_is_written(subject: Box<dyn Subject>) {
    let value = json!("x".repeat(VALUE_BYTES_MAX - 1));
    let name = "x".repeat(KEY_BYTES_MAX + 1);
    let many = (0..=APPENDS_MAX)
        .map(|n| append(&n.to_string(), 0, 1))
        .collect();
    let mut long = append("a", 0, 1);
    long.events.push(value.clone());
    let page = || delivery(Class::Page, "anna", 1, 0);
    let tick = || timer(1, "kind", "id");
    let mut result = command("c", "", 9);
    result.result = value.clone();
    let empty = Batch::default;
    for batch in [
        Batch {
            appends: many,
            ..empty()
        },
        Batch {
            appends: vec![long],
            ..empty()
        },
        Batch {
            appends: vec![append(&name, 0, 1)],
            ..empty()
        },
        Batch {
            rows: vec![row(Table::Key, "k", value.clone())],
            ..empty()
        },
        Batch {
            rows: vec![row(Table::Key, &name, 1)],
            ..empty()
        },
        Batch {
            outbox: vec![NewDelivery {
                body: value.clone(),
                ..page()
            }],
            ..empty()
        },
        Batch {
            outbox: vec![NewDelivery {
                coalesce: Some(name.clone()),
                ..page()
            }],
            ..empty()
        },
        Batch {
            outbox: vec![delivery(Class::Page, &name, 1, 0)],
            ..empty()
        },
        Batch {
            timers_set: vec![TimerRow {
                payload: value,
                ..tick()
            }],
            ..empty()
        },
        Batch {
            timers_set: vec![timer(1, &name, "id")],
            ..empty()
        },
        Batch {
            timers_set: vec![timer(1, "kind", &name)],
            ..empty()
        },
        Batch {
            command: Some(result),
            ..empty()
        },
        Batch {
            command: Some(command(&name, "", 9)),
            ..empty()
        },
    ] {
        let sound = Batch {
            command: batch.command,
            ..batch
        };
        let Err(CommitError::TooLarge { size, max, .. }) = commit(subject.store(), sound) else {
            panic!("it was accepted");
        };
        assert_eq!(size, max + 1);
    }
    is_empty(subject.store());
}

pub fn a_group_that_is_too_long_is_refused_whole(subject: Box<dyn Subject>) {
    let write = |n: usize| Batch {
        rows: vec![row(Table::Key, &n.to_string(), 1)],
        ..Batch::default()
    };
    let answers = subject
        .store()
        .commit((0..=GROUP_BATCHES_MAX).map(write).collect())
        .unwrap();
    assert_eq!(answers.len(), GROUP_BATCHES_MAX + 1);
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Err(CommitError::TooLarge { .. })))
    );
    is_empty(subject.store());
    let answers = subject
        .store()
        .commit((0..GROUP_BATCHES_MAX).map(write).collect())
        .unwrap();
    assert!(answers.iter().all(Result::is_ok));
}

pub fn the_largest_values_are_kept(subject: Box<dyn Subject>) {
    let text = "x".repeat(VALUE_BYTES_MAX - 2);
    let name = |n: usize| format!("{n:0>width$}", width = KEY_BYTES_MAX);
    let batch = |n: usize| Batch {
        rows: vec![row(Table::Key, &name(n), text.clone())],
        timers_set: vec![TimerRow {
            payload: json!(text),
            ..timer(1, "kind", &name(n))
        }],
        ..Batch::default()
    };
    let answers = subject
        .store()
        .commit((0..100).map(batch).collect())
        .unwrap();
    assert!(answers.iter().all(Result::is_ok));
    let subject = subject.reopened();
    let rows = subject.store().rows(Table::Key, "", None, 1_000).unwrap();
    assert_eq!(rows.len(), 100);
    assert!(rows.iter().all(|(_, stored)| stored.value == json!(text)));
    let timers = subject.store().timers_due(Timestamp(1), 1_000).unwrap();
    assert_eq!(
        timers
            .iter()
            .filter(|timer| timer.payload == json!(text))
            .count(),
        100
    );
}
