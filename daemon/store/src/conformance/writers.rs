//! Two concurrent writers on one store, like two engines.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::feed::changes;
use super::{Subject, append, commit, delivery, queue, row, stream, timer};
use crate::{
    Batch, Changed, Class, CommitError, Guard, OutboxKey, Position, Store, Table, TimerRow,
};

const ROUNDS: u64 = 40;

/// Runs this as writer 0 and as writer 1 concurrently.
fn twice<T: Send>(write: impl Fn(u64) -> T + Sync) -> [T; 2] {
    let start = Barrier::new(2);
    let run = |writer| {
        start.wait();
        write(writer)
    };
    std::thread::scope(|scope| {
        let handles = [0, 1].map(|writer| scope.spawn(move || run(writer)));
        handles.map(|handle| handle.join().unwrap())
    })
}

pub fn two_writers_get_different_numbers(subject: Box<dyn Subject>) {
    let store = subject.store();
    let page = |n| delivery(Class::Page, "anna", n, 0);
    let of = |writer| {
        let rounds = (0..ROUNDS).map(|n| n * 2 + writer);
        let queued = rounds.flat_map(|n| queue(store, vec![page(n), page(n)]));
        queued.collect::<Vec<OutboxKey>>()
    };
    let [one, other] = twice(of);
    for queued in [&one, &other] {
        assert!(queued.is_sorted_by(|one, next| one.seq < next.seq));
    }
    let mut all = [one, other].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len() as u64, 4 * ROUNDS);
    let rows = store.outbox(Class::Page, None, usize::MAX).unwrap();
    let kept: Vec<_> = rows.into_iter().map(|row| row.key).collect();
    assert_eq!(kept, all);
}

pub fn two_writers_take_a_timer_once(subject: Box<dyn Subject>) {
    let store = subject.store();
    let timers: Vec<TimerRow> = (0..ROUNDS)
        .map(|n| timer(5, "kind", &format!("{n:03}")))
        .collect();
    let batch = Batch {
        timers_set: timers.clone(),
        ..Batch::default()
    };
    commit(store, batch).unwrap();
    let fire = |timer: &TimerRow| {
        let batch = Batch {
            timers_take: vec![timer.key.clone()],
            outbox: vec![delivery(Class::Bulk, &timer.key.id, 0, 0)],
            ..Batch::default()
        };
        match commit(store, batch) {
            Ok(_) => 1,
            Err(CommitError::TimerTaken(_)) => 0,
            Err(error) => panic!("{error}"),
        }
    };
    let fired = twice(|_| timers.iter().map(fire).sum::<u64>());
    assert_eq!(fired[0] + fired[1], ROUNDS, "{fired:?}");
    let rows = store.outbox(Class::Bulk, None, usize::MAX).unwrap();
    let lanes: Vec<_> = rows.iter().map(|row| row.key.lane.as_str()).collect();
    let ids: Vec<_> = timers.iter().map(|timer| timer.key.id.as_str()).collect();
    assert_eq!(lanes, ids, "each once");
    assert_eq!(store.timers(None, 9).unwrap(), []);
}

/// Increments the row with a guard, and retries until it succeeds.
fn count_up(store: &dyn Store) -> u64 {
    loop {
        let row_now = store.row(Table::Meta, "count").unwrap();
        let revision = row_now.as_ref().map_or(0, |row| row.revision);
        let count = row_now.and_then(|row| row.value.as_u64()).unwrap_or(0) + 1;
        let guard = Guard {
            table: Table::Meta,
            key: "count".to_owned(),
            revision,
        };
        let batch = Batch {
            guards: vec![guard],
            rows: vec![row(Table::Meta, "count", count)],
            ..Batch::default()
        };
        match commit(store, batch) {
            Ok(_) => return count,
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

pub fn two_writers_write_a_guarded_row_once(subject: Box<dyn Subject>) {
    let store = subject.store();
    let counted = twice(|_| (0..ROUNDS).map(|_| count_up(store)).collect::<Vec<_>>());
    let mut all = counted.concat();
    all.sort_unstable();
    assert_eq!(all, (1..=2 * ROUNDS).collect::<Vec<_>>());
    let row = store.row(Table::Meta, "count").unwrap().unwrap();
    assert_eq!(row.value, json!(2 * ROUNDS));
}

/// Follows the feed until the end after the writers are done, and checks that every reported change
/// is readable.
fn follow(store: &dyn Store, done: &AtomicBool) -> Vec<Changed> {
    let mut read: Vec<Changed> = Vec::new();
    loop {
        let is_last = done.load(Ordering::SeqCst);
        let newest = store.feed_position().unwrap();
        let after = read.last().map_or(Position(0), |it| it.position);
        let page = changes(store, after, 3);
        assert!(
            newest <= after || !page.is_empty(),
            "{newest:?} after {after:?}"
        );
        if is_last && page.is_empty() {
            return read;
        }
        for (stream, version) in page.iter().flat_map(|it| &it.streams) {
            let event = store.read_stream(stream, version - 1, 1).unwrap();
            assert_eq!(event.len(), 1, "{version} of {stream:?}");
        }
        for (table, key) in page.iter().flat_map(|it| &it.rows) {
            assert!(store.row(*table, key).unwrap().is_some(), "{key}");
        }
        read.extend(page);
        std::thread::yield_now();
    }
}

pub fn a_follower_misses_nothing_of_two_writers(subject: Box<dyn Subject>) {
    let store = subject.store();
    let done = AtomicBool::new(false);
    let write = |writer: u64| {
        for n in 0..ROUNDS {
            let batch = |part: u64| Batch {
                appends: vec![append(&format!("s{writer}"), 2 * n + part, 1)],
                rows: vec![row(Table::Key, &format!("{writer}-{n}-{part}"), 1)],
                ..Batch::default()
            };
            let answers = store.commit(vec![batch(0), batch(1)]).unwrap();
            assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        }
    };
    let read = std::thread::scope(|scope| {
        let follower = scope.spawn(|| follow(store, &done));
        twice(write);
        done.store(true, Ordering::SeqCst);
        follower.join().unwrap()
    });
    assert!(read.is_sorted_by(|one, next| one.position < next.position));
    let mut versions = BTreeMap::new();
    for (stream, version) in read.iter().flat_map(|it| &it.streams) {
        let before = versions.insert(stream.clone(), *version);
        assert!(before < Some(*version), "{before:?} before {version}");
    }
    let last = [(stream("s0"), 2 * ROUNDS), (stream("s1"), 2 * ROUNDS)];
    assert_eq!(versions, BTreeMap::from(last));
    let mut keys: Vec<_> = read.into_iter().flat_map(|it| it.rows).collect();
    assert_eq!(keys.len() as u64, 4 * ROUNDS, "each once");
    keys.sort();
    let rows = store.rows(Table::Key, "", None, usize::MAX).unwrap();
    let written: Vec<_> = rows.into_iter().map(|(key, _)| (Table::Key, key)).collect();
    assert_eq!(keys, written);
}
