//! Silences and tokens: cached in memory, and changed through the writer.

mod cache;
pub mod silences;
pub mod tokens;
