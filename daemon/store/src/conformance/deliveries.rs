//! Deliveries: claimed once at a time, settled once, and interrupted attempts are detected.

use tocsin_core::Timestamp;

use super::{
    LEASE_MS, Subject, claim, claimed, commit, delivery, kept, number, queue, row, settle,
};
use crate::{Batch, Class, CommitError, Guard, NewDelivery, OutboxKey, OutboxRow, Store, Table};

fn page(n: u64, not_before: i64) -> NewDelivery {
    delivery(Class::Page, "anna", n, not_before)
}

fn waiting(store: &dyn Store) -> Vec<u64> {
    let rows = store.outbox(Class::Page, None, 99).unwrap();
    rows.iter().map(number).collect()
}

pub fn a_claim_hands_out_the_oldest_ready_row(subject: Box<dyn Subject>) {
    let queued = queue(subject.store(), vec![page(1, 10), page(2, 10)]);
    assert_eq!(claim(subject.store(), Class::Page, 9), []);
    let claims = claim(subject.store(), Class::Page, 10);
    assert_eq!(claims[0].row, kept(page(1, 10), &queued[0], 1));
    assert_eq!(claims[0].token.key, claims[0].row.key);
    assert!(!claims[0].interrupted);
    assert_eq!(claims.len(), 1);
}

pub fn a_settled_row_is_gone(subject: Box<dyn Subject>) {
    queue(subject.store(), vec![page(1, 0), page(2, 0)]);
    let claims = claim(subject.store(), Class::Page, 0);
    commit(subject.store(), settle(&claims[0], None)).unwrap();
    assert_eq!(
        claimed(&claim(subject.store(), Class::Page, 0)),
        [("anna", 2)]
    );
    assert_eq!(waiting(subject.reopened().store()), [2]);
}

pub fn a_retry_waits_for_its_time(subject: Box<dyn Subject>) {
    let queued = queue(subject.store(), vec![page(1, 0)]);
    let claims = claim(subject.store(), Class::Page, 0);
    commit(subject.store(), settle(&claims[0], Some(50))).unwrap();
    let subject = subject.reopened();
    assert_eq!(
        subject.store().next_ready(Class::Page).unwrap(),
        Some(Timestamp(50))
    );
    assert_eq!(claim(subject.store(), Class::Page, 49), []);
    let again = claim(subject.store(), Class::Page, 50);
    assert_eq!(again[0].row, kept(page(1, 50), &queued[0], 2));
}

pub fn an_attempt_cut_off_by_a_crash_is_known(subject: Box<dyn Subject>) {
    queue(subject.store(), vec![page(1, 0)]);
    claim(subject.store(), Class::Page, 0);
    let subject = subject.reopened();
    let again = claim(subject.store(), Class::Page, 0);
    assert!(again[0].interrupted);
    assert_eq!(again[0].row.attempts, 2, "the first attempt counts");
    let subject = subject.reopened();
    assert_eq!(claim(subject.store(), Class::Page, 0)[0].row.attempts, 3);
}

pub fn a_settled_attempt_is_not_interrupted(subject: Box<dyn Subject>) {
    queue(subject.store(), vec![page(1, 0)]);
    claim(subject.store(), Class::Page, 0);
    let subject = subject.reopened();
    let again = claim(subject.store(), Class::Page, 0);
    commit(subject.store(), settle(&again[0], Some(5))).unwrap();
    let subject = subject.reopened();
    assert!(!claim(subject.store(), Class::Page, 5)[0].interrupted);
}

pub fn a_lapsed_lease_is_claimed_again(subject: Box<dyn Subject>) {
    queue(subject.store(), vec![page(1, 0)]);
    let first = claim(subject.store(), Class::Page, 0);
    let end = LEASE_MS.cast_signed();
    assert_eq!(claim(subject.store(), Class::Page, end - 1), []);
    let second = claim(subject.store(), Class::Page, end);
    assert!(second[0].interrupted);
    assert_eq!(second[0].row.attempts, 2);
    assert!(second[0].token.fence > first[0].token.fence);
}

