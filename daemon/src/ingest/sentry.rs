//! Sentry's webhooks of an internal integration.
//!
//! Source: Sentry's documentation of integration webhooks: issue alerts, metric alerts and issues.
//! An alert is known by its issue, as issue alerts never say that it is over; that somebody
//! resolves or archives the issue ends it. A metric alert says so itself.

use serde_json::Value;
use tocsin_core::{Labels, Signal, SignalStatus};

use super::batch::{Fault, Item, read_object, wrong_shape};
use super::fields::{Object, add_label, scalar, take_optional_text, take_time};
use super::fingerprint::sender_fingerprint;
use super::{Malformed, Parsed, Received};

/// The header with the signature: an HMAC-SHA-256 of the body, in hexadecimal.
pub const SIGNATURE: &str = "sentry-hook-signature";

/// Parses a webhook of Sentry.
///
/// # Errors
/// When the body is not a JSON object with `data`.
pub fn parse(body: &[u8], ctx: &Received) -> Result<Parsed, Malformed> {
    let mut top = read_object(body)?;
    let action = top.remove("action");
    let action = action.as_ref().and_then(Value::as_str).unwrap_or_default();
    let mut data = match top.remove("data") {
        Some(Value::Object(data)) => data,
        other => {
            let found = other.unwrap_or(Value::Null);
            return Err(wrong_shape("/data", &found, "an object"));
        }
    };
    let mut parsed = Parsed::default();
    let mut take = |name: &str| match data.remove(name) {
        Some(Value::Object(found)) => Some(found),
        _ => None,
    };
    if let Some(event) = take("event") {
        let rule = data.remove("triggered_rule");
        parsed.add(0, "/data/event", event, |event, item| {
            issue_alert(event, rule, ctx, item)
        });
    } else if let Some(alert) = take("metric_alert") {
        parsed.add(0, "/data", (alert, data), |(alert, data), item| {
            metric_alert(action, alert, data, ctx, item)
        });
    } else if let Some(issue) = take("issue") {
        match action {
            "resolved" | "ignored" | "archived" => {
                parsed.add(0, "/data/issue", issue, |issue, item| {
                    ended(issue, ctx, item)
                });
            }
            _ => parsed.note(
                "/action",
                "an issue's alert opens an incident; this does not",
            ),
        }
    } else {
        let message = "no alert and no issue; nothing was done";
        parsed.note("/data", message);
    }
    Ok(parsed)
}

/// An event of which a rule for issues has alerted.
fn issue_alert(
    mut event: Object,
    rule: Option<Value>,
    ctx: &Received,
    item: &mut Item<'_>,
) -> Result<Signal, Fault> {
    let issue = id(&event, "issue_id")?;
    let title = take_optional_text(&mut event, "title", item);
    let title = title.unwrap_or_else(|| format!("Sentry issue {issue}"));
    let mut signal = ctx.signal(issue_fingerprint(&issue), SignalStatus::Firing, title);
    if let Some(at) = take_time(&mut event, "datetime")? {
        signal.starts_at = at.min(ctx.received_at);
    }
    signal.summary = take_optional_text(&mut event, "culprit", item).unwrap_or_default();
    let link = take_optional_text(&mut event, "web_url", item);
    signal.link = link.and_then(|it| item.link("/web_url", &it));
    let tags = event.remove("tags");
    signal.labels = tag_pairs(tags.as_ref());
    let mut label = |name: &str, value| add_label(&mut signal.labels, name, value);
    let rule = rule.as_ref().and_then(Value::as_str);
    label("alertname", rule.map(str::to_owned));
    let level = take_optional_text(&mut event, "level", item);
    label("severity", level.as_deref().map(severity));
    label("level", level);
    label("platform", take_optional_text(&mut event, "platform", item));
    label("release", take_optional_text(&mut event, "release", item));
    label("issue", Some(issue));
    Ok(signal)
}

/// A rule for a metric, which says itself when its alert is over.
fn metric_alert(
    action: &str,
    mut alert: Object,
    mut data: Object,
    ctx: &Received,
    item: &mut Item<'_>,
) -> Result<Signal, Fault> {
    let status = match action {
        "critical" | "warning" => SignalStatus::Firing,
        "resolved" => SignalStatus::Resolved,
        other => {
            let message = format!("`action` must be critical, warning or resolved, not `{other}`");
            return Err(Fault::new("/action", message));
        }
    };
    let number = id(&alert, "id")?;
    let fingerprint = sender_fingerprint(&format!("metric: {number}"));
    let title = take_optional_text(&mut data, "description_title", item);
    let title = title.unwrap_or_else(|| format!("Sentry metric alert {number}"));
    let mut signal = ctx.signal(fingerprint, status, title);
    if let Some(at) = take_time(&mut alert, "date_started")? {
        signal.starts_at = at.min(ctx.received_at);
    }
    signal.summary = take_optional_text(&mut data, "description_text", item).unwrap_or_default();
    let link = take_optional_text(&mut data, "web_url", item);
    signal.link = link.and_then(|it| item.link("/web_url", &it));
    if status == SignalStatus::Firing {
        let severity = action.to_owned();
        signal.labels.insert("severity".to_owned(), severity);
    }
    let rule = alert.get("alert_rule");
    let name = rule.and_then(|it| it.get("name")).and_then(Value::as_str);
    add_label(&mut signal.labels, "alertname", name.map(str::to_owned));
    let projects = rule.and_then(|it| it.get("projects"));
    let projects = projects.and_then(Value::as_array).into_iter().flatten();
    let project = projects.filter_map(Value::as_str).next();
    add_label(&mut signal.labels, "project", project.map(str::to_owned));
    Ok(signal)
}

/// An issue that somebody has resolved or archived.
fn ended(mut issue: Object, ctx: &Received, item: &mut Item<'_>) -> Result<Signal, Fault> {
    let number = id(&issue, "id")?;
    let title = take_optional_text(&mut issue, "title", item);
    let title = title.unwrap_or_else(|| format!("Sentry issue {number}"));
    let fingerprint = issue_fingerprint(&number);
    Ok(ctx.signal(fingerprint, SignalStatus::Resolved, title))
}

fn issue_fingerprint(issue: &str) -> tocsin_core::Fingerprint {
    sender_fingerprint(&format!("issue: {issue}"))
}

/// An ID, which Sentry sends as text or as a number.
fn id(object: &Object, name: &str) -> Result<String, Fault> {
    let value = object.get(name).unwrap_or(&Value::Null);
    let id = scalar(value).ok().flatten();
    let id = id.filter(|it| !it.trim().is_empty());
    let missing = || Fault::new(format!("/{name}"), format!("there is no `{name}`"));
    id.ok_or_else(missing)
}

/// Tags are pairs of name and value.
fn tag_pairs(tags: Option<&Value>) -> Labels {
    let pairs = tags.and_then(Value::as_array).into_iter().flatten();
    let text = |pair: &Value, at: usize| Some(pair.get(at)?.as_str()?.to_owned());
    let pair = |pair: &Value| Some((text(pair, 0)?, text(pair, 1)?));
    pairs.filter_map(pair).collect()
}

/// The severity that policies know; Sentry's word is the label `level`.
fn severity(level: &str) -> String {
    match level {
        "debug" => "info".to_owned(),
        other => other.to_owned(),
    }
}
