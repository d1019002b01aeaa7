//! Alert events: trigger, acknowledge, resolve.

use std::fmt;

use secrecy::SecretString;
use serde_json::{Map, Value};
use tocsin_core::{Fingerprint, Labels, Signal, SignalStatus, Timestamp};

use super::super::fields::scalar;
use super::super::fingerprint::sender_fingerprint;
use super::super::{Parsed, Received};
use super::response::InvalidEvent;
use super::{DEDUP_KEY_CHARS_MAX, EVENT_BYTES_MAX, LINKS_MAX, ROUTING_KEY_BYTES_MAX};
use crate::time::parse_time;

/// How deeply custom details may be nested; what is deeper is left out.
const DETAILS_DEPTH_MAX: usize = 8;

/// What the sender wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventAction {
    Trigger,
    Acknowledge,
    Resolve,
}

/// PagerDuty's severities; there is no `major`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Critical,
    Error,
    Warning,
    Info,
}

impl Severity {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Critical, Self::Error, Self::Warning, Self::Info]
            .into_iter()
            .find(|severity| severity.as_str() == word)
    }
}

/// A checked event.
#[derive(Debug)]
pub struct Event {
    /// The integration's key; a secret.
    pub routing_key: SecretString,
    pub action: EventAction,
    /// The sender's identifier of the alert.
    pub dedup_key: Option<String>,
    title: Option<String>,
    timestamp: Option<Timestamp>,
    labels: Labels,
    annotations: Labels,
    link: Option<String>,
    /// Further URLs, by the names of their annotations.
    urls: Vec<(String, String)>,
}

impl Event {
    /// Parses the body of `POST /v2/enqueue` and checks it as documented.
    ///
    /// # Errors
    /// All faults, as the body of a 400.
    pub fn read(body: &[u8]) -> Result<Self, InvalidEvent> {
        let top = read_object(body)?;
        let mut faults = Faults::default();
        let action = match faults.required_text(&top, "event_action") {
            Some("trigger") => Some(EventAction::Trigger),
            Some("acknowledge") => Some(EventAction::Acknowledge),
            Some("resolve") => Some(EventAction::Resolve),
            Some(_) => {
                faults.add("'event_action' must be one of trigger, acknowledge, resolve");
                None
            }
            None => None,
        };
        let routing_key = faults.routing_key(&top);
        let dedup_key = faults.optional_text(&top, "dedup_key").map(str::to_owned);
        if dedup_key
            .as_ref()
            .is_some_and(|key| key.chars().count() > DEDUP_KEY_CHARS_MAX)
        {
            faults.add(&format!(
                "'dedup_key' is longer than {DEDUP_KEY_CHARS_MAX} characters"
            ));
        }
        if dedup_key.is_none() && action.is_some_and(|action| action != EventAction::Trigger) {
            faults.add("'dedup_key' is missing or blank; only a trigger may go without");
        }
        let mut event = Self {
            routing_key,
            action: action.unwrap_or(EventAction::Trigger),
            dedup_key,
            title: None,
            timestamp: None,
            labels: Labels::new(),
            annotations: Labels::new(),
            link: None,
            urls: Vec::new(),
        };
        match top.get("payload") {
            Some(Value::Object(payload)) => event.read_payload(payload, &mut faults),
            None | Some(Value::Null) if action == Some(EventAction::Trigger) => {
                faults.add("'payload' is missing or blank");
            }
            None | Some(Value::Null) => {}
            Some(_) => faults.add("'payload' must be an object"),
        }
        event.read_client(&top);
        faults.into_result(event)
    }

    /// The payload is checked only for a trigger, as PagerDuty ignores it otherwise.
    fn read_payload(&mut self, payload: &Map<String, Value>, faults: &mut Faults) {
        let mut found = Faults::default();
        self.title = found
            .required_text(payload, "payload.summary")
            .map(str::to_owned);
        if let Some(source) = found.required_text(payload, "payload.source") {
            self.labels.insert("source".to_owned(), source.to_owned());
        }
        match found
            .required_text(payload, "payload.severity")
            .map(Severity::of)
        {
            Some(Some(severity)) => {
                self.labels
                    .insert("severity".to_owned(), severity.as_str().to_owned());
            }
            Some(None) => {
                found.add("'payload.severity' must be one of critical, error, warning, info");
            }
            None => {}
        }
        for name in ["component", "group", "class"] {
            if let Some(text) = found.optional_text(payload, &format!("payload.{name}")) {
                self.labels.insert(name.to_owned(), text.to_owned());
            }
        }
        self.timestamp = found.optional_time(payload, "payload.timestamp");
        if let Some(details) = payload.get("custom_details") {
            self.read_details(details);
        }
        if self.action == EventAction::Trigger {
            faults.0.append(&mut found.0);
        }
    }

