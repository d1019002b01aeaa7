//! Deserializes TOML and reports every fault, not only the first.
//!
//! serde stops at the first fault. So each entry is read separately; a key that serde refuses is
//! removed and the entry is read again, until nothing is refused. No message shows a secret:
//! [`SecretRef`](super::SecretRef) refuses literals without repeating them.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use super::fault::{Fault, Severity};
use super::source::Source;

/// Most faults that are reported per entry.
const ENTRY_FAULTS_MAX: usize = 32;

/// Reads one entry. `None`, with at least one more fault, when part of it cannot be read.
pub(super) fn entry<T: DeserializeOwned>(
    source: &Source,
    mut value: Spanned<DeValue<'_>>,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let mut taken_out: Vec<String> = Vec::new();
    for _ in 0..ENTRY_FAULTS_MAX {
        let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(read) if taken_out.is_empty() => return Some(read),
            Ok(_) => return None,
            Err(error) => error,
        };
        let span = error.span().unwrap_or_else(|| value.span());
        let follows = missing_field(error.message())
            .is_some_and(|field| taken_out.iter().any(|key| key == field));
        if !follows {
            let remedy = remedy_for(error.message());
            let message = reworded(error.message());
            faults.push(source.fault_at(span.start, Severity::Error, message, &remedy));
        }
        match take_out(&mut value, &span) {
            Some(key) => taken_out.push(key),
            None => return None,
        }
    }
    None
}

/// Removes the key or item at `span`; returns its key, or an empty one for an item.
fn take_out(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<String> {
    match value.get_mut() {
        DeValue::Table(table) => {
            let hit = table
                .iter()
                .find(|(key, value)| key.span() == *span || value.span() == *span)
                .map(|(key, _)| key.get_ref().clone().into_owned());
            if let Some(key) = hit {
                table.remove(key.as_str());
                return Some(key);
            }
            table
                .iter_mut()
                .find_map(|(_, value)| take_out(value, span))
        }
        DeValue::Array(array) => {
            let hit = array.iter().position(|item| item.span() == *span);
            if let Some(position) = hit {
                let kept = array
                    .iter()
                    .enumerate()
                    .filter(|(number, _)| *number != position);
                *array = kept.map(|(_, item)| item.clone()).collect();
                return Some(String::new());
            }
            array.iter_mut().find_map(|item| take_out(item, span))
        }
        _ => None,
    }
}

fn missing_field(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

/// serde's message, reworded for a configuration.
fn reworded(message: &str) -> String {
    // Messages of our own types end with their remedy: `what; remedy`.
    let message = message.split_once("; ").map_or(message, |(what, _)| what);
    let message = message.trim_end_matches('.');
    match message
        .split_once(", expected one of ")
        .or_else(|| message.split_once(", expected `"))
    {
        Some((what, _)) if what.starts_with("unknown field") => {
            what.replacen("unknown field", "unknown key", 1)
        }
        _ => message.replacen("missing field", "missing key", 1),
    }
}

fn remedy_for(message: &str) -> String {
    if let Some((_, remedy)) = message.split_once("; ") {
        return remedy.to_owned();
    }
    if let Some(field) = missing_field(message) {
        return format!("add `{field} = …`");
    }
    let known = message
        .split_once(", expected one of ")
        .map(|(_, known)| known.to_owned());
    let only = message
        .split_once(", expected `")
        .map(|(_, only)| format!("`{only}"));
    match known.or(only) {
        Some(known) if message.starts_with("unknown field") => {
            format!("remove it, or use one of {known}")
        }
        Some(known) if message.starts_with("unknown variant") => format!("use one of {known}"),
        _ => "correct the value".to_owned(),
    }
}
