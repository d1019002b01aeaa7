//! Incidents of the page, as kept and as shown.

use chrono::DateTime;
use serde_json::{Value, json};

/// A part of what the page is about.
#[derive(Clone, Debug)]
pub struct Component {
    pub id: String,
    pub name: String,
    pub status: String,
}

/// An incident of the page.
#[derive(Clone, Debug)]
pub struct Incident {
    pub id: String,
    pub name: String,
    pub status: String,
    pub impact_override: Option<String>,
    pub metadata: Value,
    /// The ids of the affected components.
    pub components: Vec<String>,
    /// Oldest first.
    pub updates: Vec<Update>,
    pub(super) postmortem: Option<Postmortem>,
    created_at_s: u64,
}

/// What the page says of an incident at one time.
#[derive(Clone, Debug)]
pub struct Update {
    pub status: String,
    /// Empty if only the status changed.
    pub body: String,
    pub deliver_notifications: bool,
    created_at_s: u64,
}

/// A message to the subscribers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub incident: String,
    pub status: String,
    pub body: String,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Postmortem {
    pub(super) draft: String,
    pub(super) published: Option<String>,
    pub(super) published_at_s: u64,
}

impl Component {
    pub(super) fn shown(&self) -> Value {
        json!({"id": self.id, "name": self.name, "status": self.status, "group": false})
    }
}

impl Incident {
    pub(super) fn new(id: String, now_s: u64) -> Self {
        Self {
            id,
            name: String::new(),
            status: String::new(),
            impact_override: None,
            metadata: json!({}),
            components: Vec::new(),
            updates: Vec::new(),
            postmortem: None,
            created_at_s: now_s,
        }
    }

    /// The texts of its updates, oldest first.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        self.updates.iter().map(|it| it.body.as_str()).collect()
    }

    /// Takes checked fields; returns the update that they make, if they make one: a text, or
    /// another status. Metadata is replaced as a whole.
    pub(super) fn apply(&mut self, fields: &Value, now_s: u64, is_new: bool) -> Option<Update> {
        let text = |key: &str| fields[key].as_str().map(str::to_owned);
        self.name = text("name").unwrap_or(std::mem::take(&mut self.name));
        self.impact_override = text("impact_override").or(self.impact_override.take());
        if fields["metadata"].is_object() {
            self.metadata = fields["metadata"].clone();
        }
        let listed = fields["component_ids"].as_array().into_iter().flatten();
        let listed = listed.filter_map(Value::as_str);
        let changed = fields["components"].as_object().into_iter().flatten();
        for id in listed.chain(changed.map(|it| it.0.as_str())) {
            if !self.components.iter().any(|it| it == id) {
                self.components.push(id.into());
            }
        }
        let status = text("status").unwrap_or(self.status.clone());
        let body = text("body").unwrap_or_default();
        let is_said = is_new || !body.is_empty() || status != self.status;
        self.status.clone_from(&status);
        let notify = fields["deliver_notifications"].as_bool();
        let update = is_said.then_some(Update {
            status,
            body,
            deliver_notifications: notify.unwrap_or(true),
            created_at_s: now_s,
        })?;
        self.updates.push(update.clone());
        Some(update)
    }

    /// Its updates are listed newest first.
    pub(super) fn shown(&self, page: &str, known: &[Component]) -> Value {
        let updates = self.updates.iter().enumerate().rev();
        let updates: Vec<Value> = updates
            .map(|(at, it)| {
                json!({
                    "id": format!("{}u{at:03}", self.id), "incident_id": self.id,
                    "status": it.status, "body": it.body, "created_at": time(it.created_at_s),
                    "deliver_notifications": it.deliver_notifications,
                })
            })
            .collect();
        let is_affected = |it: &&Component| self.components.contains(&it.id);
        let components = known.iter().filter(is_affected).map(Component::shown);
        let impact = self.impact_override.as_deref().unwrap_or("none");
        let mut shown = json!({
            "id": self.id, "page_id": page, "name": self.name, "status": self.status,
            "impact": impact, "metadata": self.metadata, "incident_updates": updates,
            "components": components.collect::<Vec<Value>>(),
            "created_at": time(self.created_at_s),
            "shortlink": format!("https://stspg.example/{}", self.id),
        });
        if let Some(impact) = &self.impact_override {
            shown["impact_override"] = impact.as_str().into();
        }
        let published = self.postmortem.as_ref().and_then(|it| it.published.clone());
        if let Some(body) = published {
            shown["postmortem_body"] = body.into();
        }
        shown
    }
}

impl Postmortem {
    pub(super) fn shown(&self) -> Value {
        let mut shown = json!({"body_draft": self.draft});
        if let Some(body) = &self.published {
            shown["body"] = body.as_str().into();
            shown["published_at"] = time(self.published_at_s).into();
        }
        shown
    }
}

/// A time as the service writes it.
fn time(at_s: u64) -> String {
    let at = i64::try_from(at_s).ok();
    let at = at.and_then(|it| DateTime::from_timestamp(it, 0));
    at.unwrap_or_default()
        .format("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