    /// Strings become labels, for policies. Numbers and booleans become annotations: they are
    /// measurements, and as labels they would make every repeat look like a change. What is nested
    /// is named with its path, such as `custom_details.host.name`.
    fn read_details(&mut self, details: &Value) {
        flatten(
            "custom_details",
            details,
            DETAILS_DEPTH_MAX,
            &mut |name, value| match value {
                Value::String(text) if !text.is_empty() => {
                    self.labels.insert(name, text.clone());
                }
                Value::Number(_) | Value::Bool(_) => {
                    let text = scalar(value).ok().flatten().unwrap_or_default();
                    self.annotations.insert(name, text);
                }
                _ => {}
            },
        );
        // PagerDuty has no fields for them, so this is where senders put them.
        for name in ["service", "team"] {
            if let Some(text) = self.labels.get(&format!("custom_details.{name}")) {
                self.labels.insert(name.to_owned(), text.clone());
            }
        }
    }

    fn read_client(&mut self, top: &Map<String, Value>) {
        for name in ["client", "client_url"] {
            if let Some(Value::String(text)) = top.get(name)
                && !text.is_empty()
            {
                self.annotations.insert(name.to_owned(), text.clone());
            }
        }
        let hrefs = links(top).map(|(href, _)| href.to_owned());
        let mut all = hrefs.chain(self.annotations.get("client_url").cloned());
        self.link = all.next();
        for (list, urls, text) in [
            ("links", &["href"][..], "text"),
            ("images", &["src", "href"][..], "alt"),
        ] {
            let items = top.get(list).and_then(Value::as_array);
            for (at, item) in items.into_iter().flatten().take(LINKS_MAX).enumerate() {
                self.read_link(&format!("{list}.{at}"), item, urls, text);
            }
        }
    }

    /// A link or an image becomes annotations, such as `links.0.href` and `links.0.text`.
    fn read_link(&mut self, name: &str, item: &Value, urls: &[&str], text: &str) {
        let field = |key: &str| item.get(key).and_then(Value::as_str);
        for key in urls {
            if let Some(url) = field(key).filter(|url| !url.is_empty()) {
                self.urls.push((format!("{name}.{key}"), url.to_owned()));
            }
        }
        if let Some(said) = field(text).filter(|it| !it.is_empty()) {
            let name = format!("{name}.{text}");
            self.annotations.insert(name, said.to_owned());
        }
    }

    /// Makes the signal, and returns the `dedup_key` for the response. A trigger without a key is
    /// identified by the request's ID.
    #[must_use]
    pub fn into_parsed(self, ctx: &Received) -> (Parsed, String) {
        let key = self.dedup_key.unwrap_or_else(|| ctx.request_id.clone());
        let fingerprint: Fingerprint = sender_fingerprint(&key);
        let status = match self.action {
            EventAction::Trigger => SignalStatus::Firing,
            EventAction::Acknowledge => SignalStatus::Acknowledged,
            EventAction::Resolve => SignalStatus::Resolved,
        };
        let mut parsed = Parsed::default();
        let mut annotations = self.annotations;
        parsed.add(0, "", (), |(), item| {
            for (name, url) in self.urls {
                let pointer = format!("/{}", name.replace('.', "/"));
                if let Some(url) = item.short_link(&pointer, &url) {
                    annotations.insert(name, url);
                }
            }
            Ok(Signal {
                integration: ctx.integration.clone(),
                fingerprint,
                status,
                title: self.title.unwrap_or_else(|| key.clone()),
                summary: String::new(),
                labels: self.labels,
                annotations,
                starts_at: self.timestamp.unwrap_or(ctx.received_at),
                ends_at: (status == SignalStatus::Resolved).then_some(ctx.received_at),
                link: self.link.and_then(|url| item.link("/links/0/href", &url)),
                sender: tocsin_core::Sender::default(),
                fires_at: None,
            })
        });
        (parsed, key)
    }
}

