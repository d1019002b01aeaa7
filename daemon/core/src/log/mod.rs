//! The incident's log entries, and its references to other systems.

mod entry;
mod state;
mod write;

pub use entry::{LogDraft, LogKind, Ref, UnknownLogKind, Written};
pub(crate) use state::{fold, narrate, notice};
pub(crate) use write::write;
