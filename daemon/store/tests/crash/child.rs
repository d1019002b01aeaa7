//! The child process: commits groups until it is killed, and prints the number of each acknowledged
//! batch. It is the test program itself, started again.

use std::io::Write;
use std::path::Path;

use serde_json::json;
use tocsin_core::Timestamp;
use tocsin_store::{
    Append, Batch, Class, NewDelivery, RowChange, Settle, SledStore, Store, StoreError, StreamId,
    Table, TimerKey, TimerRow,
};

/// The store's folder.
pub(crate) const FOLDER: &str = "TOCSIN_CRASH_FOLDER";
/// The number of the first batch.
pub(crate) const FIRST: &str = "TOCSIN_CRASH_FIRST";
/// Batches per group.
pub(crate) const GROUP: u64 = 5;
/// The prefix of a line with an acknowledged number.
pub(crate) const MARK: &str = "acknowledged ";

/// The child; does nothing when started otherwise.
#[test]
#[ignore = "the crash tests start it"]
fn child_of_the_crash_tests() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let mut next: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let store = SledStore::open(Path::new(&folder)).unwrap();
    let mut out = std::io::stdout().lock();
    let error = loop {
        let mut batches: Vec<_> = (next..next + GROUP).map(batch).collect();
        let claims = match store.claim(Class::State, Timestamp(0), 4, 60_000) {
            Ok(claims) => claims,
            Err(error) => break error,
        };
        batches.extend(claims.into_iter().map(|claim| Batch {
            settles: Some(Settle {
                token: claim.token,
                retry_at: None,
            }),
            ..Batch::default()
        }));
        match store.commit(batches) {
            Ok(answers) => answers.into_iter().for_each(|answer| drop(answer.unwrap())),
            Err(error) => break error,
        }
        // One write, so that a kill cannot leave a partial number.
        let lines: String = (next..next + GROUP)
            .map(|n| format!("{MARK}{n}\n"))
            .collect();
        out.write_all(lines.as_bytes()).unwrap();
        out.flush().unwrap();
        next += GROUP;
    };
    let after = [
        store.commit(Vec::new()).unwrap_err(),
        store.claim(Class::Page, Timestamp(0), 1, 1).unwrap_err(),
        store.row(Table::Alert, "x").unwrap_err(),
        store.next_ready(Class::Page).unwrap_err(),
    ];
    if after
        .iter()
        .all(|error| matches!(error, StoreError::Poisoned(_)))
    {
        writeln!(std::io::stderr(), "{error}, then rejects all further calls").unwrap();
    }
}

/// The value in batch `n`. Every seventh is near the limit, so that writes cross sled's segments.
pub(crate) fn text(n: u64) -> String {
    "x".repeat(if n.is_multiple_of(7) { 8_000 } else { 300 })
}

/// The contents of batch `n`, which the audit checks.
fn batch(n: u64) -> Batch {
    let text = text(n);
    let key = format!("{n:010}");
    let outbox = |class| NewDelivery {
        class,
        lane: format!("lane{}", n % 8),
        coalesce: None,
        not_before: Timestamp(0),
        created_at: Timestamp(0),
        body: json!(n),
    };
    Batch {
        appends: vec![
            Append {
                stream: StreamId(key.clone()),
                expected: 0,
                events: vec![json!(text); 3],
            },
            Append {
                stream: StreamId("all".to_owned()),
                expected: n,
                events: vec![json!(n)],
            },
        ],
        rows: vec![RowChange {
            table: Table::Alert,
            key: key.clone(),
            value: Some(json!(text).into()),
            expires_at: None,
        }],
        outbox: vec![outbox(Class::Page), outbox(Class::State)],
        timers_set: vec![TimerRow {
            key: TimerKey {
                due: Timestamp(n.cast_signed()),
                kind: "test".to_owned(),
                id: key,
            },
            payload: json!(n),
        }],
        ..Batch::default()
    }
}
