//! Change events, such as deployments. They open no incidents; policies can use them.

use secrecy::SecretString;
use serde_json::{Map, Value};
use tocsin_core::Timestamp;
use tocsin_core::limits::{LABEL_VALUE_BYTES_MAX, NAME_BYTES_MAX, TITLE_BYTES_MAX};

use super::super::{LINK_BYTES_MAX, Received};
use super::event::{Faults, links, read_object};
use super::response::InvalidEvent;
use crate::change::{Change, ChangeLink};
use crate::text::{cut, one_line};

/// Names that senders use for the service in `custom_details`; the first one found is used.
const SERVICE: [&str; 4] = ["service", "service_name", "app", "application"];
const ENVIRONMENT: [&str; 4] = ["environment", "env", "stage", "tier"];
const OUTCOME: [&str; 5] = ["outcome", "status", "result", "build_state", "conclusion"];
const REVISION: [&str; 5] = ["revision", "sha", "commit", "git_sha", "version"];

/// A checked change event.
#[derive(Debug)]
pub struct ChangeEvent {
    /// The integration's key; a secret.
    pub routing_key: SecretString,
    summary: String,
    timestamp: Option<Timestamp>,
    source: Option<String>,
    details: Map<String, Value>,
    links: Vec<ChangeLink>,
}

impl ChangeEvent {
    /// Reads the body of `POST /v2/change/enqueue` and checks it as documented.
    ///
    /// # Errors
    /// With every fault that was found, as the body of a 400.
    pub fn read(body: &[u8]) -> Result<Self, InvalidEvent> {
        let mut top = read_object(body)?;
        let mut faults = Faults::default();
        let routing_key = faults.routing_key(&top);
        let links = links(&top)
            .filter_map(|(href, text)| link(href, text))
            .collect();
        let mut payload = match top.remove("payload") {
            Some(Value::Object(payload)) => payload,
            None | Some(Value::Null) => return Err(faults.and("'payload' is missing or blank")),
            Some(_) => return Err(faults.and("'payload' must be an object")),
        };
        let summary = faults
            .required_text(&payload, "payload.summary")
            .unwrap_or_default();
        let summary = cut(one_line(summary), TITLE_BYTES_MAX).0;
        let source = faults
            .optional_text(&payload, "payload.source")
            .map(|text| cut(one_line(text), NAME_BYTES_MAX).0);
        let timestamp = faults.optional_time(&payload, "payload.timestamp");
        let details = match payload.remove("custom_details") {
            Some(Value::Object(details)) => details,
            _ => Map::new(),
        };
        faults.into_result(Self {
            routing_key,
            summary,
            timestamp,
            source,
            details,
            links,
        })
    }

    /// The change. Service, environment, outcome and revision are looked for in `custom_details`,
    /// where PagerDuty has no names for them.
    #[must_use]
    pub fn into_change(self, ctx: &Received) -> Change {
        let detail = |names: &[&str]| {
            names.iter().find_map(|name| match self.details.get(*name) {
                Some(Value::String(text)) if !text.trim().is_empty() => {
                    Some(cut(one_line(text), NAME_BYTES_MAX).0)
                }
                Some(Value::Number(number)) => Some(number.to_string()),
                _ => None,
            })
        };
        Change {
            integration: ctx.integration.clone(),
            service: detail(&SERVICE),
            environment: detail(&ENVIRONMENT),
            outcome: detail(&OUTCOME),
            revision: detail(&REVISION),
            summary: self.summary,
            timestamp: self.timestamp.unwrap_or(ctx.received_at),
            source: self.source,
            links: self.links,
        }
    }
}

fn link(href: &str, text: Option<&str>) -> Option<ChangeLink> {
    let web = url::Url::parse(href).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    (web && href.len() <= LINK_BYTES_MAX).then(|| ChangeLink {
        href: href.to_owned(),
        text: text.map(|text| cut(one_line(text), LABEL_VALUE_BYTES_MAX).0),
    })
}
