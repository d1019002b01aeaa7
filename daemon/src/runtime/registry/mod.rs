//! What is kept in memory beside its rows and changed through the writer: silences and tokens.

mod cache;
pub mod silences;
pub mod tokens;
