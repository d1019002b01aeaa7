//! What a receiver may see of an incident. All text about incidents that leaves the daemon is made
//! from [`Disclosed`]: payloads for plugins, mail, the acknowledge page, the API and chat.
//!
//! Clearance is checked when the text is made and never earlier, so a late security flag also
//! hides what has not been delivered yet. This module depends only on the core, on the types of the
//! plugin interface and on how times and text are shown; callers pass in the incident, its events
//! and the people.

mod address;
mod clearance;
mod code_name;
mod company;
mod decisions;
mod incident;
pub mod page;
mod plugin;
mod timeline;
pub mod wit;

pub use address::shortened;
pub use clearance::Clearance;
pub use company::company_view;
pub use decisions::{Decision, decisions};
pub use incident::{Disclosed, DisclosedLine, Summary};
pub use plugin::{PluginReceiver, StateChange};
pub use timeline::{TimelineEntry, timeline};

/// The title of the security incident with this number, for a receiver without clearance.
#[must_use]
pub fn redacted_title(number: u64) -> String {
    format!("Security incident {}", code_name::code_name(number))
}

#[cfg(test)]
mod tests;