pub fn a_claim_that_was_taken_over_cannot_settle(subject: Box<dyn Subject>) {
    queue(subject.store(), vec![page(1, 0)]);
    let first = claim(subject.store(), Class::Page, 0);
    let second = claim(subject.store(), Class::Page, LEASE_MS.cast_signed());
    for retry_at in [None, Some(5)] {
        let late = commit(subject.store(), settle(&first[0], retry_at));
        assert!(matches!(late, Err(CommitError::Fenced(what)) if what.contains("anna")));
    }
    assert_eq!(waiting(subject.store()), [1]);
    commit(subject.store(), settle(&second[0], None)).unwrap();
    let late = commit(subject.store(), settle(&second[0], None));
    assert!(matches!(late, Err(CommitError::Fenced(_))));
}

pub fn a_lapsed_claim_may_settle_until_taken(subject: Box<dyn Subject>) {
    queue(subject.store(), vec![page(1, 0)]);
    let first = claim(subject.store(), Class::Page, 0);
    let late = Timestamp(0).plus_ms(10 * LEASE_MS);
    assert_eq!(claim(subject.store(), Class::Bulk, late.0), []);
    let none = subject.store().claim(Class::Page, late, 0, LEASE_MS);
    assert_eq!(none.unwrap(), []);
    commit(subject.store(), settle(&first[0], None)).unwrap();
    assert_eq!(waiting(subject.store()), [0; 0]);
}

pub fn fencing_numbers_rise_over_a_crash(mut subject: Box<dyn Subject>) {
    queue(subject.store(), vec![page(1, 0)]);
    let mut last = 0;
    let mut old = Vec::new();
    for _ in 0..5 {
        let claims = claim(subject.store(), Class::Page, 0);
        assert!(claims[0].token.fence > last);
        last = claims[0].token.fence;
        old.extend(claims);
        subject = subject.reopened();
    }
    let store = subject.store();
    claim(store, Class::Page, 0);
    for token in &old {
        assert!(matches!(
            commit(store, settle(token, None)),
            Err(CommitError::Fenced(_))
        ));
    }
}

pub fn a_claim_settles_once_in_a_group(subject: Box<dyn Subject>) {
    queue(subject.store(), vec![page(1, 0)]);
    let claims = claim(subject.store(), Class::Page, 0);
    let group = vec![settle(&claims[0], Some(5)), settle(&claims[0], None)];
    let answers = subject.store().commit(group).unwrap();
    assert!(answers[0].is_ok());
    assert!(matches!(answers[1], Err(CommitError::Fenced(_))));
    assert_eq!(waiting(subject.store()), [1]);
}

pub fn a_refused_batch_leaves_the_claim_standing(subject: Box<dyn Subject>) {
    queue(subject.store(), vec![page(1, 0)]);
    let claims = claim(subject.store(), Class::Page, 0);
    let guards = vec![Guard {
        table: Table::Key,
        key: "k".to_owned(),
        revision: 1,
    }];
    let refused = commit(
        subject.store(),
        Batch {
            guards,
            ..settle(&claims[0], None)
        },
    );
    assert!(matches!(refused, Err(CommitError::Conflict { .. })));
    let rows = vec![row(Table::Key, "k", 1)];
    commit(
        subject.store(),
        Batch {
            rows,
            ..settle(&claims[0], None)
        },
    )
    .unwrap();
    assert_eq!(waiting(subject.store()), [0; 0]);
}

pub fn classes_have_rows_of_their_own(subject: Box<dyn Subject>) {
    queue(
        subject.store(),
        Class::ALL.map(|class| delivery(class, "x", 1, 0)).to_vec(),
    );
    for class in Class::ALL {
        assert_eq!(subject.store().outbox(class, None, 9).unwrap().len(), 1);
        let claims = claim(subject.store(), class, 0);
        assert_eq!(claims.len(), 1);
        assert_eq!(claims[0].row.key.class, class);
    }
}

pub fn a_cancelled_row_is_not_claimed(subject: Box<dyn Subject>) {
    let queued = queue(subject.store(), vec![page(1, 0), page(2, 0)]);
    let absent = OutboxKey {
        seq: queued[1].seq + 7,
        ..queued[1].clone()
    };
    let outbox_cancel = vec![queued[0].clone(), absent];
    commit(
        subject.store(),
        Batch {
            outbox_cancel,
            ..Batch::default()
        },
    )
    .unwrap();
    assert_eq!(
        claimed(&claim(subject.store(), Class::Page, 0)),
        [("anna", 2)]
    );
    assert_eq!(waiting(subject.reopened().store()), [2]);
}

