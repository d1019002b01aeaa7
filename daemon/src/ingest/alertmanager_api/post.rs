//! `POST /api/v2/alerts`.

use serde_json::Value;
use tocsin_core::{Labels, Signal, SignalStatus};

use super::super::batch::{Fault, Item, read, wrong_shape};
use super::super::fields::{object, summary, take_labels, take_optional_text, take_time, title};
use super::super::fingerprint::label_fingerprint;
use super::super::{Malformed, Parsed, Received};

/// Parses the list of alerts that Prometheus posts.
///
/// The end of a firing alert is a lease that every repeat extends; without an end it is
/// `resolve_timeout_ms` from now. An alert whose end has passed is resolved. Labels with an empty
/// value count as absent. An alert is identified by its whole set of labels.
///
/// # Errors
/// When the body is not a JSON array.
pub fn parse(body: &[u8], ctx: &Received) -> Result<Parsed, Malformed> {
    let alerts = match read(body)? {
        Value::Array(alerts) => alerts,
        other => return Err(wrong_shape("", &other, "an array of alerts")),
    };
    Ok(Parsed::collect(alerts, "", |value, item| {
        alert(value, ctx, item)
    }))
}

fn alert(value: Value, ctx: &Received, item: &mut Item<'_>) -> Result<Signal, Fault> {
    let mut map = object(value)?;
    let labels = take_labels(&mut map, "labels")?;
    if labels.is_empty() {
        return Err(Fault::new("/labels", "at least one label pair required"));
    }
    check_names(&labels, "labels")?;
    let annotations = take_labels(&mut map, "annotations")?;
    check_names(&annotations, "annotations")?;
    let now = ctx.received_at;
    let ends_at = take_time(&mut map, "endsAt")?;
    let starts_at = take_time(&mut map, "startsAt")?.or(ends_at.map(|at| at.min(now)));
    let starts_at = starts_at.unwrap_or(now);
    if ends_at.is_some_and(|ends_at| ends_at < starts_at) {
        return Err(Fault::new("/endsAt", "start time must be before end time"));
    }
    let ends_at = ends_at.unwrap_or_else(|| now.plus_ms(ctx.resolve_timeout_ms));
    let status = if ends_at > now {
        SignalStatus::Firing
    } else {
        SignalStatus::Resolved
    };
    let link = take_optional_text(&mut map, "generatorURL", item)
        .and_then(|url| item.link("/generatorURL", &url));
    let fingerprint = label_fingerprint(&labels);
    Ok(Signal {
        integration: ctx.integration.clone(),
        title: title(&labels, &annotations).unwrap_or_else(|| fingerprint.0.clone()),
        fingerprint,
        status,
        summary: summary(&annotations),
        labels,
        annotations,
        starts_at,
        ends_at: Some(ends_at),
        link,
        sender: tocsin_core::Sender::default(),
        fires_at: None,
    })
}

/// Any nonempty UTF-8 text is a valid name, as in Alertmanager since 0.27.
fn check_names(labels: &Labels, what: &str) -> Result<(), Fault> {
    if labels.contains_key("") {
        return Err(Fault::new(
            format!("/{what}"),
            "invalid label set: a name is empty",
        ));
    }
    Ok(())
}
