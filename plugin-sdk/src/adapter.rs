//! Adapts a [`Plugin`] to the component's exports.

use crate::bindings::exports::tocsin::plugin::handler::Guest;
use crate::types::{
    Delivery, Descriptor, Event, Failure, HealthReport, Issue, Outcome, Tick, WebhookRequest,
    WebhookResponse,
};
use crate::{Plugin, panic};
use std::marker::PhantomData;

/// The exported type behind `export_plugin!`: installs the panic hook, then calls the plugin.
#[derive(Debug)]
pub struct Adapter<P>(PhantomData<P>);

impl<P: Plugin> Guest for Adapter<P> {
    fn describe() -> Descriptor {
        panic::report_through_log();
        P::describe()
    }

    fn check_config(config: String) -> Vec<Issue> {
        panic::report_through_log();
        match serde_json::from_str(&config) {
            Ok(config) => P::check_config(&config),
            Err(error) => vec![Issue {
                path: String::new(),
                message: format!("the settings are not valid JSON: {error}"),
            }],
        }
    }

    fn on_event(event: Event, delivery: Delivery) -> Result<Outcome, Failure> {
        panic::report_through_log();
        P::on_event(event, &delivery)
    }

    fn on_webhook(request: WebhookRequest) -> Result<WebhookResponse, Failure> {
        panic::report_through_log();
        P::on_webhook(request)
    }

    fn on_schedule(tick: Tick, delivery: Delivery) -> Result<Outcome, Failure> {
        panic::report_through_log();
        P::on_schedule(tick, &delivery)
    }

    fn health() -> HealthReport {
        panic::report_through_log();
        P::health()
    }
}
