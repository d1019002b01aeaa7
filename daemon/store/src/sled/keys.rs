//! Keys on disk. Everything is in one tree, so that one batch of sled is one atomic commit; the
//! first byte is the kind of the key.
//!
//! A name that is not last in a key is written with every 0 byte as `00 ff` and ends with `00 01`,
//! as in FoundationDB's tuple encoding: byte order is then the order of the names, even if one is
//! a prefix of another. An event's key ends with the version of the last event in its value, so
//! that a stream can be stored as chunks under the same keys.

use tocsin_core::Timestamp;

use crate::{Class, OutboxKey, StreamId, Table, TimerKey};

pub(super) const COMMAND: u8 = b'c';
pub(super) const META: u8 = b'm';
pub(super) const OUTBOX: u8 = b'o';
pub(super) const ROW: u8 = b'r';
pub(super) const STREAM: u8 = b's';
pub(super) const TIMER: u8 = b't';

/// The row of meta that holds the format's version.
pub(super) const FORMAT: &[u8] = b"mformat";
/// The row of meta that holds the counters.
pub(super) const COUNTERS: &[u8] = b"mcounters";
const _: () = assert!(FORMAT[0] == META && COUNTERS[0] == META);

const ZERO: [u8; 2] = [0x00, 0xff];
const END: [u8; 2] = [0x00, 0x01];
const PAST_END: [u8; 2] = [0x00, 0x02];

pub(super) fn command(key: &str) -> Vec<u8> {
    [&[COMMAND], key.as_bytes()].concat()
}

pub(super) fn row(table: Table, key: &str) -> Vec<u8> {
    [&[ROW, table as u8], key.as_bytes()].concat()
}

/// The table and name of a row's key.
pub(super) fn read_row(key: &[u8]) -> Option<(Table, &str)> {
    let (table, name) = key.strip_prefix(&[ROW])?.split_first()?;
    let table = Table::ALL
        .into_iter()
        .find(|known| *known as u8 == *table)?;
    Some((table, std::str::from_utf8(name).ok()?))
}

pub(super) fn event(stream: &StreamId, version: u64) -> Vec<u8> {
    let mut bytes = vec![STREAM];
    push_name(&mut bytes, &stream.0);
    bytes.extend(version.to_be_bytes());
    bytes
}

/// A key after every event of the stream, and before the next stream.
pub(super) fn past_stream(stream: &StreamId) -> Vec<u8> {
    let mut bytes = vec![STREAM];
    push_name(&mut bytes, &stream.0);
    let name = bytes.len() - END.len();
    bytes.truncate(name);
    bytes.extend(PAST_END);
    bytes
}

/// The stream and version of an event's key.
pub(super) fn read_event(key: &[u8]) -> Option<(StreamId, u64)> {
    let (name, rest) = read_name(key.strip_prefix(&[STREAM])?)?;
    Some((StreamId(name), u64::from_be_bytes(rest.try_into().ok()?)))
}

pub(super) fn outbox(key: &OutboxKey) -> Vec<u8> {
    let mut bytes = vec![OUTBOX, key.class as u8];
    push_name(&mut bytes, &key.lane);
    bytes.extend(key.seq.to_be_bytes());
    bytes
}

pub(super) fn read_outbox(key: &[u8]) -> Option<OutboxKey> {
    let (class, rest) = key.strip_prefix(&[OUTBOX])?.split_first()?;
    let class = Class::ALL
        .into_iter()
        .find(|known| *known as u8 == *class)?;
    let (lane, rest) = read_name(rest)?;
    Some(OutboxKey {
        class,
        lane,
        seq: u64::from_be_bytes(rest.try_into().ok()?),
    })
}

pub(super) fn timer(key: &TimerKey) -> Vec<u8> {
    let mut bytes = vec![TIMER];
    bytes.extend(time(key.due));
    push_name(&mut bytes, &key.kind);
    push_name(&mut bytes, &key.id);
    bytes
}

pub(super) fn read_timer(key: &[u8]) -> Option<TimerKey> {
    let (due, rest) = key.strip_prefix(&[TIMER])?.split_first_chunk::<8>()?;
    let (kind, rest) = read_name(rest)?;
    let (id, rest) = read_name(rest)?;
    let due = Timestamp((u64::from_be_bytes(*due) ^ SIGN).cast_signed());
    rest.is_empty().then_some(TimerKey { due, kind, id })
}

const SIGN: u64 = 1 << 63;

/// Eight bytes in chronological order, including times before 1970.
fn time(at: Timestamp) -> [u8; 8] {
    (at.0.cast_unsigned() ^ SIGN).to_be_bytes()
}

fn push_name(bytes: &mut Vec<u8>, name: &str) {
    for byte in name.bytes() {
        match byte {
            0 => bytes.extend(ZERO),
            _ => bytes.push(byte),
        }
    }
    bytes.extend(END);
}

/// A name and the rest of the bytes.
fn read_name(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut name = Vec::new();
    let mut rest = bytes;
    loop {
        let zero = rest.iter().position(|byte| *byte == 0)?;
        name.extend(&rest[..zero]);
        let mark = rest.get(zero..zero + 2)?;
        rest = &rest[zero + 2..];
        match mark {
            mark if *mark == ZERO => name.push(0),
            mark if *mark == END => return Some((String::from_utf8(name).ok()?, rest)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests;
