//! Generic JSON, read with JSON pointers that the configuration names.
//!
//! The default mapping reads
//! `{"title": "disk full", "status": "firing", "labels": {"severity": "critical"}}`, so that one
//! `curl` opens an incident.

use serde_json::{Map, Value};
use tocsin_core::{Fingerprint, Labels, Signal, SignalStatus, Timestamp};

use super::batch::{Fault, Item, kind, read, wrong_shape};
use super::fields::{labels, scalar, summary, title};
use super::fingerprint::{label_fingerprint, sender_fingerprint};
use super::{Malformed, Parsed, Received};
use crate::config::{FINGERPRINT_DEFAULT, LabelsFrom, Mapping, Pointer};
use crate::time::{epoch_time, parse_time};

/// Parses a body with the mapping. In a body that is an array, or whose `items` points to one,
/// each element is an alert; any other body is one alert.
///
/// # Errors
/// When the body is not valid JSON, or `items` does not point to an array.
pub fn parse(body: &[u8], mapping: &Mapping, ctx: &Received) -> Result<Parsed, Malformed> {
    let mut body = read(body)?;
    let base = mapping.items.as_ref().map_or("", Pointer::as_str);
    let found = match &mapping.items {
        Some(items) => body
            .pointer_mut(items.as_str())
            .map(Value::take)
            .ok_or_else(|| Malformed {
                title: "The body does not have the shape of its mapping",
                detail: format!("`items` points to {items}, and nothing is there"),
                pointer: Some(items.to_string()),
            })?,
        None => body,
    };
    match found {
        Value::Array(items) => Ok(Parsed::collect(items, base, |value, item| {
            Reader {
                value: &value,
                mapping,
                ctx,
            }
            .signal(item)
        })),
        Value::Object(_) if mapping.items.is_none() => {
            let mut parsed = Parsed::default();
            parsed.add(0, "", found, |value, item| {
                Reader {
                    value: &value,
                    mapping,
                    ctx,
                }
                .signal(item)
            });
            Ok(parsed)
        }
        other => Err(wrong_shape(
            base,
            &other,
            "an object or an array of objects",
        )),
    }
}

struct Reader<'a> {
    value: &'a Value,
    mapping: &'a Mapping,
    ctx: &'a Received,
}

