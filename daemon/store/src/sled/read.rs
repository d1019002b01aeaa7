//! Reads from the tree, in key order.

use std::ops::Bound;

use sled::IVec;
use tocsin_core::Timestamp;

use super::disk::Disk;
use super::keys;
use super::value::{self, Delivery};
use crate::bytes::name_of;
use crate::chunk;
use crate::{
    Class, OutboxKey, OutboxRow, StoreError, Stored, StoredEvent, StreamId, Table, TimerKey,
    TimerRow,
};

pub(super) fn stream(
    disk: &Disk,
    stream: &StreamId,
    after: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let Some(first) = after.checked_add(1) else {
        return Ok(Vec::new());
    };
    let range = keys::event(stream, first)..keys::past_stream(stream);
    let mut events = Vec::new();
    for entry in disk.db.range(range) {
        let (key, bytes) = entry.map_err(|error| disk.io("read", error))?;
        let (_, last) = keys::read_event(&key).ok_or_else(|| unreadable(&key))?;
        let (begin, texts) = unpacked(stream, last, &bytes)?;
        let numbered = (begin..).zip(texts);
        for (version, json) in numbered.filter(|(version, _)| *version > after) {
            if events.len() >= limit {
                return Ok(events);
            }
            let event = value::parse(&json, || format!("event {version} of stream {}", stream.0))?;
            events.push(StoredEvent { version, event });
        }
        if events.len() >= limit {
            break;
        }
    }
    Ok(events)
}

/// The events of one value as JSON, with the version of the first one.
fn unpacked(stream: &StreamId, last: u64, bytes: &[u8]) -> Result<(u64, Vec<Vec<u8>>), StoreError> {
    let corrupt = |reason| StoreError::Corrupt {
        what: format!(
            "event {last} of stream {}, and those in its chunk",
            stream.0
        ),
        reason,
    };
    let texts = chunk::unpack(bytes).map_err(corrupt)?;
    let begin = last.checked_sub(texts.len() as u64).map(|it| it + 1);
    let begin =
        begin.ok_or_else(|| corrupt("it has more events than its version allows".to_owned()))?;
    Ok((begin, texts))
}

/// How many events the stream has.
pub(super) fn version(disk: &Disk, stream: &StreamId) -> Result<u64, StoreError> {
    let last = disk.db.get_lt(keys::past_stream(stream));
    let Some((key, _)) = last.map_err(|error| disk.io("read", error))? else {
        return Ok(0);
    };
    match keys::read_event(&key) {
        Some((found, version)) if found == *stream => Ok(version),
        _ => Ok(0),
    }
}

pub(super) fn streams(
    disk: &Disk,
    after: Option<&StreamId>,
    limit: usize,
) -> Result<Vec<(StreamId, u64)>, StoreError> {
    let mut streams: Vec<(StreamId, u64)> = Vec::new();
    let mut from = after.map_or(vec![keys::STREAM], keys::past_stream);
    while streams.len() < limit {
        let next = disk.db.range(from..vec![keys::STREAM + 1]).next();
        let Some((key, _)) = next.transpose().map_err(|error| disk.io("read", error))? else {
            break;
        };
        let (stream, _) = keys::read_event(&key).ok_or_else(|| unreadable(&key))?;
        let version = version(disk, &stream)?;
        from = keys::past_stream(&stream);
        streams.push((stream, version));
    }
    Ok(streams)
}

pub(super) fn rows(
    disk: &Disk,
    table: Table,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, Stored)>, StoreError> {
    let begin = keys::row(table, prefix);
    let from = match after.map(|after| keys::row(table, after)) {
        Some(after) if after >= begin => Bound::Excluded(after),
        _ => Bound::Included(begin.clone()),
    };
    let mut rows = Vec::new();
    for entry in disk
        .db
        .range((from, Bound::<Vec<u8>>::Unbounded))
        .take(limit)
    {
        let (key, bytes) = entry.map_err(|error| disk.io("read", error))?;
        if !key.starts_with(&begin) {
            break;
        }
        let (_, name) = keys::read_row(&key).ok_or_else(|| unreadable(&key))?;
        let row = value::row(&bytes, || format!("row {table:?}/{name}"))?;
        rows.push((name.to_owned(), row));
    }
    Ok(rows)
}

/// Timers after the given one that are due at `until` or before.
pub(super) fn timers(
    disk: &Disk,
    after: Option<&TimerKey>,
    until: Option<Timestamp>,
    limit: usize,
) -> Result<Vec<TimerRow>, StoreError> {
    let from = after.map_or(Bound::Included(vec![keys::TIMER]), |after| {
        Bound::Excluded(keys::timer(after))
    });
    let mut timers = Vec::new();
    for entry in disk
        .db
        .range((from, Bound::Excluded(vec![keys::TIMER + 1])))
        .take(limit)
    {
        let (key, json) = entry.map_err(|error| disk.io("read", error))?;
        let key = keys::read_timer(&key).ok_or_else(|| unreadable(&key))?;
        if until.is_some_and(|until| key.due > until) {
            break;
        }
        let payload = value::parse(&json, || format!("timer {}/{}", key.kind, key.id))?;
        timers.push(TimerRow { key, payload });
    }
    Ok(timers)
}

pub(super) fn first_timer(disk: &Disk) -> Result<Option<Timestamp>, StoreError> {
    let first = disk.db.scan_prefix([keys::TIMER]).keys().next();
    let Some(key) = first.transpose().map_err(|error| disk.io("read", error))? else {
        return Ok(None);
    };
    let key = keys::read_timer(&key).ok_or_else(|| unreadable(&key))?;
    Ok(Some(key.due))
}

pub(super) fn outbox(
    disk: &Disk,
    class: Class,
    after: Option<&OutboxKey>,
    limit: usize,
) -> Result<Vec<OutboxRow>, StoreError> {
    let begin = vec![keys::OUTBOX, class as u8];
    let from = match after {
        Some(after) if after.class > class => return Ok(Vec::new()),
        Some(after) if after.class == class => Bound::Excluded(keys::outbox(after)),
        _ => Bound::Included(begin.clone()),
    };
    let mut rows = Vec::new();
    for entry in disk
        .db
        .range((from, Bound::<Vec<u8>>::Unbounded))
        .take(limit)
    {
        let (key, bytes) = entry.map_err(|error| disk.io("read", error))?;
        if !key.starts_with(&begin) {
            break;
        }
        let key = keys::read_outbox(&key).ok_or_else(|| unreadable(&key))?;
        let delivery = Delivery::read(&bytes, || format!("delivery {}", name_of(&key)))?;
        rows.push(delivery.into_row(key)?);
    }
    Ok(rows)
}

/// All keys of one kind, with their values.
pub(super) fn all(disk: &Disk, kind: u8) -> impl Iterator<Item = Result<(IVec, IVec), StoreError>> {
    disk.db
        .scan_prefix([kind])
        .map(|entry| entry.map_err(|error| disk.io("read", error)))
}

pub(super) fn unreadable(key: &[u8]) -> StoreError {
    let what = format!("key {}", key.escape_ascii());
    StoreError::Corrupt {
        what,
        reason: "it does not match its kind".to_owned(),
    }
}
