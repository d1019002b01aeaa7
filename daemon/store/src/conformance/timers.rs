//! Timers: none early, none late, none lost.

use serde_json::json;
use tocsin_core::Timestamp;

use super::{Subject, append, commit, row, stream, timer};
use crate::{Batch, CommitError, Store, Table, TimerRow};

fn set(store: &dyn Store, timers: &[TimerRow]) {
    commit(
        store,
        Batch {
            timers_set: timers.to_vec(),
            ..Batch::default()
        },
    )
    .unwrap();
}

pub fn timers_come_in_due_order(subject: Box<dyn Subject>) {
    let sorted = [
        timer(9, "escalation", "b"),
        timer(10, "a", "z"),
        timer(10, "escalation", "a"),
        timer(10, "escalation", "ab"),
        timer(10, "escalations", "a"),
        timer(255, "x", ""),
        timer(256, "", "x"),
        timer(i64::MAX, "never", "x"),
    ];
    let mut mixed = sorted.to_vec();
    mixed.rotate_left(3);
    mixed.swap(0, 2);
    set(subject.store(), &mixed);
    let subject = subject.reopened();
    let due = |now, limit| subject.store().timers_due(Timestamp(now), limit).unwrap();
    assert_eq!(due(8, 99), []);
    assert_eq!(due(9, 99), sorted[..1]);
    assert_eq!(due(10, 99), sorted[..5]);
    assert_eq!(due(10, 3), sorted[..3]);
    assert_eq!(due(256, 99), sorted[..7]);
    assert_eq!(due(i64::MAX, 99), sorted);
}

pub fn timers_before_1970_come_first(subject: Box<dyn Subject>) {
    let sorted = [
        timer(i64::MIN, "a", "a"),
        timer(-1, "a", "a"),
        timer(0, "a", "a"),
    ];
    set(
        subject.store(),
        &[sorted[2].clone(), sorted[0].clone(), sorted[1].clone()],
    );
    assert_eq!(subject.store().timers_due(Timestamp(0), 9).unwrap(), sorted);
    assert_eq!(
        subject.store().next_timer().unwrap(),
        Some(Timestamp(i64::MIN))
    );
}

pub fn a_timer_stays_until_it_is_cancelled(subject: Box<dyn Subject>) {
    let timer = timer(5, "escalation", "a");
    set(subject.store(), std::slice::from_ref(&timer));
    for _ in 0..2 {
        assert_eq!(
            subject.store().timers_due(Timestamp(5), 9).unwrap(),
            std::slice::from_ref(&timer)
        );
    }
    let absent = super::timer(6, "escalation", "a").key;
    let timers_cancel = vec![absent, timer.key.clone(), timer.key];
    commit(
        subject.store(),
        Batch {
            timers_cancel,
            ..Batch::default()
        },
    )
    .unwrap();
    assert_eq!(
        subject
            .reopened()
            .store()
            .timers_due(Timestamp(9), 9)
            .unwrap(),
        []
    );
}

pub fn a_timer_set_again_has_its_new_payload(subject: Box<dyn Subject>) {
    let old = timer(5, "escalation", "a");
    let new = TimerRow {
        payload: json!("new"),
        ..old.clone()
    };
    set(subject.store(), &[old]);
    set(subject.store(), std::slice::from_ref(&new));
    assert_eq!(subject.store().timers(None, 9).unwrap(), [new]);
}

pub fn the_next_timer_is_the_earliest(subject: Box<dyn Subject>) {
    assert_eq!(subject.store().next_timer().unwrap(), None);
    let (early, late) = (timer(5, "z", "z"), timer(6, "a", "a"));
    set(subject.store(), &[late, early.clone()]);
    assert_eq!(subject.store().next_timer().unwrap(), Some(Timestamp(5)));
    let cancel = Batch {
        timers_cancel: vec![early.key],
        ..Batch::default()
    };
    commit(subject.store(), cancel).unwrap();
    assert_eq!(subject.store().next_timer().unwrap(), Some(Timestamp(6)));
}

