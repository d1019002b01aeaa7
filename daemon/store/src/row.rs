//! The types of a store: streams, rows, deliveries, timers.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_core::Timestamp;

/// The name of a stream of events, e.g. `incident/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId(pub String);

/// A stored event: an encoded envelope with its version in a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// The first event of a stream has version 1.
    pub version: u64,
    pub event: Value,
}

/// A table of current state. Its number is part of keys on disk and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Table {
    /// Counters and metadata.
    Meta = 1,
    /// Alerts, by integration and fingerprint.
    Alert = 2,
    /// The incident of a key, while it is open or may reopen.
    Key = 3,
    /// Exact counts of an incident's alerts.
    Tally = 4,
    /// Alerts that wait for others before an incident opens.
    Wait = 5,
    Silence = 6,
    /// One row per incident, by number, for lists.
    Summary = 7,
    /// Tokens, by their hash.
    Token = 8,
    /// Plugins' own key-value data.
    PluginKv = 9,
    /// External effects that plugins have started or finished.
    Effect = 10,
    /// Deliveries that were abandoned.
    DeadLetter = 11,
    /// Incidents' ids in other systems, mapped to incidents.
    Reference = 12,
    /// Changes, such as deployments.
    Change = 13,
    /// Responses to handled webhooks, for their senders' retries.
    Webhook = 14,
    /// What silences have hidden, by the silence's id.
    Hidden = 20,
    /// The history of alerts.
    History = 21,
    /// Overrides of on-call rotations that people made.
    Override = 22,
    /// The messages that a person got lately.
    Pager = 23,
    /// Pages that wait to go out to a person.
    PageQueue = 24,
    /// The pages that a message to a person brings.
    Bundle = 25,
    /// When people are out of office, by their calendars.
    Absence = 26,
    /// Tests of the way to a person.
    PageTest = 27,
    /// Contacts of people that are proven to work.
    Proof = 28,
    /// Shifts of which their person was reminded.
    ShiftTold = 29,
    /// How often people were paged, by person and day.
    PageCount = 30,
    /// What people did in their roles, by person.
    RoleTime = 31,
    /// The last changes of a service, by its name.
    ServiceChange = 32,
}

impl Table {
    pub const ALL: [Self; 27] = [
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
        Self::Hidden,
        Self::History,
        Self::Override,
        Self::Pager,
        Self::PageQueue,
        Self::Bundle,
        Self::Absence,
        Self::PageTest,
        Self::Proof,
        Self::ShiftTold,
        Self::PageCount,
        Self::RoleTime,
        Self::ServiceChange,
    ];
}

/// A row's value with its revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Increases with every write of the row, and is never 0; a row that was removed and written
    /// again has a new revision.
    pub revision: u64,
    pub value: Value,
    /// `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// A write of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowChange {
    pub table: Table,
    /// At most [`NAME_BYTES_MAX`](tocsin_core::limits::NAME_BYTES_MAX) × 3 bytes.
    pub key: String,
    /// The new value; `None` removes the row.
    pub value: Option<RowValue>,
    /// `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// A row's new value, as JSON or its text. Rows that are written with every alert use text, to
/// avoid building a JSON tree only to serialize it.
#[derive(Clone, Debug, PartialEq)]
pub enum RowValue {
    Tree(Value),
    /// JSON text, made by [`RowValue::text_of`].
    Text(String),
}

impl RowValue {
    /// Serializes a value.
    ///
    /// # Errors
    /// When JSON cannot represent it, such as a map whose keys are not strings.
    pub fn text_of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(Self::Text)
    }

    /// The value; null if the text is not valid JSON.
    #[must_use]
    pub fn into_value(self) -> Value {
        match self {
            Self::Tree(value) => value,
            Self::Text(text) => serde_json::from_str(&text).unwrap_or_default(),
        }
    }

    /// Compact JSON.
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

/// The class of a delivery. Each class has its own slots, so that a page never queues behind
/// background work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Class {
    /// Pages a person. Never dropped.
    Page = 1,
    /// Asks a person. Never dropped.
    Prompt = 2,
    /// The current state of something: the newest wins.
    State = 3,
    /// Everything else.
    Bulk = 4,
}

impl Class {
    /// Most urgent first.
    pub const ALL: [Self; 4] = [Self::Page, Self::Prompt, Self::State, Self::Bulk];
}

/// Identifies a delivery: stable across retries, restarts and reloads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutboxKey {
    pub class: Class,
    /// Deliveries of one lane are made one at a time, in `seq` order.
    pub lane: String,
    /// The order in the lane, assigned by the store; see [`Batch::outbox`](crate::Batch::outbox).
    pub seq: u64,
}

/// A delivery to queue. The store assigns its number.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDelivery {
    pub class: Class,
    /// See [`OutboxKey::lane`].
    pub lane: String,
    pub coalesce: Option<String>,
    /// The earliest delivery time.
    pub not_before: Timestamp,
    /// When it was queued.
    pub created_at: Timestamp,
    pub body: Value,
}

/// A queued delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxRow {
    pub key: OutboxKey,
    /// For class `State`: identifies the state. A newer row replaces an unclaimed older one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesce: Option<String>,
    /// The earliest delivery time.
    pub not_before: Timestamp,
    /// When it was queued.
    pub created_at: Timestamp,
    /// How many attempts have started.
    #[serde(default)]
    pub attempts: u32,
    /// A reference to what to deliver; the payload is built at delivery, under the clearance at
    /// that time.
    pub body: Value,
}

/// A claim on a delivery and its lane. The fencing number only increases, even across restarts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClaimToken {
    pub key: OutboxKey,
    /// The fencing number.
    pub fence: u64,
}

/// A claimed delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// Used to settle it.
    pub token: ClaimToken,
    /// The row; `attempts` counts this attempt.
    pub row: OutboxRow,
    /// An earlier attempt was never settled (a crash, or an expired lease), so its outcome is
    /// unknown.
    pub interrupted: bool,
}

/// Identifies a timer. The byte order of keys in a store is due order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimerKey {
    pub due: Timestamp,
    /// For example `escalation`.
    pub kind: String,
    /// The owner, for example an incident's id.
    pub id: String,
}

/// A timer that is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimerRow {
    pub key: TimerKey,
    /// Passed back when it fires.
    pub payload: Value,
}
