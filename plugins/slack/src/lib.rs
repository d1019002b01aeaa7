//! War rooms, pages and buttons in Slack.
//!
//! Slack's Web API has no idempotency keys, so each post carries an effect id in its metadata, and
//! an unknown outcome is checked before anything is sent again ([`post`]). An incident has one war
//! room, however often and in whatever order its events are delivered ([`room`]), and engineers and
//! the company have one message about it in their channels ([`announce`]). Pure modules format all
//! text: [`names`], [`text`], [`blocks`], [`changes`], and [`plain`] reads what people type.
#![forbid(unsafe_code)]

mod announce;
mod api;
mod archive;
mod asked;
mod blocks;
mod changes;
#[cfg(test)]
mod contract;
mod events;
mod form;
mod help;
mod inbound;
mod jobs;
mod lines;
mod names;
mod plain;
mod post;
mod room;
mod socket;
#[cfg(test)]
mod standin;
mod summary;
#[cfg(test)]
mod tests;
mod text;

use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{
    Delivery, Descriptor, Event, Failure, HealthReport, Issue, Outcome, WebhookRequest,
    WebhookResponse,
};
use tocsin_plugin_sdk::{Plugin, export_plugin};

/// The event kinds that are handled; must match the manifest.
const EVENTS: [&str; 8] = [
    "incident-opened",
    "incident-changed",
    "update-posted",
    "log-added",
    "page",
    "prompt",
    "settled",
    "job",
];

#[derive(Debug)]
pub struct Slack;

export_plugin!(Slack);

impl Plugin for Slack {
    fn describe() -> Descriptor {
        Descriptor {
            id: "slack".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            events: EVENTS.map(Into::into).to_vec(),
        }
    }

    fn check_config(config: &Value) -> Vec<Issue> {
        let mut issues = Vec::new();
        let text = |key: &str| config.get(key).and_then(Value::as_str);
        let mut refuse = |path: &str, message: &str| {
            issues.push(Issue {
                path: path.into(),
                message: message.into(),
            });
        };
        if text("base-url").is_some_and(|it| !it.starts_with("http")) {
            refuse("base-url", "must be a URL, e.g. https://slack.com/api");
        }
        if text("channel-prefix").is_some_and(|it| names::slug(it).is_empty()) {
            refuse("channel-prefix", "must have a letter or a digit, e.g. inc");
        }
        let grades = ["minor", "major", "critical", "never"];
        if text("room-from-grade").is_some_and(|it| !grades.contains(&it)) {
            let known = "must be minor, major, critical or never: the grade from which on an \
                         incident gets a war room";
            refuse("room-from-grade", known);
        }
        if text("rooms").is_some_and(|it| !["public", "private"].contains(&it)) {
            refuse("rooms", "must be public or private");
        }
        let days = config.get("archive-after-days").and_then(Value::as_i64);
        if days.is_some_and(|it| !(0..=archive::DAYS_MAX).contains(&it)) {
            let why = format!("must be 0, for never, to {}", archive::DAYS_MAX);
            refuse("archive-after-days", &why);
        }
        for key in ["engineering-channel", "company-channel"] {
            if text(key).is_some_and(|it| it.is_empty() || it.starts_with('#')) {
                refuse(
                    key,
                    "must be the channel's id, e.g. C0123456789, not its name",
                );
            }
        }
        issues
    }

    fn on_event(event: Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        api::stop_at(delivery.deadline);
        events::handle(event, delivery)
    }

    fn on_webhook(request: WebhookRequest) -> Result<WebhookResponse, Failure> {
        match request.route.as_str() {
            socket::ROUTE => socket::handle(&request),
            _ => inbound::handle(&request),
        }
    }

    fn health() -> HealthReport {
        match api::get("auth.test", &[]) {
            Ok(_) => HealthReport::Ok,
            Err(error) => match error.into_failure("auth.test") {
                Failure::Retry(hint) => HealthReport::Degraded(hint.reason),
                Failure::Permanent(why) | Failure::Misconfigured(why) => HealthReport::Failing(why),
            },
        }
    }
}

#[cfg(test)]
mod manifest_tests {
    use super::*;
    use tocsin_plugin_sdk::serde_json::json;

    #[test]
    fn the_manifest_subscribes_to_the_events_that_are_handled() {
        let manifest = include_str!("../plugin.toml");
        tocsin_plugin_sdk::testing::assert_manifest(manifest, &EVENTS, env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn invalid_settings_are_refused_with_an_example() {
        let good = json!({"base-url": "https://slack.com/api", "company-channel": "C1"});
        assert_eq!(Slack::check_config(&good), []);
        let bad = json!({
            "base-url": "slack", "channel-prefix": "!", "company-channel": "#all",
            "room-from-grade": "all", "rooms": "secret", "archive-after-days": -1,
        });
        let issues = Slack::check_config(&bad);
        let mut paths: Vec<&str> = issues.iter().map(|it| it.path.as_str()).collect();
        paths.sort_unstable();
        let settings = bad.as_object().unwrap().keys();
        assert_eq!(paths, settings.collect::<Vec<_>>());
    }
}
