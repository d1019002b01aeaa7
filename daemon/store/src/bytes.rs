//! Encodes batches as bytes and checks all size limits, so that all stores accept the same values.

use serde_json::Value;
use tocsin_core::limits::NAME_BYTES_MAX;

use crate::{APPENDS_MAX, Batch, CommitError, KEY_BYTES_MAX, PACKS_MAX, RowValue, VALUE_BYTES_MAX};

/// Most bytes of values in one batch: a batch is written in one piece, which must fit into memory
/// together with others.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

const _: () = assert!(KEY_BYTES_MAX == 3 * NAME_BYTES_MAX);

/// The values of a batch as bytes, in the batch's order.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) appends: Vec<Vec<Vec<u8>>>,
    pub(crate) rows: Vec<Option<Vec<u8>>>,
    pub(crate) outbox: Vec<Vec<u8>>,
    pub(crate) timers: Vec<Vec<u8>>,
    pub(crate) command: Option<Vec<u8>>,
}

impl Encoded {
    /// Encodes a batch, and rejects it if anything in it is too large.
    pub(crate) fn of(batch: &Batch) -> Result<Self, CommitError> {
        check_names(batch)?;
        let mut total = 0;
        let mut fits = |what: &dyn Fn() -> String, bytes: Vec<u8>| {
            total += bytes.len();
            check(what, bytes.len(), VALUE_BYTES_MAX)?;
            check(&|| "the batch".to_owned(), total, BATCH_BYTES_MAX)?;
            Ok(bytes)
        };
        let mut appends = Vec::with_capacity(batch.appends.len());
        for append in &batch.appends {
            let what = || format!("an event of stream {}", append.stream.0);
            let events = append
                .events
                .iter()
                .map(|event| fits(&what, bytes_of(event)));
            appends.push(events.collect::<Result<_, CommitError>>()?);
        }
        let mut rows = Vec::with_capacity(batch.rows.len());
        for row in &batch.rows {
            let what = || format!("row {:?}/{}", row.table, row.key);
            let value = row.value.as_ref().map(RowValue::to_bytes);
            rows.push(value.map(|bytes| fits(&what, bytes)).transpose()?);
        }
        let mut outbox = Vec::with_capacity(batch.outbox.len());
        for row in &batch.outbox {
            outbox.push(fits(
                &|| format!("a delivery of {:?}/{}", row.class, row.lane),
                bytes_of(&row.body),
            )?);
        }
        let mut timers = Vec::with_capacity(batch.timers_set.len());
        for timer in &batch.timers_set {
            let what = || format!("timer {}/{}", timer.key.kind, timer.key.id);
            timers.push(fits(&what, bytes_of(&timer.payload))?);
        }
        let command = batch.command.as_ref().map(|command| {
            fits(
                &|| format!("the result of command {}", command.key.0),
                bytes_of(&command.result),
            )
        });
        Ok(Self {
            appends,
            rows,
            outbox,
            timers,
            command: command.transpose()?,
        })
    }
}

/// A delivery's key for messages.
pub(crate) fn name_of(key: &crate::OutboxKey) -> String {
    format!("{:?}/{}/{}", key.class, key.lane, key.seq)
}

/// A timer's key for messages.
pub(crate) fn timer_name(key: &crate::TimerKey) -> String {
    format!("{}/{} of {}", key.kind, key.id, key.due)
}

/// Compact JSON.
fn bytes_of(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn check(what: &dyn Fn() -> String, size: usize, max: usize) -> Result<(), CommitError> {
    if size > max {
        Err(CommitError::TooLarge {
            what: what(),
            size,
            max,
        })
    } else {
        Ok(())
    }
}

fn check_names(batch: &Batch) -> Result<(), CommitError> {
    check(
        &|| "the batch's list of appends".to_owned(),
        batch.appends.len(),
        APPENDS_MAX,
    )?;
    check(
        &|| "the batch's list of packs".to_owned(),
        batch.packs.len(),
        PACKS_MAX,
    )?;
    let appended = batch.appends.iter().map(|append| &append.stream);
    let packed = batch.packs.iter().map(|pack| &pack.stream);
    let streams = appended
        .chain(packed)
        .map(|stream| ("a stream's name", &stream.0));
    let rows = batch.rows.iter().map(|row| ("a row's key", &row.key));
    let lanes = batch
        .outbox
        .iter()
        .map(|row| ("a delivery's lane", &row.lane));
    let merged = batch.outbox.iter().filter_map(|row| row.coalesce.as_ref());
    let timers = batch.timers_set.iter();
    let kinds = timers
        .clone()
        .map(|timer| ("a timer's kind", &timer.key.kind));
    let ids = timers.map(|timer| ("a timer's id", &timer.key.id));
    let command = batch
        .command
        .iter()
        .map(|command| ("a command's key", &command.key.0));
    let named = streams
        .chain(rows)
        .chain(lanes)
        .chain(kinds)
        .chain(ids)
        .chain(command);
    for (what, name) in named.chain(merged.map(|name| ("a coalesce key", name))) {
        check(&|| what.to_owned(), name.len(), KEY_BYTES_MAX)?;
    }
    Ok(())
}
