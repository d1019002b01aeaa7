//! Lanes: one delivery at a time in each, and states that replace older ones.

use serde_json::json;
use tocsin_core::Timestamp;

use super::{LEASE_MS, Subject, claim, claimed, commit, delivery, kept, queue, settle};
use crate::{Class, NewDelivery, OutboxRow, Store};

fn bulk(lane: &str, n: u64, not_before: i64) -> NewDelivery {
    delivery(Class::Bulk, lane, n, not_before)
}

pub fn a_claim_takes_its_whole_lane(subject: Box<dyn Subject>) {
    queue(
        subject.store(),
        vec![bulk("a", 1, 0), bulk("a", 2, 0), bulk("b", 3, 0)],
    );
    let claims = subject
        .store()
        .claim(Class::Bulk, Timestamp(0), 1, LEASE_MS)
        .unwrap();
    assert_eq!(claimed(&claims), [("a", 1)]);
    assert_eq!(claimed(&claim(subject.store(), Class::Bulk, 0)), [("b", 3)]);
    assert_eq!(claim(subject.store(), Class::Bulk, 0), []);
    commit(subject.store(), settle(&claims[0], None)).unwrap();
    assert_eq!(claimed(&claim(subject.store(), Class::Bulk, 0)), [("a", 2)]);
}

pub fn a_claim_takes_one_row_per_lane(subject: Box<dyn Subject>) {
    let rows = (0..30)
        .map(|n| bulk(["a", "b", "c"][n as usize % 3], n, 0))
        .collect();
    queue(subject.store(), rows);
    let subject = subject.reopened();
    assert_eq!(
        claimed(&claim(subject.store(), Class::Bulk, 0)),
        [("a", 0), ("b", 1), ("c", 2)]
    );
}

pub fn lanes_that_waited_longest_come_first(subject: Box<dyn Subject>) {
    queue(
        subject.store(),
        vec![
            bulk("a", 1, 9),
            bulk("b", 1, 7),
            bulk("c", 1, 8),
            bulk("c", 2, 6),
        ],
    );
    let order = subject
        .store()
        .claim(Class::Bulk, Timestamp(9), 2, LEASE_MS)
        .unwrap();
    assert_eq!(claimed(&order), [("c", 1), ("b", 1)]);
    assert_eq!(claimed(&claim(subject.store(), Class::Bulk, 9)), [("a", 1)]);
}

pub fn a_retry_does_not_hold_up_its_lane(subject: Box<dyn Subject>) {
    queue(subject.store(), vec![bulk("a", 1, 0), bulk("a", 2, 0)]);
    let first = claim(subject.store(), Class::Bulk, 0);
    commit(subject.store(), settle(&first[0], Some(500))).unwrap();
    let second = claim(subject.store(), Class::Bulk, 0);
    assert_eq!(claimed(&second), [("a", 2)]);
    commit(subject.store(), settle(&second[0], Some(600))).unwrap();
    assert_eq!(
        claimed(&claim(subject.store(), Class::Bulk, 700)),
        [("a", 1)],
        "in their order"
    );
}

pub fn next_ready_is_the_earliest_of_the_class(subject: Box<dyn Subject>) {
    let next = |store: &dyn Store| store.next_ready(Class::Bulk).unwrap();
    assert_eq!(next(subject.store()), None);
    queue(
        subject.store(),
        vec![bulk("a", 1, 20), bulk("a", 2, 10), bulk("b", 1, 15)],
    );
    queue(subject.store(), vec![delivery(Class::Page, "a", 1, 1)]);
    let subject = subject.reopened();
    assert_eq!(next(subject.store()), Some(Timestamp(10)));
    assert_eq!(
        claimed(&claim(subject.store(), Class::Bulk, 10)),
        [("a", 2)]
    );
    assert_eq!(next(subject.store()), Some(Timestamp(15)));
}

