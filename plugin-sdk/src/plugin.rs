//! The trait that a plugin implements.

use crate::types::{
    Delivery, Descriptor, Event, Failure, HealthReport, Issue, Outcome, Tick, WebhookRequest,
    WebhookResponse,
};
use serde_json::Value;

/// A plugin, as the daemon calls it. Only [`describe`](Plugin::describe) has no default.
///
/// Every call gets a new instance of the component: store state in [`crate::kv`]. Delivery is at
/// least once: give every external effect a `once` key (see [`crate::http`]).
pub trait Plugin {
    /// The plugin's id, version and events, as in `plugin.toml`: the host rejects a component that
    /// differs from its manifest. Called once after load, without grants.
    fn describe() -> Descriptor;

    /// Returns faults in the operator's settings that the manifest's types do not cover. An empty
    /// list accepts them.
    fn check_config(config: &Value) -> Vec<Issue> {
        let _ = config;
        Vec::new()
    }

    /// Handles an event that the manifest subscribes to.
    ///
    /// # Errors
    /// The kind of [`Failure`] determines the host's reaction: back off and retry, dead-letter, or
    /// pause the plugin and notify the operator.
    fn on_event(event: Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        let _ = (event, delivery);
        Ok(Outcome::Ignored)
    }

    /// Responds to a request on a route of the manifest, within the route's budget. Use a job for
    /// longer work ([`crate::jobs::enqueue`]).
    ///
    /// # Errors
    /// A failure results in a 5xx status, so that the sender retries.
    fn on_webhook(request: WebhookRequest) -> Result<WebhookResponse, Failure> {
        let _ = request;
        Ok(WebhookResponse::new(404))
    }

    /// Runs when a schedule of the manifest is due.
    ///
    /// # Errors
    /// As for [`on_event`](Plugin::on_event).
    fn on_schedule(tick: Tick, delivery: &Delivery) -> Result<Outcome, Failure> {
        let _ = (tick, delivery);
        Ok(Outcome::Ignored)
    }

    /// A cheap health check of the external service; called at most once a minute.
    fn health() -> HealthReport {
        HealthReport::Ok
    }
}