/// Passes each value that is neither a list nor an object to `take`, named with its path.
fn flatten(name: &str, value: &Value, depth: usize, take: &mut impl FnMut(String, &Value)) {
    let nested = |key: &dyn fmt::Display, value, take: &mut _| {
        if depth > 0 {
            flatten(&format!("{name}.{key}"), value, depth - 1, take);
        }
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| nested(key, value, take)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, value)| nested(&at, value, take)),
        value => take(name.to_owned(), value),
    }
}

/// The links of an event, the first [`LINKS_MAX`], with their texts.
pub(super) fn links(top: &Map<String, Value>) -> impl Iterator<Item = (&str, Option<&str>)> {
    top.get("links")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|link| {
            let href = link.get("href")?.as_str().filter(|href| !href.is_empty())?;
            Some((href, link.get("text").and_then(Value::as_str)))
        })
        .take(LINKS_MAX)
}

pub(super) fn read_object(body: &[u8]) -> Result<Map<String, Value>, InvalidEvent> {
    if body.len() > EVENT_BYTES_MAX {
        let message = format!("the event is larger than {EVENT_BYTES_MAX} bytes");
        return Err(InvalidEvent::unrecognized(message));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(top)) => Ok(top),
        Ok(_) => Err(InvalidEvent::unrecognized(
            "the event must be a JSON object",
        )),
        Err(error) => Err(InvalidEvent::unrecognized(format!(
            "JSON parse error: {error}"
        ))),
    }
}

/// All faults of an event. A field is named with its full path, such as `payload.summary`.
#[derive(Default)]
pub(super) struct Faults(Vec<String>);

impl Faults {
    pub(super) fn add(&mut self, fault: &str) {
        self.0.push(fault.to_owned());
    }

    /// The string in a field, whose key in `map` is the last part of its path.
    pub(super) fn optional_text<'a>(
        &mut self,
        map: &'a Map<String, Value>,
        field: &str,
    ) -> Option<&'a str> {
        match map.get(last_part(field)) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.as_str()).filter(|text| !text.trim().is_empty()),
            Some(_) => {
                self.add(&format!("'{field}' must be a string"));
                None
            }
        }
    }

    pub(super) fn required_text<'a>(
        &mut self,
        map: &'a Map<String, Value>,
        field: &str,
    ) -> Option<&'a str> {
        let before = self.0.len();
        let text = self.optional_text(map, field);
        if text.is_none() && self.0.len() == before {
            self.add(&format!("'{field}' is missing or blank"));
        }
        text
    }

    pub(super) fn optional_time(
        &mut self,
        map: &Map<String, Value>,
        field: &str,
    ) -> Option<Timestamp> {
        let text = self.optional_text(map, field)?;
        if let Some(at) = parse_time(text) {
            return at;
        }
        self.add(&format!(
            "'{field}' must be a time such as 2026-01-31T12:00:00Z"
        ));
        None
    }

    pub(super) fn routing_key(&mut self, top: &Map<String, Value>) -> SecretString {
        let key = self.required_text(top, "routing_key").unwrap_or_default();
        if key.len() > ROUTING_KEY_BYTES_MAX {
            self.add(&format!(
                "'routing_key' is longer than {ROUTING_KEY_BYTES_MAX} bytes"
            ));
        }
        SecretString::from(key)
    }

    /// The response, with a last fault after which nothing more can be parsed.
    pub(super) fn and(mut self, fault: &str) -> InvalidEvent {
        self.add(fault);
        InvalidEvent::invalid(self.0)
    }

    pub(super) fn into_result<T>(self, value: T) -> Result<T, InvalidEvent> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(InvalidEvent::invalid(self.0))
        }
    }
}

fn last_part(field: &str) -> &str {
    field.rsplit('.').next().unwrap_or(field)
}

impl fmt::Display for EventAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trigger => "trigger",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
        })
    }
}
