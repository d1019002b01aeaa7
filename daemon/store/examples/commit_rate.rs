//! Measures how many batches per second the store commits durably on this disk.
//!
//! `cargo run --release -p tocsin-store --example commit_rate -- FOLDER [BATCHES] [GROUP] [CLAIM]`
//!
//! Each batch is that of one alert: an event of 400 bytes, two rows, a timer and a delivery. With
//! CLAIM 1, each group is followed by a claim, and the next group settles what was claimed and
//! cancels as many timers, so that the backlog stays bounded as in the daemon.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use tocsin_core::Timestamp;
use tocsin_store::{
    Append, Batch, Claimed, Class, NewDelivery, RowChange, Settle, SledStore, Store, StoreError,
    StreamId, Table, TimerKey, TimerRow,
};

/// Number of streams with events.
const STREAMS: u64 = 100;
/// Number of lanes with deliveries.
const LANES: u64 = 32;

fn main() -> Result<(), StoreError> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .unwrap_or_else(|| "target/commit-rate".to_owned());
    let mut number = |default| {
        arguments
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(default)
    };
    let (batches, group, claims) = (number(100_000), number(32), number(1));
    let store = SledStore::open(Path::new(&folder))?;
    let begun = Instant::now();
    let mut worst = 0;
    let mut timers = VecDeque::new();
    let mut claimed = Vec::new();
    let mut next = 0_u64;
    while next < batches {
        let now = Timestamp(next.cast_signed());
        let mut commands: Vec<_> = (next..next + group).map(batch).collect();
        timers.extend(commands.iter().map(|batch| batch.timers_set[0].key.clone()));
        next += group;
        commands.extend(claimed.drain(..).map(|claim: Claimed| Batch {
            settles: Some(Settle {
                token: claim.token,
                retry_at: None,
            }),
            timers_cancel: timers.pop_front().into_iter().collect(),
            ..Batch::default()
        }));
        let at = Instant::now();
        for answer in store.commit(commands)? {
            assert!(answer.is_ok(), "{answer:?}");
        }
        worst = worst.max(at.elapsed().as_micros());
        if claims == 1 {
            claimed = store.claim(Class::Bulk, now, usize::MAX, 1_000)?;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let rate = batches as f64 / seconds;
    println!("{batches} batches in groups of {group}: {seconds:.1} s, {rate:.0} per second");
    let waiting = store.outbox(Class::Bulk, None, usize::MAX)?.len();
    println!(
        "slowest commit {worst} µs, {} bytes on disk, {waiting} wait",
        store.size_bytes()?
    );
    let at = Instant::now();
    let claimed = store.claim(Class::Bulk, Timestamp(0), 16, 1_000)?.len();
    println!("claimed {claimed} in {} µs", at.elapsed().as_micros());
    let at = Instant::now();
    let next = (store.next_ready(Class::Bulk)?, store.next_timer()?);
    println!(
        "found the next timer in {} µs: {next:?}",
        at.elapsed().as_micros()
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .filter(|line| line.starts_with("VmRSS"))
        .for_each(|line| println!("{line}"));
    drop(store);
    let at = Instant::now();
    drop(SledStore::open(Path::new(&folder))?);
    println!("reopened in {} ms", at.elapsed().as_millis());
    Ok(())
}

fn batch(n: u64) -> Batch {
    let due = Timestamp(n.cast_signed() + 60_000);
    let text = "x".repeat(330);
    let event = json!({"v": 1, "type": "alert", "at": due, "data": {"text": text, "n": n}});
    let row = |table, key: String, text: &str| RowChange {
        table,
        key,
        value: Some(json!({"text": text, "n": n}).into()),
        expires_at: None,
    };
    Batch {
        appends: vec![Append {
            stream: StreamId(format!("incident/{}", n % STREAMS)),
            expected: n / STREAMS,
            events: vec![event],
        }],
        rows: vec![
            row(Table::Alert, format!("prometheus/{n:016x}"), &text),
            row(Table::Tally, format!("incident/{}", n % STREAMS), "tally"),
        ],
        outbox: vec![NewDelivery {
            class: Class::Bulk,
            lane: format!("lane{}", n % LANES),
            coalesce: None,
            not_before: Timestamp(0),
            created_at: Timestamp(0),
            body: json!({"event": n, "plugin": "slack", "incident": n % STREAMS}),
        }],
        timers_set: vec![TimerRow {
            key: TimerKey {
                due,
                kind: "escalation".to_owned(),
                id: format!("{n}"),
            },
            payload: json!({"step": 1}),
        }],
        ..Batch::default()
    }
}
