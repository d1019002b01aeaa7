//! Silences and tokens: cached in memory, and changed through the writer.

pub mod silences;
pub mod tokens;
