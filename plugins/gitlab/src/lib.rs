//! Issues in GitLab for incidents, and deployments and other changes from it.
//!
//! GitLab's API has no idempotency keys. So what is created carries a marker in an HTML comment,
//! and an attempt whose outcome is unknown is looked for by its marker before another is made
//! ([`once`]). An incident has one issue, which is brought to the incident's current state whatever
//! event comes ([`issue`]). [`text`] keeps what others wrote from acting in GitLab.
//!
//! A webhook only queues jobs ([`hooks`]): GitLab does not send it again.
#![forbid(unsafe_code)]

mod api;
mod changes;
#[cfg(test)]
mod contract;
mod follow_ups;
mod hooks;
mod issue;
mod jobs;
mod notes;
mod once;
mod remarks;
mod settings;
#[cfg(test)]
mod tests;
mod text;
mod time;

use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{
    Delivery, Descriptor, Event, EventBody, Failure, HealthReport, Issue, Outcome, WebhookRequest,
    WebhookResponse,
};
use tocsin_plugin_sdk::{Plugin, config, export_plugin};

/// The event kinds that are handled; must match the manifest.
const EVENTS: [&str; 4] = [
    "incident-opened",
    "incident-changed",
    "update-posted",
    "job",
];

/// The plugin.
#[derive(Debug)]
pub struct GitLab;

export_plugin!(GitLab);

impl Plugin for GitLab {
    fn describe() -> Descriptor {
        Descriptor {
            id: "gitlab".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            events: EVENTS.map(Into::into).to_vec(),
        }
    }

    fn check_config(config: &Value) -> Vec<Issue> {
        settings::check(config)
    }

    fn on_event(event: Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        api::stop_at(delivery.deadline);
        match &event.body {
            EventBody::IncidentOpened(incident) => issue::follow(incident, delivery),
            EventBody::IncidentChanged(change) => issue::follow(&change.after, delivery),
            EventBody::UpdatePosted(update) => notes::post(update, delivery),
            EventBody::Job(job) => jobs::handle(job),
            _ => Ok(Outcome::Ignored),
        }
    }

    fn on_webhook(request: WebhookRequest) -> Result<WebhookResponse, Failure> {
        hooks::handle(&request)
    }

    /// Whether the token may read the issues of the project.
    fn health() -> HealthReport {
        if !config::has_secret("token") || settings::project().is_none() {
            return HealthReport::Ok;
        }
        let path = api::issues(&settings::project().unwrap_or_default());
        match api::get(&path, &[("per_page", "1")]) {
            Ok(_) => HealthReport::Ok,
            Err(error) => match error.into_failure() {
                Failure::Retry(hint) => HealthReport::Degraded(hint.reason),
                Failure::Permanent(why) | Failure::Misconfigured(why) => HealthReport::Failing(why),
            },
        }
    }
}
