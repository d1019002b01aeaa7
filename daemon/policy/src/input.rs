//! The input of a verdict as JSON that is small enough to store with it. Values are truncated
//! before any key is dropped, because the keys tell a reader what the sender can be asked for.

use serde_json::{Map, Value, json};
use tocsin_core::limits::VERDICT_INPUT_BYTES_MAX;
use tocsin_core::{Labels, Signal};

use crate::view::{AlertView, Context, IncidentView};

const CUT: &str = "…";
/// Longest value that is copied, in bytes, to save work in a storm of large alerts.
const VALUE_BYTES_MAX: usize = 512;

/// Longest string and most entries of a nested map or list, tried in order until it fits.
const STEPS: &[(usize, usize)] = &[
    (128, usize::MAX),
    (32, usize::MAX),
    (8, usize::MAX),
    (8, 32),
    (8, 8),
    (4, 2),
    (0, 0),
];

/// The input of a policy, truncated to [`VERDICT_INPUT_BYTES_MAX`].
pub(crate) fn bounded(
    incident: Option<&IncidentView>,
    alert: Option<&AlertView>,
    ctx: Option<&Context>,
) -> Value {
    let mut asked = Map::new();
    if let Some(alert) = alert {
        asked.insert("alert".into(), alert_json(&alert.0));
    }
    if let Some(incident) = incident {
        asked.insert("incident".into(), incident_json(incident));
    }
    if let Some(ctx) = ctx {
        asked.insert(
            "context".into(),
            serde_json::to_value(&*ctx.0).unwrap_or(Value::Null),
        );
    }
    shrink(Value::Object(asked))
}

/// `text`, truncated at a character boundary to at most `bytes_max` bytes including the ellipsis.
pub(crate) fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let mut end = bytes_max.saturating_sub(CUT.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    format!("{}{CUT}", text.get(..end).unwrap_or(""))
}

fn alert_json(signal: &Signal) -> Value {
    json!({
        "integration": signal.integration,
        "fingerprint": signal.fingerprint,
        "status": signal.status,
        "title": signal.title,
        "summary": cut(&signal.summary, VALUE_BYTES_MAX),
        "labels": labels_json(&signal.labels),
        "annotations": labels_json(&signal.annotations),
        "starts_at_ms": signal.starts_at,
        "link": signal.link,
    })
}

fn incident_json(incident: &IncidentView) -> Value {
    let facts = &incident.0;
    json!({
        "id": facts.id,
        "number": facts.number,
        "key": facts.key,
        "title": facts.title,
        "service": facts.service,
        "team": facts.team,
        "grade": facts.grade,
        "security": facts.security,
        "status": facts.status,
        "alerts": { "total": facts.alerts_total, "firing": facts.alerts_firing },
        "labels": labels_json(&facts.labels),
        "opened_at_ms": facts.opened_at,
        "acknowledged": facts.acknowledged,
        "drill": facts.drill,
    })
}

fn labels_json(labels: &Labels) -> Value {
    let entry = |(name, value): (&String, &String)| {
        (name.clone(), Value::String(cut(value, VALUE_BYTES_MAX)))
    };
    Value::Object(labels.iter().map(entry).collect())
}

fn shrink(mut value: Value) -> Value {
    for &(text_bytes_max, entries_max) in STEPS {
        if json_bytes(&value) <= VERDICT_INPUT_BYTES_MAX {
            return value;
        }
        shrink_to(&mut value, 0, text_bytes_max, entries_max);
    }
    value
}

// Depth 0 is the input, 1 the alert or incident; only deeper levels may lose keys.
fn shrink_to(value: &mut Value, depth: usize, text_bytes_max: usize, entries_max: usize) {
    match value {
        Value::String(text) => *text = cut(text, text_bytes_max.max(CUT.len())),
        Value::Array(items) => {
            items.truncate(entries_max);
            for item in items {
                shrink_to(item, depth.saturating_add(1), text_bytes_max, entries_max);
            }
        }
        Value::Object(entries) => {
            if 2 <= depth && entries_max < entries.len() {
                let lost = entries.len().saturating_sub(entries_max);
                let kept: Vec<String> = entries.keys().take(entries_max).cloned().collect();
                entries.retain(|key, _| kept.contains(key));
                entries.insert(CUT.to_owned(), json!(format!("{lost} more")));
            }
            for item in entries.values_mut() {
                shrink_to(item, depth.saturating_add(1), text_bytes_max, entries_max);
            }
        }
        _ => {}
    }
}

fn json_bytes(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.saturating_add(bytes.len());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        Err(_) => usize::MAX,
    }
}
