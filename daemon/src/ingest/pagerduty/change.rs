//! Change events, such as deployments. They open no incidents; policies can use them.

use secrecy::SecretString;
use serde_json::{Map, Value};
use tocsin_core::limits::{LABEL_VALUE_BYTES_MAX, NAME_BYTES_MAX, TITLE_BYTES_MAX};
use tocsin_core::{Change, ChangeId, ChangeLink, Timestamp};

use super::super::{LINK_BYTES_MAX, Received};
use super::event::{Faults, links, read_object};
use super::response::InvalidEvent;
use crate::text::{cut, one_line};

/// Names that senders use for the services in `custom_details`, for one or a list; the first one
/// found is used.
const SERVICES: [&str; 5] = ["services", "service", "service_name", "app", "application"];
/// Most services of a change; further ones are left out.
const SERVICES_MAX: usize = 16;
const ENVIRONMENT: [&str; 4] = ["environment", "env", "stage", "tier"];
const OUTCOME: [&str; 5] = ["outcome", "status", "result", "build_state", "conclusion"];
const REVISION: [&str; 5] = ["revision", "sha", "commit", "git_sha", "version"];

/// A checked change event.
#[derive(Debug)]
pub struct ChangeEvent {
    /// The sender's own ID of the change: with it, a later report is of the same change.
    id: Option<String>,
    summary: String,
    timestamp: Option<Timestamp>,
    source: Option<String>,
    details: Map<String, Value>,
    links: Vec<ChangeLink>,
}

impl ChangeEvent {
    /// Reads the body of `POST /v2/change/enqueue` and checks it as documented. With it comes the
    /// integration's routing key.
    ///
    /// # Errors
    /// With every fault that was found, as the body of a 400.
    pub fn read(body: &[u8]) -> Result<(SecretString, Self), InvalidEvent> {
        let top = read_object(body)?;
        let mut faults = Faults::default();
        let routing_key = faults.routing_key(&top);
        Self::of(top, faults).map(|event| (routing_key, event))
    }

    /// Reads a change from a plugin: the same document without a routing key, with an `id` if the
    /// change can be reported again, and always with its time, as a retried call reports it again.
    ///
    /// # Errors
    /// With every fault that was found.
    pub fn read_from_plugin(body: &[u8]) -> Result<Self, InvalidEvent> {
        let top = read_object(body)?;
        let mut faults = Faults::default();
        let id = faults.optional_text(&top, "id").map(str::to_owned);
        if id.as_ref().is_some_and(|id| id.len() > NAME_BYTES_MAX) {
            faults.add(&format!("'id' is longer than {NAME_BYTES_MAX} bytes"));
        }
        let event = Self::of(top, faults)?;
        match event.timestamp {
            Some(_) => Ok(Self { id, ..event }),
            None => Err(Faults::default().and("'payload.timestamp' is missing or blank")),
        }
    }

    fn of(mut top: Map<String, Value>, mut faults: Faults) -> Result<Self, InvalidEvent> {
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
            id: None,
            summary,
            timestamp,
            source,
            details,
            links,
        })
    }

    /// The change. Services, environment, outcome and revision are looked for in `custom_details`,
    /// where PagerDuty has no names for them. One that is reported again with its time has the same
    /// ID, unless its sender gives it one.
    #[must_use]
    pub fn into_change(self, ctx: &Received) -> Change {
        let detail = |names: &[&str]| {
            let mut values = names.iter().filter_map(|name| self.details.get(*name));
            values.find_map(name_in)
        };
        let change = Change {
            id: ctx.request_id.as_str().into(),
            integration: ctx.integration.clone(),
            services: self.services(),
            environment: detail(&ENVIRONMENT),
            outcome: detail(&OUTCOME),
            revision: detail(&REVISION),
            summary: self.summary,
            timestamp: self.timestamp.unwrap_or(ctx.received_at),
            source: self.source,
            links: self.links,
        };
        match (&self.id, self.timestamp) {
            (Some(id), _) => Change {
                id: format!("{}/{id}", ctx.integration).into(),
                ..change
            },
            (None, Some(_)) => identified(change),
            (None, None) => change,
        }
    }

    fn services(&self) -> Vec<String> {
        let mut values = SERVICES.iter().filter_map(|name| self.details.get(*name));
        let found = values.find_map(|value| {
            let names: Vec<_> = match value {
                Value::Array(values) => values.iter().filter_map(name_in).collect(),
                value => name_in(value).into_iter().collect(),
            };
            (!names.is_empty()).then_some(names)
        });
        let mut services = found.unwrap_or_default();
        services.sort();
        services.dedup();
        services.truncate(SERVICES_MAX);
        services
    }
}

fn name_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => {
            Some(cut(one_line(text), NAME_BYTES_MAX).0)
        }
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The change with an ID that depends on nothing but what it says.
fn identified(change: Change) -> Change {
    let said = Change {
        id: ChangeId::default(),
        ..change.clone()
    };
    let said = serde_json::to_vec(&said).unwrap_or_default();
    let id = blake3::hash(&said).to_hex();
    Change {
        id: id.as_str().into(),
        ..change
    }
}

fn link(href: &str, text: Option<&str>) -> Option<ChangeLink> {
    let web = url::Url::parse(href).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    (web && href.len() <= LINK_BYTES_MAX).then(|| ChangeLink {
        href: href.to_owned(),
        text: text.map(|text| cut(one_line(text), LABEL_VALUE_BYTES_MAX).0),
    })
}