pub fn next_ready_of_a_held_lane_is_its_lease(subject: Box<dyn Subject>) {
    let next = || subject.store().next_ready(Class::Bulk).unwrap();
    queue(subject.store(), vec![bulk("a", 1, 10)]);
    let claims = claim(subject.store(), Class::Bulk, 10);
    assert_eq!(next(), Some(Timestamp(10).plus_ms(LEASE_MS)));
    commit(subject.store(), settle(&claims[0], None)).unwrap();
    assert_eq!(next(), None);
}

/// A state that is ready at `at`, which identifies its row even if its body is replaced.
fn state(lane: &str, at: i64, name: &str, body: &str) -> NewDelivery {
    NewDelivery {
        coalesce: Some(name.to_owned()),
        body: json!(body),
        ..delivery(Class::State, lane, 0, at)
    }
}

fn states(store: &dyn Store) -> Vec<(String, i64, String)> {
    let rows = store.outbox(Class::State, None, 99).unwrap();
    let parts = |row: OutboxRow| {
        (
            row.key.lane,
            row.not_before.0,
            row.body.as_str().unwrap().to_owned(),
        )
    };
    rows.into_iter().map(parts).collect()
}

pub fn a_newer_state_replaces_the_waiting_one(subject: Box<dyn Subject>) {
    let queued = queue(
        subject.store(),
        vec![state("a", 1, "topic", "old"), state("a", 2, "other", "x")],
    );
    let subject = subject.reopened();
    let again = queue(
        subject.store(),
        vec![
            state("a", 3, "topic", "newer"),
            state("a", 4, "topic", "newest"),
        ],
    );
    assert_eq!(again, [queued[0].clone(), queued[0].clone()]);
    let expected = kept(state("a", 1, "topic", "newest"), &queued[0], 0);
    assert_eq!(
        subject.store().outbox(Class::State, None, 1).unwrap(),
        [expected]
    );
    let subject = subject.reopened();
    let all = [
        ("a".into(), 1, "newest".into()),
        ("a".into(), 2, "x".into()),
    ];
    assert_eq!(states(subject.store()), all);
    assert_eq!(
        claim(subject.store(), Class::State, 9)[0].row.body,
        json!("newest")
    );
}

pub fn a_state_being_delivered_is_not_replaced(subject: Box<dyn Subject>) {
    queue(subject.store(), vec![state("a", 1, "topic", "old")]);
    let claims = claim(subject.store(), Class::State, 9);
    queue(subject.store(), vec![state("a", 2, "topic", "new")]);
    queue(subject.store(), vec![state("a", 3, "topic", "newer")]);
    let both = [
        ("a".into(), 1, "old".into()),
        ("a".into(), 2, "newer".into()),
    ];
    assert_eq!(states(subject.store()), both);
    commit(subject.store(), settle(&claims[0], Some(50))).unwrap();
    queue(subject.store(), vec![state("a", 4, "topic", "newest")]);
    let both = [
        ("a".into(), 50, "old".into()),
        ("a".into(), 2, "newest".into()),
    ];
    assert_eq!(
        states(subject.store()),
        both,
        "the newest waiting one is replaced"
    );
}

pub fn only_the_same_state_of_the_same_lane_is_replaced(subject: Box<dyn Subject>) {
    queue(
        subject.store(),
        vec![state("a", 1, "topic", "1"), state("b", 2, "topic", "2")],
    );
    queue(
        subject.store(),
        vec![state("a", 3, "topics", "3"), state("a", 4, "", "4")],
    );
    let unnamed = NewDelivery {
        coalesce: None,
        ..state("a", 5, "", "5")
    };
    queue(subject.store(), vec![unnamed.clone()]);
    queue(subject.store(), vec![unnamed]);
    assert_eq!(states(subject.store()).len(), 6);
}

pub fn pages_are_never_merged(subject: Box<dyn Subject>) {
    for class in [Class::Page, Class::Prompt, Class::Bulk] {
        let row = NewDelivery {
            class,
            ..state("a", 1, "same", "x")
        };
        queue(subject.store(), vec![row.clone(), row]);
        assert_eq!(subject.store().outbox(class, None, 9).unwrap().len(), 2);
    }
}
