//! Chunks: several events of an inactive stream in one value. A store's memory and the time to open
//! it grow with the number of keys, and otherwise a finished incident would keep a key for each of
//! its events forever.
//!
//! A chunk is the byte 1, the number of events (four bytes, big-endian), and their JSON texts, each
//! terminated by a line feed, as a raw deflate stream (RFC 1951). JSON text never starts with the
//! byte 1, which distinguishes a chunk from a single event.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::VALUE_BYTES_MAX;

/// The first byte of a chunk: the version of its layout.
const CHUNK: u8 = 1;
const HEAD_BYTES: usize = 5;
const END: u8 = b'\n';

/// One value of a packed stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// How many events it contains.
    pub events: u64,
    /// A chunk, or the JSON of a single event that would not get smaller.
    pub value: Vec<u8>,
}

/// Whether a value is a chunk rather than a single event.
#[must_use]
pub fn is_chunk(value: &[u8]) -> bool {
    value.first() == Some(&CHUNK)
}

/// Packs events, each as JSON without a line feed, into few values of at most
/// [`VALUE_BYTES_MAX`] each.
#[must_use]
pub fn pack(events: &[Vec<u8>]) -> Vec<Packed> {
    pack_within(events, VALUE_BYTES_MAX)
}

/// Like [`pack`], with chunks of at most `chunk_bytes_max`. A single event may be longer.
#[must_use]
pub fn pack_within(events: &[Vec<u8>], chunk_bytes_max: usize) -> Vec<Packed> {
    let mut packed = Vec::new();
    // Usually an incident's whole stream fits at once; otherwise it is split by its size.
    let mut left = vec![events];
    while let Some(events) = left.pop() {
        match events {
            [] => {}
            [one] => packed.push(Packed {
                events: 1,
                value: one.clone(),
            }),
            many => match compressed(many) {
                Some(value) if value.len() <= chunk_bytes_max => packed.push(Packed {
                    events: many.len() as u64,
                    value,
                }),
                value => {
                    let bytes = value.map_or(0, |it| it.len() + it.len() / 4);
                    let parts = bytes.div_ceil(chunk_bytes_max).max(2);
                    let part = many.len().div_ceil(parts);
                    left.extend(many.chunks(part).rev());
                }
            },
        }
    }
    packed
}

/// The JSON of each event in a value, which may be a chunk or a single event.
///
/// # Errors
/// What is wrong with the chunk.
pub fn unpack(value: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    if !is_chunk(value) {
        return Ok(vec![value.to_vec()]);
    }
    let short = || "its chunk is shorter than its header".to_owned();
    let (head, body) = value.split_first_chunk::<HEAD_BYTES>().ok_or_else(short)?;
    let [_, count @ ..] = *head;
    let count = u32::from_be_bytes(count);
    let mut text = Vec::new();
    // A damaged chunk must not exhaust the memory.
    let most = u64::from(count).saturating_mul(VALUE_BYTES_MAX as u64 + 1);
    let read = DeflateDecoder::new(body).take(most).read_to_end(&mut text);
    read.map_err(|error| format!("its chunk cannot be unpacked: {error}"))?;
    let events: Vec<_> = text
        .split_inclusive(|byte| *byte == END)
        .filter_map(|line| line.strip_suffix(&[END]))
        .map(<[u8]>::to_vec)
        .collect();
    if text.last().is_some_and(|byte| *byte != END) {
        return Err("the last event of its chunk is truncated".to_owned());
    }
    match events.len() == count as usize {
        true => Ok(events),
        false => Err(format!(
            "its chunk has {} events instead of {count}",
            events.len()
        )),
    }
}

fn compressed(events: &[Vec<u8>]) -> Option<Vec<u8>> {
    let count = u32::try_from(events.len()).ok()?;
    let mut chunk = vec![CHUNK];
    chunk.extend(count.to_be_bytes());
    let mut encoder = DeflateEncoder::new(chunk, Compression::default());
    for event in events {
        encoder.write_all(event).ok()?;
        encoder.write_all(&[END]).ok()?;
    }
    encoder.finish().ok()
}

#[cfg(test)]
mod tests;