impl Reader<'_> {
    fn signal(&self, item: &mut Item<'_>) -> Result<Signal, Fault> {
        if !self.value.is_object() {
            let message = format!(
                "an alert must be an object, and this is {}",
                kind(self.value)
            );
            return Err(Fault::new("", message));
        }
        let labels = self.labels(item)?;
        let name = self.text(&self.mapping.title)?;
        let sent = self.text(&self.mapping.fingerprint)?;
        let text = name
            .clone()
            .or_else(|| title(&labels, &labels))
            .or_else(|| sent.clone())
            .ok_or_else(|| {
                let message = "this alert cannot be identified: it has no title, no label \
                               `alertname` and no fingerprint";
                Fault::new(self.mapping.title.as_str(), message)
            })?;
        let fingerprint = match sent {
            Some(sent) => sender_fingerprint(&sent),
            None => {
                if self.mapping.fingerprint.as_str() != FINGERPRINT_DEFAULT {
                    let message = "there is no fingerprint; the alert is identified by its labels \
                                   and title, which a resolve must repeat";
                    item.note(self.mapping.fingerprint.as_str(), message);
                }
                default_fingerprint(&labels, &text)
            }
        };
        let status = self.status()?;
        let received_at = self.ctx.received_at;
        let link = self.text(&self.mapping.link).unwrap_or_else(|fault| {
            item.note(&fault.pointer, format!("left out: {}", fault.message));
            None
        });
        Ok(Signal {
            integration: self.ctx.integration.clone(),
            fingerprint,
            status,
            title: text,
            summary: self
                .text(&self.mapping.summary)?
                .unwrap_or_else(|| summary(&labels)),
            labels,
            annotations: Labels::new(),
            starts_at: self.starts_at(item).unwrap_or(received_at),
            ends_at: (status == SignalStatus::Resolved).then_some(received_at),
            link: link.and_then(|url| item.link(self.mapping.link.as_str(), &url)),
            sender: tocsin_core::Sender::default(),
            fires_at: None,
        })
    }

    /// A string, or a number or boolean as text; `None` if null, missing or blank.
    fn text(&self, pointer: &Pointer) -> Result<Option<String>, Fault> {
        let Some(value) = self.value.pointer(pointer.as_str()) else {
            return Ok(None);
        };
        let text = scalar(value).map_err(|found| {
            Fault::new(pointer.as_str(), format!("must be a string and is {found}"))
        })?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    fn status(&self) -> Result<SignalStatus, Fault> {
        let Some(word) = self.text(&self.mapping.status)? else {
            return Ok(SignalStatus::Firing);
        };
        let is_in = |list: &[String]| list.iter().any(|known| known.eq_ignore_ascii_case(&word));
        if is_in(&self.mapping.status_firing) {
            Ok(SignalStatus::Firing)
        } else if is_in(&self.mapping.status_resolved) {
            Ok(SignalStatus::Resolved)
        } else {
            let message = "its status is unknown; add the word to `status-firing` or \
                           `status-resolved` of the integration's mapping";
            Err(Fault::new(self.mapping.status.as_str(), message))
        }
    }

    fn labels(&self, item: &mut Item<'_>) -> Result<Labels, Fault> {
        match &self.mapping.labels {
            LabelsFrom::Object(pointer) => match self.value.pointer(pointer.as_str()) {
                None | Some(Value::Null) => Ok(Labels::new()),
                Some(Value::Object(map)) => Ok(flat_labels(map, pointer, item)),
                Some(other) => labels(other.clone(), pointer.as_str()),
            },
            LabelsFrom::Table(table) => {
                let mut found = Labels::new();
                for (name, pointer) in table {
                    if let Some(text) = self.text(pointer)? {
                        found.insert(name.clone(), text);
                    }
                }
                Ok(found)
            }
        }
    }

    /// RFC 3339 or a Unix time; anything else is noted and left out.
    fn starts_at(&self, item: &mut Item<'_>) -> Option<Timestamp> {
        let pointer = &self.mapping.starts_at;
        let value = self.value.pointer(pointer.as_str())?;
        let at = match value {
            Value::Null => return None,
            Value::Number(number) => number.as_f64().and_then(epoch_time),
            Value::String(text) => match parse_time(text.trim()) {
                Some(at) => at,
                None => text.trim().parse().ok().and_then(epoch_time),
            },
            _ => None,
        };
        if at.is_none() {
            item.note(
                pointer.as_str(),
                "left out: a time must be RFC 3339 such as 2026-01-31T12:00:00Z, or a Unix time",
            );
        }
        at
    }
}

/// The scalar members of an object; nested ones are noted and left out.
fn flat_labels(map: &Map<String, Value>, pointer: &Pointer, item: &mut Item<'_>) -> Labels {
    let mut found = Labels::new();
    for (name, value) in map {
        match scalar(value) {
            Ok(Some(text)) if !text.is_empty() => {
                found.insert(name.clone(), text);
            }
            Ok(_) => {}
            Err(kind) => {
                item.note(
                    pointer.as_str(),
                    format!("a label that is {kind} was left out"),
                );
            }
        }
    }
    found
}

/// The hash of the labels, with the title as `alertname` if there is none: otherwise "disk full"
/// and "site down" would be the same alert if both are only labeled `severity=critical`.
fn default_fingerprint(labels: &Labels, title: &str) -> Fingerprint {
    let mut identity = labels.clone();
    identity
        .entry("alertname".to_owned())
        .or_insert_with(|| title.to_owned());
    label_fingerprint(&identity)
}
