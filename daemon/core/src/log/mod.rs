//! The incident's log: the lines that people write, and what the incident is called elsewhere.

mod entry;
mod state;
mod write;

pub use entry::{LogKind, Ref, UnknownLogKind};
pub(crate) use state::{fold, narrate, notice};
pub(crate) use write::write;
