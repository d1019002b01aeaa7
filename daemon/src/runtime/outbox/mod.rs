//! What is owed to the outside: deliveries to plugins and mailboxes, and what became of each.

pub mod backoff;
pub mod deliver;
pub mod delivery;
pub mod mail;
pub mod outcome;
pub mod payload;
