//! The daemon's side of its plugins: what they keep, what they ask of the engine, and which of
//! them hear of what.

mod blob;
mod commands;
mod effects;
mod jobs;
mod kv;
mod services;

pub use services::DaemonServices;

use std::collections::BTreeSet;

use tocsin_plugin_host::LoadedPlugin;

use crate::runtime::{Subscriber, Subscribers};

/// The kinds of events that the daemon sends.
const EVENT_KINDS: [&str; 8] = [
    "incident-opened",
    "incident-changed",
    "log-added",
    "page",
    "prompt",
    "settled",
    "job",
    "document-ready",
];

/// Who hears of what, among the loaded plugins.
#[must_use]
pub fn subscribers(plugins: &[LoadedPlugin]) -> Subscribers {
    let one = |plugin: &LoadedPlugin| {
        let wanted = EVENT_KINDS.into_iter().filter(|kind| plugin.wants(kind));
        Subscriber {
            plugin: plugin.id().into(),
            events: wanted.map(ToOwned::to_owned).collect::<BTreeSet<_>>(),
            contacts: plugin.contacts().into_iter().collect(),
        }
    };
    Subscribers(plugins.iter().map(one).collect())
}
