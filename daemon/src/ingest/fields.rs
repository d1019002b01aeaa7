//! Reads the fields of an alert from a JSON object.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use tocsin_core::{Labels, Timestamp};

use super::batch::{Fault, Item, kind};
use crate::time::parse_time;

/// An alert's object; fields are removed as they are read.
pub(super) type Object = Map<String, Value>;

/// The alert as an object.
pub(super) fn object(value: Value) -> Result<Object, Fault> {
    match value {
        Value::Object(map) => Ok(map),
        other => Err(Fault::new(
            "",
            format!("an alert must be an object, and this is {}", kind(&other)),
        )),
    }
}

/// Takes a string; `None` if null, missing or blank.
pub(super) fn take_text(map: &mut Object, name: &str) -> Result<Option<String>, Fault> {
    match map.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        Some(other) => Err(Fault::new(
            format!("/{}", pointer_token(name)),
            format!("`{name}` must be a string and is {}", kind(&other)),
        )),
    }
}

/// Takes an optional string: a value of another type is noted and left out.
pub(super) fn take_optional_text(
    map: &mut Object,
    name: &str,
    item: &mut Item<'_>,
) -> Option<String> {
    take_text(map, name).unwrap_or_else(|fault| {
        item.note(&fault.pointer, format!("left out: {}", fault.message));
        None
    })
}

/// Takes a time; `None` if null, missing, blank or Go's zero time.
pub(super) fn take_time(map: &mut Object, name: &str) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = take_text(map, name)? else {
        return Ok(None);
    };
    parse_time(&text).ok_or_else(|| {
        Fault::new(
            format!("/{}", pointer_token(name)),
            format!("`{name}` must be a time such as 2026-01-31T12:00:00Z"),
        )
    })
}

/// Takes an object of labels. Numbers and booleans become text; null and empty values count as
/// absent, as in Prometheus; nested values are a fault.
pub(super) fn take_labels(map: &mut Object, name: &str) -> Result<Labels, Fault> {
    match map.remove(name) {
        None | Some(Value::Null) => Ok(Labels::new()),
        Some(value) => labels(value, &format!("/{}", pointer_token(name))),
    }
}

/// The labels in this value; `pointer` is its place in the alert.
pub(super) fn labels(value: Value, pointer: &str) -> Result<Labels, Fault> {
    let map = match value {
        Value::Object(map) => map,
        other => {
            let message = format!("must be an object of strings and is {}", kind(&other));
            return Err(Fault::new(pointer, message));
        }
    };
    let mut labels = Labels::new();
    for (name, value) in map {
        let text = match value {
            Value::String(text) => Some(text),
            other => scalar(&other).map_err(|found| {
                let place = format!("{pointer}/{}", pointer_token(&name));
                Fault::new(place, format!("must be a string and is {found}"))
            })?,
        };
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            labels.insert(name, text);
        }
    }
    Ok(labels)
}

/// Adds a label, if it has a value.
pub(super) fn add_label(labels: &mut Labels, name: &str, value: Option<String>) {
    if let Some(value) = value.filter(|it| !it.is_empty()) {
        labels.insert(name.to_owned(), value);
    }
}

/// A scalar as text; `None` for null. Arrays and objects are an error with their kind.
pub(super) fn scalar(value: &Value) -> Result<Option<String>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(flag) => Ok(Some(flag.to_string())),
        nested @ (Value::Array(_) | Value::Object(_)) => Err(kind(nested)),
    }
}

/// Labels from tags: a tag without a value gets `true`, and the values of one that occurs more than
/// once are joined with commas, in alphabetical order. Empty names are left out.
pub(super) fn tag_labels(tags: impl IntoIterator<Item = (String, String)>) -> Labels {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in tags {
        let (name, value) = (name.trim(), value.trim());
        if !name.is_empty() {
            let value = if value.is_empty() { "true" } else { value };
            let values = found.entry(name.to_owned()).or_default();
            values.insert(value.to_owned());
        }
    }
    let joined = |values: BTreeSet<String>| values.into_iter().collect::<Vec<_>>().join(",");
    let labels = found.into_iter();
    labels
        .map(|(name, values)| (name, joined(values)))
        .collect()
}

/// The title for people: the rule's summary or title, else the alert's name and instance.
pub(super) fn title(labels: &Labels, annotations: &Labels) -> Option<String> {
    let written = ["summary", "title"]
        .iter()
        .find_map(|name| annotations.get(*name));
    if let Some(text) = written {
        return Some(text.clone());
    }
    let name = labels.get("alertname")?;
    Some(match labels.get("instance") {
        Some(instance) => format!("{name} on {instance}"),
        None => name.clone(),
    })
}

/// The longer text for people.
pub(super) fn summary(annotations: &Labels) -> String {
    ["description", "message"]
        .iter()
        .find_map(|name| annotations.get(*name))
        .cloned()
        .unwrap_or_default()
}

/// A JSON pointer's token with RFC 6901's escapes.
pub(super) fn pointer_token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
