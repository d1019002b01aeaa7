//! Silences, tokens and overrides of rotations: cached in memory, and changed through the writer.

mod cache;
pub mod on_call;
pub mod silences;
pub mod tokens;
