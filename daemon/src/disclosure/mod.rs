//! What a receiver may see of an incident. [`Disclosed`] is the only way from an incident to text
//! that leaves the daemon: payloads for plugins, mail, the acknowledge page, the API and chat.
//!
//! Clearance is checked when the text is made and never earlier, so flagging an incident late
//! also hides what has not been delivered yet. This module depends on the core and on the types
//! of the plugin interface; whoever calls it brings the incident, its events and the people.

mod clearance;
mod incident;
mod plugin;
mod timeline;
pub mod wit;

pub use clearance::Clearance;
pub use incident::{Disclosed, DisclosedLine, Summary};
pub use plugin::{Change, PluginReceiver};
pub use timeline::{TimelineEntry, timeline};

/// The title of a security incident for a receiver without clearance.
pub const REDACTED_TITLE: &str = "A security incident";

#[cfg(test)]
mod tests;