pub fn timers_are_listed_in_pages(subject: Box<dyn Subject>) {
    let all: Vec<_> = (0..7)
        .map(|n| timer(n / 3, "kind", &n.to_string()))
        .collect();
    set(subject.store(), &all);
    let mut read: Vec<TimerRow> = Vec::new();
    loop {
        let after = read.last().map(|timer| timer.key.clone());
        let page = subject.store().timers(after.as_ref(), 2).unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        read.extend(page);
    }
    assert_eq!(read, all);
}

/// A batch caused by a firing timer.
fn take(timers: &[&TimerRow], value: i64) -> Batch {
    Batch {
        timers_take: timers.iter().map(|timer| timer.key.clone()).collect(),
        rows: vec![row(Table::Key, "fired", value)],
        ..Batch::default()
    }
}

pub fn a_timer_is_taken_once(subject: Box<dyn Subject>) {
    let (one, other) = (timer(5, "escalation", "a"), timer(5, "escalation", "b"));
    set(subject.store(), &[one.clone(), other.clone()]);
    commit(subject.store(), take(&[&one], 1)).unwrap();
    for taken in [take(&[&one], 2), take(&[&other, &one], 3)] {
        let late = commit(subject.store(), taken);
        assert!(
            matches!(&late, Err(CommitError::TimerTaken(what)) if what.contains("escalation/a")),
            "{late:?}"
        );
    }
    let subject = subject.reopened();
    let fired = subject.store().row(Table::Key, "fired").unwrap().unwrap();
    assert_eq!(fired.value, json!(1), "nothing of the others was written");
    assert_eq!(subject.store().timers(None, 9).unwrap(), [other]);
    let late = commit(subject.store(), take(&[&one], 4));
    assert!(matches!(late, Err(CommitError::TimerTaken(_))));
}

pub fn a_batch_that_takes_a_timer_sees_its_group(subject: Box<dyn Subject>) {
    let timers: Vec<_> = (0..3).map(|n| timer(n, "kind", "id")).collect();
    set(subject.store(), &timers[..2]);
    let batch = Batch {
        timers_cancel: vec![timers[1].key.clone()],
        timers_set: vec![timers[2].clone()],
        ..Batch::default()
    };
    let takes = [0, 0, 1, 2, 2].map(|n: usize| take(&[&timers[n]], 1));
    let group = [batch].into_iter().chain(takes).collect();
    let answers = subject.store().commit(group).unwrap();
    let taken: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(taken, [true, true, false, false, true, false]);
    assert_eq!(subject.store().timers(None, 9).unwrap(), []);
}

pub fn a_refused_batch_takes_no_timer(subject: Box<dyn Subject>) {
    let timer = timer(5, "kind", "id");
    set(subject.store(), std::slice::from_ref(&timer));
    let stale = Batch {
        appends: vec![append("a", 7, 1)],
        ..take(&[&timer], 1)
    };
    let refused = commit(subject.store(), stale.clone());
    assert!(matches!(refused, Err(CommitError::Conflict { .. })));
    commit(subject.store(), take(&[&timer], 2)).unwrap();
    let refused = commit(subject.store(), stale);
    assert!(
        matches!(refused, Err(CommitError::TimerTaken(_))),
        "a taken timer has precedence over a changed stream: {refused:?}"
    );
    assert_eq!(subject.store().read_stream(&stream("a"), 0, 9).unwrap(), []);
}

pub fn a_timer_set_again_may_be_taken_again(subject: Box<dyn Subject>) {
    let timer = timer(5, "kind", "id");
    for value in 0..3 {
        set(subject.store(), std::slice::from_ref(&timer));
        commit(subject.store(), take(&[&timer], value)).unwrap();
        assert_eq!(subject.store().timers(None, 9).unwrap(), []);
    }
}
