//! Limits on what a store accepts, and on the free space of its disk.

use crate::CommitError;

/// Largest value in a store, in bytes. sled stores larger ones outside of its log, in files that
/// are written without fsync, so a store rejects them.
pub const VALUE_BYTES_MAX: usize = 8 * 1024;
/// Most streams that one batch appends to.
pub const APPENDS_MAX: usize = 4;
/// Most streams that one batch packs.
pub const PACKS_MAX: usize = 64;
/// Most values of a stream that one batch packs; later ones are unchanged.
pub const PACK_VALUES_MAX: usize = 8 * 1024;
/// Most batches in one commit. A larger group is rejected as a whole: each of its batches fails
/// with [`CommitError::TooLarge`].
pub const GROUP_BATCHES_MAX: usize = 1_024;
/// Longest key of a row or command, and longest name of a stream, lane or timer, in bytes.
pub const KEY_BYTES_MAX: usize = 3 * tocsin_core::limits::NAME_BYTES_MAX;

/// With less than this free on a store's disk, in bytes, the store still works, but the operator
/// should be warned.
pub const FREE_BYTES_LOW: u64 = 256 * 1024 * 1024;

/// With less than this free on a store's disk, in bytes, nothing more is written. A partial write
/// would leave a log that has to be repaired, so the store stops before; the rest is for the
/// operator to work with, and for a few groups in progress.
pub const FREE_BYTES_MIN: u64 = 16 * 1024 * 1024;

/// The error for a group of this length, if it is too long.
pub(crate) fn group_too_large(len: usize) -> Option<CommitError> {
    let what = "the group of batches".to_owned();
    let refusal = CommitError::TooLarge {
        what,
        size: len,
        max: GROUP_BATCHES_MAX,
    };
    (len > GROUP_BATCHES_MAX).then_some(refusal)
}
