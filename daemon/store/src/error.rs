//! Errors of a store as a whole, and of a single batch.

use thiserror::Error;

/// A failure of the store as a whole.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A write failed earlier, so the state on disk is unknown. Nothing more is accepted.
    #[error(
        "the store is poisoned by an earlier write error ({0}); free space or repair the disk, \
         then restart the daemon"
    )]
    Poisoned(String),
    /// An error of the disk or the database.
    #[error("{action}: {reason}")]
    Io {
        /// The attempted action, with the file or folder.
        action: String,
        /// The underlying error.
        reason: String,
    },
    /// The disk is almost full. Nothing was written, so the store is intact.
    #[error(
        "only {free} bytes are free on the disk of {path}, and below {min} nothing more is \
         written; free space there, then restart the daemon"
    )]
    Full {
        /// The store's folder.
        path: String,
        /// Free space, in bytes.
        free: u64,
        /// Required free space, in bytes.
        min: u64,
    },
    /// The data that was read is damaged.
    #[error("{what} cannot be decoded: {reason}; run `tocsin verify` and restore a backup")]
    Corrupt {
        /// The stream, row or key.
        what: String,
        reason: String,
    },
    /// A newer release wrote the store.
    #[error(
        "{path} has format {found}, and this release supports up to {known}; run the newer tocsin \
         that wrote it"
    )]
    NewerFormat {
        /// The store's folder.
        path: String,
        found: u32,
        /// The newest format that this release supports.
        known: u32,
    },
    /// The folder belongs to another process.
    #[error("{path} is in use by another tocsin; stop it, or use its API")]
    InUse {
        /// The store's folder.
        path: String,
    },
}

/// Why a batch was rejected; nothing of it was committed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommitError {
    /// A stream, row or claim has changed since it was read: read and decide again.
    #[error("{what} has changed since it was read (expected {expected}, found {found})")]
    Conflict {
        /// The stream or row.
        what: String,
        /// The version or revision that the batch was based on.
        expected: u64,
        /// The current one.
        found: u64,
    },
    /// The command was committed before, with this result.
    #[error("this command was carried out before")]
    Duplicate(serde_json::Value),
    /// An earlier batch of the group that this one depends on failed: decide again.
    #[error("an earlier batch of the group that this one needs was refused")]
    Skipped,
    /// The claim that the batch settles is no longer valid: its lease expired and another took it.
    #[error("the claim on {0} is no longer valid")]
    Fenced(String),
    /// A timer of `timers_take` is not set: another batch took or cancelled it, so its firing has
    /// been handled.
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
