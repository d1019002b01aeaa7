//! The tables of current state: one file a table, with its key, its row and how both are read.

pub mod change;
pub mod summary;
