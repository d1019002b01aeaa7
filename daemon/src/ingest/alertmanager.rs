//! Alertmanager's webhook, version 4.
//!
//! Source: `webhook_config` in Alertmanager's configuration documentation. Since 0.32 operators
//! can template the payload, so every key may be missing: missing keys are taken from the group,
//! and an alert is rejected only if nothing identifies it.

use serde_json::{Map, Value};
use tocsin_core::{Labels, Signal, SignalStatus, Timestamp};

use super::batch::{Fault, Item, read_object, wrong_shape};
use super::fields::{
    Object, object, summary, take_labels, take_optional_text, take_text, take_time, title,
};
use super::fingerprint::{label_fingerprint, sender_fingerprint};
use super::{Malformed, Parsed, Received};

/// Parses a webhook from Alertmanager.
///
/// # Errors
/// When the body is not a JSON object, or `alerts` is not a list.
pub fn parse(body: &[u8], ctx: &Received) -> Result<Parsed, Malformed> {
    parse_group(body, ctx, |_, _, _| {})
}

/// Parses the group format that Alertmanager and Grafana share; `finish` gets each alert's
/// remaining fields.
pub(super) fn parse_group(
    body: &[u8],
    ctx: &Received,
    finish: impl Fn(&mut Object, &mut Signal, &mut Item<'_>),
) -> Result<Parsed, Malformed> {
    let mut top = read_object(body)?;
    let alerts = take_alerts(&mut top)?;
    let truncated = top
        .get("truncatedAlerts")
        .and_then(Value::as_u64)
        .unwrap_or(0);
    let group = Group::take(&mut top);
    let mut parsed = match alerts {
        Some(alerts) => Parsed::collect(alerts, "/alerts", |value, item| {
            group.alert(object(value)?, ctx, item, &finish)
        }),
        None => group.alone(top, ctx, &finish)?,
    };
    if truncated > 0 {
        parsed.note(
            "/truncatedAlerts",
            format!("the sender left out {truncated} alerts; raise max_alerts of its webhook"),
        );
    }
    Ok(parsed)
}

fn take_alerts(top: &mut Object) -> Result<Option<Vec<Value>>, Malformed> {
    match top.remove("alerts") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(alerts)) => Ok(Some(alerts)),
        Some(other) => Err(wrong_shape("/alerts", &other, "an array")),
    }
}

/// The payload's fields for the whole group.
#[derive(Default)]
struct Group {
    key: Option<String>,
    status: Option<String>,
    labels: Labels,
    annotations: Labels,
    receiver: Option<String>,
    reason: Option<String>,
    link: Option<String>,
}

impl Group {
    /// The fields that can be read: a fault here must not lose the alerts.
    fn take(top: &mut Map<String, Value>) -> Self {
        let mut labels = take_labels(top, "groupLabels").unwrap_or_default();
        labels.extend(take_labels(top, "commonLabels").unwrap_or_default());
        let mut text = |name| take_text(top, name).ok().flatten();
        Self {
            key: text("groupKey"),
            status: text("status"),
            receiver: text("receiver").map(|receiver| unquote_meta(&receiver)),
            reason: text("notification_reason"),
            link: text("externalURL"),
            labels,
            annotations: take_labels(top, "commonAnnotations").unwrap_or_default(),
        }
    }

