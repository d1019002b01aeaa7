//! What can go wrong with a store, apart from what can go wrong with one batch.

use thiserror::Error;

/// The store as a whole failed.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A write failed earlier, so what is on the disk is unknown. Nothing more is accepted.
    #[error(
        "the store is poisoned by an earlier write error ({0}); free space or mend the disk, \
         then restart the daemon"
    )]
    Poisoned(String),
    /// The disk or the database refused.
    #[error("{action}: {reason}")]
    Io {
        /// What was tried, naming the file or folder.
        action: String,
        /// What came back.
        reason: String,
    },
    /// There is no room left to write. Nothing was written, so what stands is whole.
    #[error(
        "only {free} bytes are free on the disk of {path}, and below {min} nothing more is \
         written; free space there, then restart the daemon"
    )]
    Full {
        /// The store's folder.
        path: String,
        /// What is free, in bytes.
        free: u64,
        /// What must be free, in bytes.
        min: u64,
    },
    /// What was read is not what was written.
    #[error("{what} cannot be decoded: {reason}; run `tocsin verify` and restore a backup")]
    Corrupt {
        /// The stream, row or key.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A newer release wrote the store.
    #[error(
        "{path} has format {found}, and this release knows up to {known}; run the newer tocsin \
         that wrote it"
    )]
    NewerFormat {
        /// The store's folder.
        path: String,
        found: u32,
        /// The newest format that this release knows.
        known: u32,
    },
    /// The folder belongs to another process.
    #[error("{path} is in use by another tocsin; stop it, or use its API")]
    InUse {
        /// The store's folder.
        path: String,
    },
}

/// One batch was refused; nothing of it was committed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommitError {
    /// A stream, row or claim has moved since it was read: read again and decide again.
    #[error("{what} has changed since it was read (expected {expected}, found {found})")]
    Conflict {
        /// The stream or row.
        what: String,
        /// The version or revision that the batch was decided on.
        expected: u64,
        /// The one that stands.
        found: u64,
    },
    /// The command was committed before; this is what it answered.
    #[error("this command was carried out before")]
    Duplicate(serde_json::Value),
    /// An earlier batch of the group that this one was decided on failed: decide again.
    #[error("an earlier batch of the group that this one needs was refused")]
    Skipped,
    /// The claim that the batch settles is no longer held: its lease ran out and another took it.
    #[error("the claim on {0} is no longer held")]
    Fenced(String),
    /// A timer of `timers_take` is not set: another batch took or cancelled it, and whatever it
    /// was to cause has been seen to.
    #[error("timer {0} was taken or cancelled by another")]
    TimerTaken(String),
    /// A value is larger than [`VALUE_BYTES_MAX`](crate::VALUE_BYTES_MAX), or a list longer than
    /// its limit.
    #[error("{what} takes {size}, more than {max}; make it smaller or split it")]
    TooLarge {
        /// The value or list.
        what: String,
        size: usize,
        max: usize,
    },
}

impl CommitError {
    /// A conflict over `what`, unless it is at the version that was expected.
    pub(crate) fn unless_equal(
        what: impl Fn() -> String,
        expected: u64,
        found: u64,
    ) -> Result<(), Self> {
        if expected == found {
            return Ok(());
        }
        Err(Self::Conflict {
            what: what(),
            expected,
            found,
        })
    }
}
