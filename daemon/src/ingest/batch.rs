//! Parses bytes into a list of JSON objects, and those into [`Parsed`].

use serde_json::{Map, Value};
use tocsin_core::limits::{
    LABEL_NAME_BYTES_MAX, LABEL_VALUE_BYTES_MAX, LABELS_MAX, SUMMARY_BYTES_MAX, TITLE_BYTES_MAX,
};
use tocsin_core::{Labels, Signal};

use super::fields::pointer_token;
use super::{
    ALERTS_PER_REQUEST_MAX, BODY_BYTES_MAX, LINK_BYTES_MAX, Malformed, NOTES_MAX, Note, Parsed,
    Rejected,
};
use crate::text::{cut, one_line};

/// Labels that are kept when there are too many, because policies route and grade by them.
const LABELS_KEPT_FIRST: [&str; 12] = [
    "alertname",
    "cluster",
    "component",
    "env",
    "environment",
    "instance",
    "job",
    "namespace",
    "service",
    "severity",
    "source",
    "team",
];

/// Parses one JSON value. serde_json limits the depth to 128.
pub(super) fn read(body: &[u8]) -> Result<Value, Malformed> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Malformed {
            title: "The body is too large",
            detail: format!(
                "it has {} bytes, and the limit is {BODY_BYTES_MAX}; send smaller batches",
                body.len()
            ),
            pointer: None,
        });
    }
    serde_json::from_slice(body).map_err(|error| Malformed {
        title: "The body is not valid JSON",
        detail: if body.is_empty() {
            "it is empty; send JSON in the format of the integration's kind".to_owned()
        } else {
            format!("{error}; the body must be one JSON value in UTF-8")
        },
        pointer: None,
    })
}

/// Parses one JSON object.
pub(super) fn read_object(body: &[u8]) -> Result<Map<String, Value>, Malformed> {
    match read(body)? {
        Value::Object(map) => Ok(map),
        other => Err(wrong_shape("", &other, "an object")),
    }
}

/// The fault of a part of the body with the wrong type.
pub(super) fn wrong_shape(pointer: &str, found: &Value, wanted: &str) -> Malformed {
    let place = if pointer.is_empty() {
        "the body"
    } else {
        pointer
    };
    Malformed {
        title: "The body does not have the shape of its format",
        detail: format!("{place} is {} and must be {wanted}", kind(found)),
        pointer: Some(pointer.to_owned()),
    }
}

/// The name of a JSON value's type.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Why one alert cannot be read, and where.
#[derive(Debug)]
pub(super) struct Fault {
    /// A JSON pointer relative to the alert.
    pub(super) pointer: String,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
        }
    }
}

/// The alert that is being parsed: its position in the body, and the notes on it.
pub(super) struct Item<'a> {
    pub(super) index: usize,
    /// The JSON pointer of the alert in the body.
    pub(super) base: &'a str,
    notes: &'a mut Vec<Note>,
}