    fn alert(
        &self,
        mut map: Object,
        ctx: &Received,
        item: &mut Item<'_>,
        finish: &impl Fn(&mut Object, &mut Signal, &mut Item<'_>),
    ) -> Result<Signal, Fault> {
        let mut labels = take_labels(&mut map, "labels")?;
        let mut annotations = take_labels(&mut map, "annotations").unwrap_or_else(|fault| {
            item.note(&fault.pointer, format!("left out: {}", fault.message));
            self.annotations.clone()
        });
        if labels.is_empty() && !self.labels.is_empty() {
            item.note("", "it has no labels; the group's labels are used");
            labels.clone_from(&self.labels);
        }
        let sent = take_optional_text(&mut map, "fingerprint", item);
        let fingerprint = match sent {
            Some(text) => sender_fingerprint(&text),
            None if !labels.is_empty() => label_fingerprint(&labels),
            None => {
                return Err(Fault::new(
                    "",
                    "it has neither `labels` nor a `fingerprint`",
                ));
            }
        };
        let ends_at = take_time(&mut map, "endsAt")?;
        let starts_at = take_time(&mut map, "startsAt")?;
        let status = self.status(&mut map, ends_at, ctx.received_at)?;
        let link = take_optional_text(&mut map, "generatorURL", item)
            .and_then(|url| item.link("/generatorURL", &url));
        let text = title(&labels, &annotations).unwrap_or_else(|| fingerprint.0.clone());
        let summary = summary(&annotations);
        for (name, value) in [
            ("receiver", &self.receiver),
            ("notification_reason", &self.reason),
        ] {
            if let Some(value) = value {
                annotations
                    .entry(name.to_owned())
                    .or_insert_with(|| value.clone());
            }
        }
        let mut signal = Signal {
            integration: ctx.integration.clone(),
            fingerprint,
            status,
            title: text,
            summary,
            labels,
            annotations,
            starts_at: starts_at.unwrap_or(ctx.received_at),
            ends_at: end(status, ends_at, ctx.received_at),
            link,
            sender: tocsin_core::Sender::default(),
            fires_at: None,
        };
        finish(&mut map, &mut signal, item);
        Ok(signal)
    }

    /// The alert's own status, else the group's, else derived from its end.
    fn status(
        &self,
        map: &mut Object,
        ends_at: Option<Timestamp>,
        received_at: Timestamp,
    ) -> Result<SignalStatus, Fault> {
        let own = take_text(map, "status")?;
        match own.as_deref().or(self.status.as_deref()) {
            Some("firing") => Ok(SignalStatus::Firing),
            Some("resolved") => Ok(SignalStatus::Resolved),
            Some(_) => Err(Fault::new(
                "/status",
                "`status` must be \"firing\" or \"resolved\"",
            )),
            None if ends_at.is_some_and(|at| at <= received_at) => Ok(SignalStatus::Resolved),
            None => Ok(SignalStatus::Firing),
        }
    }

    /// A payload without `alerts`, as a template may produce: the group is the alert, identified
    /// by its key.
    fn alone(
        mut self,
        mut top: Object,
        ctx: &Received,
        finish: &impl Fn(&mut Object, &mut Signal, &mut Item<'_>),
    ) -> Result<Parsed, Malformed> {
        if self.key.is_none() && self.labels.is_empty() {
            return Err(Malformed {
                title: "The body does not have the shape of its format",
                detail: "it has no `alerts`, and neither `groupKey` nor `commonLabels` to use \
                         instead"
                    .to_owned(),
                pointer: Some("/alerts".to_owned()),
            });
        }
        for (name, text) in [
            ("fingerprint", self.key.take()),
            ("generatorURL", self.link.take()),
        ] {
            if let Some(text) = text {
                top.insert(name.to_owned(), Value::String(text));
            }
        }
        // Other top-level keys of a custom payload have an unknown meaning.
        top.retain(|name, _| matches!(name.as_str(), "fingerprint" | "generatorURL"));
        let common = self
            .annotations
            .iter()
            .map(|(k, v)| (k.clone(), Value::from(v.as_str())));
        top.insert("annotations".to_owned(), Value::Object(common.collect()));
        let mut parsed = Parsed::default();
        parsed.add(0, "", top, |map, item| self.alert(map, ctx, item, finish));
        parsed.note("", "it has no `alerts`; the group is used as one alert");
        Ok(parsed)
    }
}

/// A firing alert from a webhook has no lease, as it is repeated only every `repeat_interval`,
/// often hours, and its end is the zero time. It fires until its sender resolves it.
fn end(
    status: SignalStatus,
    ends_at: Option<Timestamp>,
    received_at: Timestamp,
) -> Option<Timestamp> {
    (status == SignalStatus::Resolved).then(|| ends_at.unwrap_or(received_at).min(received_at))
}

/// The receiver's original name: in the webhook it is escaped with Go's `regexp.QuoteMeta`.
fn unquote_meta(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let quotes = c == '\\'
            && chars
                .peek()
                .is_some_and(|next| r"\.+*?()|[]{}^$".contains(*next));
        if !quotes {
            plain.push(c);
        } else if let Some(next) = chars.next() {
            plain.push(next);
        }
    }
    plain
}
