//! The rows of a store: current state, deliveries that wait, timers that are set.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_core::Timestamp;

/// The name of a stream of events, e.g. `incident/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId(pub String);

/// An event as it is kept: an encoded envelope at its place in a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Its place: the first event of a stream has version 1.
    pub version: u64,
    pub event: Value,
}

/// A table of current state. Its number is part of a key on the disk and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Table {
    /// Counters and the store's own facts.
    Meta = 1,
    /// Alerts, by integration and fingerprint.
    Alert = 2,
    /// The incident of a key, while it is open or may reopen.
    Key = 3,
    /// Exact tallies of an incident's alerts.
    Tally = 4,
    /// Alerts that wait for company before they open an incident.
    Wait = 5,
    Silence = 6,
    /// One line per incident, by number: what lists are made of.
    Summary = 7,
    /// Tokens, by their hash.
    Token = 8,
    /// What plugins keep for themselves.
    PluginKv = 9,
    /// Effects that plugins have begun or finished.
    Effect = 10,
    /// Deliveries that were given up.
    DeadLetter = 11,
    /// What incidents are called elsewhere: reference to incident.
    Reference = 12,
    /// Changes, such as deployments.
    Change = 13,
    /// Answers of webhooks that were handled, for their sender's retries.
    Webhook = 14,
}

impl Table {
    pub const ALL: [Self; 14] = [
        Self::Meta,
        Self::Alert,
        Self::Key,
        Self::Tally,
        Self::Wait,
        Self::Silence,
        Self::Summary,
        Self::Token,
        Self::PluginKv,
        Self::Effect,
        Self::DeadLetter,
        Self::Reference,
        Self::Change,
        Self::Webhook,
    ];
}

/// A row's value with its revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Grows with every write of the row, and is never 0; a row that was removed and written
    /// again has a revision that it never had before.
    pub revision: u64,
    pub value: Value,
    /// When the row may be forgotten.
    pub expires_at: Option<Timestamp>,
}

/// A write of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowChange {
    pub table: Table,
    /// The row's key: at most [`NAME_BYTES_MAX`](tocsin_core::limits::NAME_BYTES_MAX) × 3 bytes.
    pub key: String,
    /// The new value; `None` removes the row.
    pub value: Option<RowValue>,
    /// When the row may be forgotten; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// A row's new value: JSON, or the text of it. What is written with every alert comes as text, so
/// that nobody makes a tree of it only to write the tree down.
#[derive(Clone, Debug, PartialEq)]
pub enum RowValue {
    Tree(Value),
    /// Its text, made by [`RowValue::text_of`].
    Text(String),
}

impl RowValue {
    /// The text of a value.
    ///
    /// # Errors
    /// When it is none that JSON has, such as a map whose keys are no text.
    pub fn text_of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(Self::Text)
    }

    /// The value; null for a text that nobody made of one.
    #[must_use]
    pub fn into_value(self) -> Value {
        match self {
            Self::Tree(value) => value,
            Self::Text(text) => serde_json::from_str(&text).unwrap_or_default(),
        }
    }

    /// JSON without spaces.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Tree(value) => value.to_string().into_bytes(),
            Self::Text(text) => text.clone().into_bytes(),
        }
    }
}

impl From<Value> for RowValue {
    fn from(value: Value) -> Self {
        Self::Tree(value)
    }
}

/// The class of a delivery. Classes have slots of their own, so that a page never queues behind
/// a chore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Class {
    /// Wakes a person up. Never dropped.
    Page = 1,
    /// Asks a person. Never dropped.
    Prompt = 2,
    /// How something stands now: the newest wins.
    State = 3,
    /// Everything else.
    Bulk = 4,
}

impl Class {
    /// Every class, most urgent first.
    pub const ALL: [Self; 4] = [Self::Page, Self::Prompt, Self::State, Self::Bulk];
}

/// The name of a delivery: stable over retries, restarts and reloads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutboxKey {
    pub class: Class,
    /// Deliveries of one lane go out one after the other, in `seq` order.
    pub lane: String,
    /// The place in the lane. The store assigns it; see
    /// [`Batch::outbox`](crate::Batch::outbox).
    pub seq: u64,
}

/// A delivery to queue, ready from `not_before` on. The store assigns its number.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDelivery {
    pub class: Class,
    /// Its lane; see [`OutboxKey::lane`].
    pub lane: String,
    pub coalesce: Option<String>,
    /// Not to be delivered earlier.
    pub not_before: Timestamp,
    /// When it was queued.
    pub created_at: Timestamp,
    pub body: Value,
}

/// A delivery that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxRow {
    pub key: OutboxKey,
    /// For class `State`: what it is the state of. A newer row replaces an unclaimed older one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesce: Option<String>,
    /// Not to be delivered earlier.
    pub not_before: Timestamp,
    /// When it was queued.
    pub created_at: Timestamp,
    /// How many attempts have begun.
    #[serde(default)]
    pub attempts: u32,
    /// What to deliver: a reference, not a payload, which is built under the clearance that
    /// holds when it is delivered.
    pub body: Value,
}

/// A claim on a delivery and its lane. The fencing number only rises, also over restarts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClaimToken {
    pub key: OutboxKey,
    /// The fencing number.
    pub fence: u64,
}

/// A claimed delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// To settle it with.
    pub token: ClaimToken,
    /// The row; `attempts` counts this attempt.
    pub row: OutboxRow,
    /// An earlier attempt began and was never settled (a crash, or a lease that ran out): its
    /// outcome is unknown.
    pub interrupted: bool,
}

/// The name of a timer. Its byte order in a store is due order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimerKey {
    pub due: Timestamp,
    /// What it is for, e.g. `escalation`.
    pub kind: String,
    /// Whose it is, e.g. an incident's id.
    pub id: String,
}

/// A timer that is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimerRow {
    pub key: TimerKey,
    /// What the core wants back when it fires.
    pub payload: Value,
}
