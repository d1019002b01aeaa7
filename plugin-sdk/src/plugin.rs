//! The trait that a plugin implements.

use crate::types::{
    Delivery, Descriptor, Event, Failure, HealthReport, Issue, Outcome, Tick, WebhookRequest,
    WebhookResponse,
};
use serde_json::Value;

/// What the daemon calls. Only [`describe`](Plugin::describe) has no default.
///
/// Every call gets a fresh instance of the component: keep what must last in [`crate::kv`].
/// Delivery is at least once: give every outside effect a `once` key (see [`crate::http`]).
pub trait Plugin {
    /// Who this is, as in `plugin.toml`: the host refuses a component that differs from its
    /// manifest. Called once after load, before anything is granted.
    fn describe() -> Descriptor;

    /// Says what is wrong with the operator's settings beyond what the manifest's types say. An
    /// empty list accepts them.
    fn check_config(config: &Value) -> Vec<Issue> {
        let _ = config;
        Vec::new()
    }

    /// Handles an event that the manifest subscribes to.
    ///
    /// # Errors
    /// The host's reaction is in the kind of [`Failure`]: back off and try again, dead-letter, or
    /// pause the plugin and tell the operator.
    fn on_event(event: Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        let _ = (event, delivery);
        Ok(Outcome::Ignored)
    }

    /// Answers a request on a route of the manifest, within the route's budget. What takes longer
    /// belongs into a job ([`crate::jobs::enqueue`]).
    ///
    /// # Errors
    /// A failure is answered with a 5xx status, so that the sender tries again.
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

    /// A cheap look at the far side, at most once a minute.
    fn health() -> HealthReport {
        HealthReport::Ok
    }
}
