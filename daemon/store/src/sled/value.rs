//! Values on disk: a header for the store itself, then the JSON. So a claim or a retry rewrites a
//! few bytes and only parses what it returns.

use serde_json::Value;
use tocsin_core::Timestamp;

use crate::{OutboxKey, OutboxRow, StoreError, Stored};

/// The header of a row: its revision and its expiry.
pub(super) struct RowHead {
    pub(super) revision: u64,
    pub(super) expires_at: Option<Timestamp>,
}

pub(super) fn write_row(head: &RowHead, json: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(17 + json.len());
    bytes.push(u8::from(head.expires_at.is_some()));
    bytes.extend(head.revision.to_be_bytes());
    bytes.extend(head.expires_at.unwrap_or_default().0.to_be_bytes());
    bytes.extend(json);
    bytes
}

pub(super) fn row_head(bytes: &[u8], what: impl Fn() -> String) -> Result<RowHead, StoreError> {
    read_row(bytes)
        .map(|(head, _)| head)
        .ok_or_else(|| short(what()))
}

pub(super) fn row(bytes: &[u8], what: impl Fn() -> String) -> Result<Stored, StoreError> {
    let (
        RowHead {
            revision,
            expires_at,
        },
        json,
    ) = read_row(bytes).ok_or_else(|| short(what()))?;
    Ok(Stored {
        revision,
        value: parse(json, what)?,
        expires_at,
    })
}

fn read_row(bytes: &[u8]) -> Option<(RowHead, &[u8])> {
    let (expires, rest) = bytes.split_first()?;
    let (revision, rest) = rest.split_first_chunk::<8>()?;
    let (at, json) = rest.split_first_chunk::<8>()?;
    let expires_at = (*expires == 1).then_some(Timestamp(i64::from_be_bytes(*at)));
    Some((
        RowHead {
            revision: u64::from_be_bytes(*revision),
            expires_at,
        },
        json,
    ))
}

pub(super) fn write_command(expires_at: Timestamp, json: &[u8]) -> Vec<u8> {
    [&expires_at.0.to_be_bytes(), json].concat()
}

pub(super) fn command(bytes: &[u8], key: &str) -> Result<Value, StoreError> {
    let what = || format!("the result of command {key}");
    let (_, json) = bytes
        .split_first_chunk::<8>()
        .ok_or_else(|| short(what()))?;
    parse(json, what)
}

pub(super) fn command_expires(bytes: &[u8]) -> Option<Timestamp> {
    let (at, _) = bytes.split_first_chunk::<8>()?;
    Some(Timestamp(i64::from_be_bytes(*at)))
}

/// A delivery with its body as unparsed bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Delivery {
    /// An attempt started and was not settled.
    pub(super) begun: bool,
    pub(super) not_before: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) attempts: u32,
    pub(super) coalesce: Option<String>,
    pub(super) body: Vec<u8>,
}

const BEGUN: u8 = 1;
const COALESCES: u8 = 2;

impl Delivery {
    pub(super) fn write(&self) -> Vec<u8> {
        let name = self.coalesce.as_deref().unwrap_or_default().as_bytes();
        let mut bytes = Vec::with_capacity(23 + name.len() + self.body.len());
        let coalesces = if self.coalesce.is_some() {
            COALESCES
        } else {
            0
        };
        bytes.push(coalesces | u8::from(self.begun));
        bytes.extend(self.not_before.0.to_be_bytes());
        bytes.extend(self.created_at.0.to_be_bytes());
        bytes.extend(self.attempts.to_be_bytes());
        // proof: keys longer than KEY_BYTES_MAX were refused, so the length fits
        bytes.extend((name.len() as u16).to_be_bytes());
        bytes.extend(name);
        bytes.extend(&self.body);
        bytes
    }

    pub(super) fn read(bytes: &[u8], what: impl Fn() -> String) -> Result<Self, StoreError> {
        Self::parts(bytes).ok_or_else(|| short(what()))
    }

    fn parts(bytes: &[u8]) -> Option<Self> {
        let (flags, rest) = bytes.split_first()?;
        let (not_before, rest) = rest.split_first_chunk::<8>()?;
        let (created_at, rest) = rest.split_first_chunk::<8>()?;
        let (attempts, rest) = rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (name, body) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let name = String::from_utf8(name.to_vec()).ok()?;
        Some(Self {
            begun: flags & BEGUN != 0,
            not_before: Timestamp(i64::from_be_bytes(*not_before)),
            created_at: Timestamp(i64::from_be_bytes(*created_at)),
            attempts: u32::from_be_bytes(*attempts),
            coalesce: (flags & COALESCES != 0).then_some(name),
            body: body.to_vec(),
        })
    }

    pub(super) fn into_row(self, key: OutboxKey) -> Result<OutboxRow, StoreError> {
        let body = parse(&self.body, || {
            format!("delivery {}", crate::bytes::name_of(&key))
        })?;
        let Self {
            not_before,
            created_at,
            attempts,
            coalesce,
            ..
        } = self;
        Ok(OutboxRow {
            key,
            coalesce,
            not_before,
            created_at,
            attempts,
            body,
        })
    }
}

pub(super) fn parse(json: &[u8], what: impl Fn() -> String) -> Result<Value, StoreError> {
    serde_json::from_slice(json).map_err(|error| StoreError::Corrupt {
        what: what(),
        reason: error.to_string(),
    })
}

fn short(what: String) -> StoreError {
    StoreError::Corrupt {
        what,
        reason: "it is shorter than its header".to_owned(),
    }
}