impl Item<'_> {
    /// Adds a note on `pointer` within the alert.
    pub(super) fn note(&mut self, pointer: &str, message: impl Into<String>) {
        let pointer = format!("{}{pointer}", self.base);
        push_note(self.notes, Some(self.index), pointer, message.into());
    }

    /// Truncates a signal's texts and labels to the limits. Its fingerprint does not change.
    pub(super) fn bound(&mut self, signal: &mut Signal) {
        let title = one_line(&signal.title);
        signal.title = self.cut(title, TITLE_BYTES_MAX, "title");
        let summary = std::mem::take(&mut signal.summary);
        signal.summary = self.cut(summary, SUMMARY_BYTES_MAX, "summary");
        self.bound_labels(&mut signal.labels, "labels", LABEL_VALUE_BYTES_MAX);
        self.bound_labels(
            &mut signal.annotations,
            "annotations",
            LABEL_VALUE_BYTES_MAX,
        );
    }

    fn cut(&mut self, text: String, bytes_max: usize, what: &str) -> String {
        let (text, was_cut) = cut(text, bytes_max);
        if was_cut {
            self.note("", format!("the {what} was truncated to {bytes_max} bytes"));
        }
        text
    }

    fn bound_labels(&mut self, labels: &mut Labels, what: &str, value_bytes_max: usize) {
        labels.retain(|name, _| {
            let fits = !name.is_empty() && name.len() <= LABEL_NAME_BYTES_MAX;
            if !fits {
                let message = format!(
                    "one of the {what} was left out: its name is empty or over \
                     {LABEL_NAME_BYTES_MAX} bytes"
                );
                push_note(self.notes, Some(self.index), self.base.to_owned(), message);
            }
            fits
        });
        for (name, value) in labels.iter_mut() {
            let (text, was_cut) = cut(std::mem::take(value), value_bytes_max);
            *value = text;
            if was_cut {
                let pointer = format!("{}/{what}/{}", self.base, pointer_token(name));
                let message = format!("the value was truncated to {value_bytes_max} bytes");
                push_note(self.notes, Some(self.index), pointer, message);
            }
        }
        let extra = labels.len().saturating_sub(LABELS_MAX);
        if extra > 0 {
            drop_extra(labels);
            self.note(
                "",
                format!("{extra} {what} beyond {LABELS_MAX} were left out"),
            );
        }
    }

    /// The link, if it is an http or https URL.
    pub(super) fn link(&mut self, pointer: &str, text: &str) -> Option<String> {
        self.link_within(pointer, text, LINK_BYTES_MAX)
    }

    /// The link, if it also fits into an annotation.
    pub(super) fn short_link(&mut self, pointer: &str, text: &str) -> Option<String> {
        self.link_within(pointer, text, LABEL_VALUE_BYTES_MAX)
    }

    fn link_within(&mut self, pointer: &str, text: &str, bytes_max: usize) -> Option<String> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let web = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if web && text.len() <= bytes_max {
            return Some(text.to_owned());
        }
        self.note(
            pointer,
            format!("left out: not an http or https URL of at most {bytes_max} bytes"),
        );
        None
    }
}

fn drop_extra(labels: &mut Labels) {
    let mut room = LABELS_MAX
        - LABELS_KEPT_FIRST
            .iter()
            .filter(|name| labels.contains_key(**name))
            .count();
    labels.retain(|name, _| {
        if LABELS_KEPT_FIRST.contains(&name.as_str()) {
            return true;
        }
        let fits = room > 0;
        room = room.saturating_sub(1);
        fits
    });
}

fn push_note(notes: &mut Vec<Note>, index: Option<usize>, pointer: String, message: String) {
    if notes.len() + 1 < NOTES_MAX {
        notes.push(Note {
            index,
            pointer,
            message,
        });
    } else if notes.len() < NOTES_MAX {
        let message = format!("notes after the first {} were left out", NOTES_MAX - 1);
        notes.push(Note {
            index: None,
            pointer: String::new(),
            message,
        });
    }
}

impl Parsed {
    /// Parses the first [`ALERTS_PER_REQUEST_MAX`] items with `read_item`; a fault rejects only its
    /// item. `base` is the list's JSON pointer.
    pub(super) fn collect<T>(
        mut items: Vec<T>,
        base: &str,
        mut read_item: impl FnMut(T, &mut Item<'_>) -> Result<Signal, Fault>,
    ) -> Self {
        let mut parsed = Self::default();
        let beyond = items.len().saturating_sub(ALERTS_PER_REQUEST_MAX);
        if beyond > 0 {
            items.truncate(ALERTS_PER_REQUEST_MAX);
            let message = format!(
                "{beyond} alerts beyond the first {ALERTS_PER_REQUEST_MAX} were left out; send \
                 fewer at once; in Alertmanager, set max_alerts of the webhook"
            );
            tracing::warn!("a batch of alerts is too large: {message}");
            parsed.note(base, message);
        }
        for (index, value) in items.into_iter().enumerate() {
            parsed.add(index, &format!("{base}/{index}"), value, &mut read_item);
        }
        parsed
    }

    /// Parses one item at `base` in the body.
    pub(super) fn add<T>(
        &mut self,
        index: usize,
        base: &str,
        value: T,
        read_item: impl FnOnce(T, &mut Item<'_>) -> Result<Signal, Fault>,
    ) {
        let mut item = Item {
            index,
            base,
            notes: &mut self.notes,
        };
        let read = read_item(value, &mut item).map(|mut signal| {
            item.bound(&mut signal);
            signal
        });
        match read {
            Ok(signal) => self.signals.push(signal),
            Err(fault) => self.rejected.push(Rejected {
                index,
                pointer: format!("{base}{}", fault.pointer),
                message: fault.message,
            }),
        }
    }

    /// Adds a note on the whole body.
    pub(crate) fn note(&mut self, pointer: &str, message: impl Into<String>) {
        push_note(&mut self.notes, None, pointer.to_owned(), message.into());
    }
}
