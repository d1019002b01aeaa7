//! The storage of incidents, alerts, timers and deliveries.
//!
//! One [`Store`] contains everything that must survive a power cut. The outcome of a decision is
//! one [`Batch`], which commits atomically, so no incident exists without its page and no page
//! without its incident. The database is encapsulated: no type of sled is public here, and one
//! conformance suite tests every store against the same contract.

#![forbid(unsafe_code)]

mod batch;
mod bytes;
pub mod chunk;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod contract;
pub mod encoding;
mod error;
mod feed;
mod limits;
mod memory;
mod row;
mod sled;
mod verify;

pub use batch::{Append, Batch, CommandKey, CommandResult, Committed, Guard, Pack, Settle};
pub use bytes::BATCH_BYTES_MAX;
pub use contract::Store;
pub use error::{CommitError, StoreError};
pub use feed::{Changed, FEED_CHANGES_KEPT, FEED_CHANGES_MAX, FEED_COMMITS_KEPT, Feed, Position};
pub use limits::{
    APPENDS_MAX, FREE_BYTES_LOW, FREE_BYTES_MIN, GROUP_BATCHES_MAX, KEY_BYTES_MAX, PACK_VALUES_MAX,
    PACKS_MAX, VALUE_BYTES_MAX,
};
pub use memory::MemoryStore;
pub use row::{
    ClaimToken, Claimed, Class, NewDelivery, OutboxKey, OutboxRow, RowChange, RowValue, Stored,
    StoredEvent, StreamId, Table, TimerKey, TimerRow,
};

pub use self::sled::SledStore;
pub use verify::{FAULTS_MAX, VerifyReport, verify, verify_events};
