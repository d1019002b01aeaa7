//! Public updates on Atlassian Statuspage.
//!
//! Nothing about an incident reaches the page until somebody posts an update for the public; that
//! creates the page's incident, and each further one is posted to it ([`publish`]). From then on
//! its status, its impact and its components follow the incident ([`follow`]), so that the page
//! does not stay red when the incident is over. A security incident says only what such updates
//! say, and a drill nothing.
//!
//! Statuspage has no idempotency keys, and whatever is sent twice is mailed twice to every
//! subscriber. So each incident carries ours and the updates that it has in its metadata; what is
//! about to be sent is recorded first; and while its outcome is unknown, the page is read before
//! anything is sent again ([`work`]).
#![forbid(unsafe_code)]

mod api;
mod claim;
mod components;
#[cfg(test)]
mod contract;
mod follow;
mod merged;
mod page;
mod publish;
mod row;
mod settings;
#[cfg(test)]
mod tests;
mod wanted;
mod work;

use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{
    Audience, Delivery, Descriptor, Event, EventBody, Failure, HealthReport, Issue, Outcome,
};
use tocsin_plugin_sdk::{Plugin, export_plugin};

/// The event kinds that are handled; must match the manifest.
const EVENTS: [&str; 2] = ["incident-changed", "update-posted"];

/// The plugin.
#[derive(Debug)]
pub struct Statuspage;

export_plugin!(Statuspage);

impl Plugin for Statuspage {
    fn describe() -> Descriptor {
        Descriptor {
            id: "statuspage".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            events: EVENTS.map(Into::into).to_vec(),
        }
    }

    fn check_config(config: &Value) -> Vec<Issue> {
        settings::check(config)
    }

    fn on_event(event: Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        match &event.body {
            EventBody::UpdatePosted(update) if update.audience == Audience::Public => {
                publish::posted(update, event.seq, delivery)
            }
            EventBody::IncidentChanged(change) => follow::changed(change, delivery),
            _ => Ok(Outcome::Ignored),
        }
    }

    fn health() -> HealthReport {
        match api::Api::without_deadline().probe() {
            Ok(()) => HealthReport::Ok,
            Err(error) => match error.into_failure() {
                Failure::Retry(hint) => HealthReport::Degraded(hint.reason),
                Failure::Permanent(why) | Failure::Misconfigured(why) => HealthReport::Failing(why),
            },
        }
    }
}
