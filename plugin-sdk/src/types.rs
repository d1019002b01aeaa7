//! The data types of the plugin interface in `wit/plugin.wit`, with helpers.

pub use crate::bindings::exports::tocsin::plugin::handler::{
    Descriptor, HealthReport, Issue, Tick, WebhookRequest, WebhookResponse,
};
pub use crate::bindings::tocsin::plugin::jobs::Options as JobOptions;
pub use crate::bindings::tocsin::plugin::log::{Field, Level};
pub use crate::bindings::tocsin::plugin::types::{
    Actor, Audience, Choice, Delivery, Document, Event, EventBody, ExternalRef, Fact, Failure,
    Grade, Incident, IncidentChange, Job, Json, Label, Link, LogEntry, LogKind, OtherEvent,
    Outcome, Page, PageItem, PageLine, Person, Promise, Prompt, Receipt, RetryHint, Settled,
    Status, Timestamp, Update, Urgency,
};

impl Person {
    /// This person's first contact of a kind, e.g. `contact("slack")`.
    #[must_use]
    pub fn contact(&self, kind: &str) -> Option<&str> {
        let found = self.contacts.iter().find(|it| it.key == kind)?;
        Some(&found.value)
    }

    /// Whether they may see security incidents.
    #[must_use]
    pub fn has_clearance(&self) -> bool {
        let extra: serde_json::Value = serde_json::from_str(&self.extra).unwrap_or_default();
        extra["clearance"] == true
    }
}

impl Page {
    /// The contact to page by, of one of these kinds: its kind and address. A person may have
    /// several; the daemon says which one in `extra` under `contact`, or means the first.
    #[must_use]
    pub fn contact(&self, kinds: &[&str]) -> Option<(String, String)> {
        let extra: serde_json::Value = serde_json::from_str(&self.extra).unwrap_or_default();
        let said = ["kind", "address"].map(|it| extra["contact"][it].as_str());
        if let [Some(kind), Some(address)] = said
            && kinds.contains(&kind)
        {
            return Some((kind.into(), address.into()));
        }
        let mut contacts = self.to.contacts.iter();
        let found = contacts.find(|it| kinds.contains(&it.key.as_str()))?;
        Some((found.key.clone(), found.value.clone()))
    }
}

impl Actor {
    /// An actor by their id in a channel; the host resolves it through people's contacts.
    #[must_use]
    pub fn by_contact(kind: &str, id: &str) -> Self {
        Actor {
            kind: kind.into(),
            id: id.into(),
            display_name: None,
        }
    }
}

impl Grade {
    /// In lower case, as in chat and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::Minor => "minor",
            Grade::Major => "major",
            Grade::Critical => "critical",
        }
    }
}

impl Urgency {
    /// In lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Urgency::Silent => "silent",
            Urgency::Ordinary => "ordinary",
            Urgency::Minor => "minor",
            Urgency::Major => "major",
            Urgency::Critical => "critical",
        }
    }
}

impl Status {
    /// In lower case, as in chat and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Mitigated => "mitigated",
            Status::Resolved => "resolved",
            Status::Closed => "closed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{incident, page, person};

    #[test]
    fn a_page_goes_to_the_contact_that_the_daemon_names_or_to_the_first() {
        let mut ada = person("ada", "phone", "+1");
        ada.contacts.push(Label {
            key: "sms".into(),
            value: "+2".into(),
        });
        let mut page = page("p", &incident(), &ada);
        let contact = |page: &Page, kinds: &[&str]| page.contact(kinds).map(|it| it.0 + &it.1);
        assert_eq!(
            contact(&page, &["sms", "phone"]).as_deref(),
            Some("phone+1")
        );
        assert_eq!(contact(&page, &["sms"]).as_deref(), Some("sms+2"));
        assert_eq!(contact(&page, &["ntfy"]), None);
        page.extra = r#"{"contact": {"kind": "sms", "address": "+3"}}"#.into();
        assert_eq!(contact(&page, &["sms", "phone"]).as_deref(), Some("sms+3"));
        assert_eq!(contact(&page, &["phone"]).as_deref(), Some("phone+1"));
    }
}