pub fn a_cancelled_claim_stays_gone_after_a_retry(subject: Box<dyn Subject>) {
    let queued = queue(subject.store(), vec![page(1, 0), page(2, 0)]);
    let claims = claim(subject.store(), Class::Page, 0);
    let outbox_cancel = vec![queued[0].clone()];
    commit(
        subject.store(),
        Batch {
            outbox_cancel,
            ..Batch::default()
        },
    )
    .unwrap();
    assert_eq!(
        claim(subject.store(), Class::Page, 0),
        [],
        "the lane is still held"
    );
    commit(subject.store(), settle(&claims[0], Some(0))).unwrap();
    assert_eq!(
        claimed(&claim(subject.store(), Class::Page, 0)),
        [("anna", 2)]
    );
    assert_eq!(waiting(subject.reopened().store()), [2]);
}

pub fn deliveries_are_listed_in_pages(subject: Box<dyn Subject>) {
    let lanes = ["", "a", "a\0", "b"];
    let bulk = |n: u64| delivery(Class::Bulk, lanes[n as usize % lanes.len()], n, 5);
    let rows: Vec<_> = (0..300).rev().map(bulk).collect();
    let queued = queue(subject.store(), rows.clone());
    let rows = rows.into_iter().zip(&queued);
    let mut all: Vec<_> = rows.map(|(row, key)| kept(row, key, 0)).collect();
    all.sort_by(|one, other| one.key.cmp(&other.key));
    let mut read: Vec<OutboxRow> = Vec::new();
    loop {
        let after = read.last().map(|row| row.key.clone());
        let page = subject
            .store()
            .outbox(Class::Bulk, after.as_ref(), 50)
            .unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 50);
        read.extend(page);
    }
    assert_eq!(read, all);
    let page = OutboxKey {
        class: Class::Page,
        lane: "z".to_owned(),
        seq: 9,
    };
    assert_eq!(
        subject
            .store()
            .outbox(Class::Bulk, Some(&page), 999)
            .unwrap(),
        all
    );
    assert_eq!(
        subject
            .store()
            .outbox(Class::Page, Some(&all[0].key), 99)
            .unwrap(),
        []
    );
}

pub fn numbers_rise_in_the_order_of_what_was_queued(subject: Box<dyn Subject>) {
    let rows = |lanes: [&str; 2]| lanes.map(|lane| delivery(Class::Bulk, lane, 0, 0));
    let batch = |lanes| Batch {
        outbox: rows(lanes).to_vec(),
        ..Batch::default()
    };
    let refused = Batch {
        guards: vec![Guard {
            table: Table::Key,
            key: "absent".to_owned(),
            revision: 1,
        }],
        ..batch(["x", "y"])
    };
    let mut queued = queue(subject.store(), vec![page(1, 0)]);
    let group = vec![batch(["z", "a"]), refused, batch(["a", "b"])];
    let answers = subject.store().commit(group).unwrap();
    queued.extend(answers.into_iter().flatten().flat_map(|it| it.queued));
    queued.extend(queue(subject.store(), vec![page(2, 0), page(3, 0)]));
    let lanes: Vec<_> = queued.iter().map(|key| key.lane.as_str()).collect();
    assert_eq!(lanes, ["anna", "z", "a", "a", "b", "anna", "anna"]);
    assert!(queued[0].seq > 0);
    assert!(
        queued.is_sorted_by(|one, next| one.seq < next.seq),
        "{queued:?}"
    );
}

pub fn a_number_is_never_used_again(mut subject: Box<dyn Subject>) {
    let mut last = 0;
    for n in 0..5 {
        let queued = queue(subject.store(), vec![page(n, 0)]);
        assert!(queued[0].seq > last, "{queued:?} after {last}");
        last = queued[0].seq;
        if n % 2 == 0 {
            let claims = claim(subject.store(), Class::Page, 0);
            commit(subject.store(), settle(&claims[0], None)).unwrap();
        } else {
            let cancel = Batch {
                outbox_cancel: queued,
                ..Batch::default()
            };
            commit(subject.store(), cancel).unwrap();
        }
        assert_eq!(waiting(subject.store()), [0; 0]);
        if n > 1 {
            subject = subject.reopened();
        }
    }
}
