//! What Statuspage refuses of a request's body.

use super::{Component, refused};
use crate::{Answered, Asked};
use serde_json::Value;

pub(super) const COMPONENT_STATUSES: [&str; 5] = [
    "operational",
    "under_maintenance",
    "degraded_performance",
    "partial_outage",
    "major_outage",
];
/// Of incidents that are not scheduled.
const STATUSES: [&str; 4] = ["investigating", "identified", "monitoring", "resolved"];
const IMPACTS: [&str; 5] = ["none", "maintenance", "minor", "major", "critical"];
const NAME_CHARS_MAX: usize = 255;
const BODY_CHARS_MAX: usize = 25_000;
/// The fields that the stand-in knows; the service ignores one that it does not know, so that
/// nobody sees it.
const FIELDS: [&str; 8] = [
    "name",
    "status",
    "impact_override",
    "metadata",
    "deliver_notifications",
    "body",
    "components",
    "component_ids",
];

/// The object under this name in a body of JSON.
pub(super) fn object(asked: &Asked, name: &str) -> Result<Value, Answered> {
    let kind = asked.headers.get("content-type").map(String::as_str);
    let body = asked.json().filter(|_| kind == Some("application/json"));
    let body = body.ok_or_else(|| refused(400, "the body is not JSON"))?;
    let fields = body.get(name).filter(|it| it.is_object()).cloned();
    fields.ok_or_else(|| refused(400, &format!("{name} is missing")))
}

/// Fails unless an incident may have these fields.
pub(super) fn incident(fields: &Value, known: &[Component]) -> Result<(), Answered> {
    let names = fields.as_object().into_iter().flat_map(|it| it.keys());
    for name in names {
        if !FIELDS.contains(&name.as_str()) {
            return Err(refused(422, &format!("{name} is not a known field")));
        }
    }
    text(&fields["name"], "name", NAME_CHARS_MAX)?;
    text(&fields["body"], "body", BODY_CHARS_MAX)?;
    one_of(&fields["status"], "status", &STATUSES)?;
    one_of(&fields["impact_override"], "impact_override", &IMPACTS)?;
    let notify = &fields["deliver_notifications"];
    fits(notify, "deliver_notifications", notify.is_boolean())?;
    let metadata = &fields["metadata"];
    let nested = metadata.as_object();
    let is_nested = nested.is_some_and(|it| it.values().all(Value::is_object));
    fits(metadata, "metadata", is_nested)?;
    let ids = &fields["component_ids"];
    fits(ids, "component_ids", ids.is_array())?;
    let changes = &fields["components"];
    fits(changes, "components", changes.is_object())?;
    let is_known = |id: &str| known.iter().any(|it| it.id == id);
    let named = ids.as_array().into_iter().flatten();
    if !named.map(Value::as_str).all(|id| id.is_some_and(is_known)) {
        return Err(refused(422, "component_ids has an unknown component"));
    }
    for (id, status) in changes.as_object().into_iter().flatten() {
        if !is_known(id) {
            return Err(refused(422, "components has an unknown component"));
        }
        one_of(status, "components", &COMPONENT_STATUSES)?;
    }
    Ok(())
}

/// Fails if a field is there with none of these values.
pub(super) fn one_of(value: &Value, name: &str, known: &[&str]) -> Result<(), Answered> {
    let is_known = value.as_str().is_some_and(|it| known.contains(&it));
    fits(value, name, is_known)
}

fn text(value: &Value, name: &str, chars_max: usize) -> Result<(), Answered> {
    let fitting = value.as_str().map(|it| it.chars().count() <= chars_max);
    match fitting {
        Some(false) => Err(refused(
            422,
            &format!("{name} is too long (maximum is {chars_max} characters)"),
        )),
        other => fits(value, name, other.is_some()),
    }
}

fn fits(value: &Value, name: &str, is_fitting: bool) -> Result<(), Answered> {
    match value.is_null() || is_fitting {
        true => Ok(()),
        false => Err(refused(422, &format!("{name} is invalid"))),
    }
}
