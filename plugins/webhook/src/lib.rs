//! Pages by any HTTP API: the operator's templates say what to send. Recipes for Gotify, Telegram,
//! Mattermost, Discord and a gateway for SMS are in `recipes/`; each is tested.
#![forbid(unsafe_code)]

mod send;
mod settings;
mod template;
#[cfg(test)]
mod tests;

use settings::Settings;
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{Delivery, Descriptor, Event, EventBody, Failure, Issue, Outcome};
use tocsin_plugin_sdk::{Plugin, export_plugin};

/// The event kinds that are handled; must match the manifest.
const EVENTS: [&str; 2] = ["page", "prompt"];

/// The plugin.
#[derive(Debug)]
pub struct Webhook;

export_plugin!(Webhook);

impl Plugin for Webhook {
    fn describe() -> Descriptor {
        Descriptor {
            id: "webhook".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            events: EVENTS.map(Into::into).to_vec(),
        }
    }

    fn check_config(config: &Value) -> Vec<Issue> {
        settings::check(config)
    }

    fn on_event(event: Event, _: &Delivery) -> Result<Outcome, Failure> {
        match &event.body {
            EventBody::Page(page) => send::send(page, None, &Settings::read()),
            EventBody::Prompt(prompt) => {
                send::send(&prompt.message, Some(prompt), &Settings::read())
            }
            _ => Ok(Outcome::Ignored),
        }
    }
}
