//! Sample values for tests: change the fields that the test is about.

use crate::types::{
    Actor, Event, EventBody, Grade, Incident, IncidentChange, Label, Page, Person, Status,
    Timestamp,
};

/// 2026-01-02 12:00:00 UTC, the fake host's initial time.
pub(super) const NOON: Timestamp = 1_767_355_200_000;

/// A major incident, number 42: "Checkout is down".
#[must_use]
pub fn incident() -> Incident {
    Incident {
        id: "inc-1".into(),
        number: 42,
        revision: 1,
        title: "Checkout is down".into(),
        summary: "5xx over 20 % for 5 minutes".into(),
        grade: Grade::Major,
        security: false,
        status: Status::Open,
        drill: false,
        services: vec!["checkout".into()],
        public_title: None,
        operator: None,
        spokesperson: None,
        next_updates: Vec::new(),
        labels: Vec::new(),
        refs: Vec::new(),
        opened_at: NOON,
        acknowledged_at: None,
        mitigated_at: None,
        resolved_at: None,
        url: Some("https://tocsin.example/incidents/42".into()),
        extra: "{}".into(),
    }
}

/// A person with one contact, such as `("slack", "U1")`.
#[must_use]
pub fn person(id: &str, contact_kind: &str, contact: &str) -> Person {
    Person {
        id: id.into(),
        name: id.into(),
        contacts: vec![Label {
            key: contact_kind.into(),
            value: contact.into(),
        }],
        extra: "{}".into(),
    }
}

/// A page to somebody about an incident.
#[must_use]
pub fn page(id: &str, incident: &Incident, to: &Person) -> Page {
    Page {
        id: id.into(),
        incident: incident.clone(),
        to: to.clone(),
        step: 1,
        reason: "first step of the escalation".into(),
        ack_url: None,
        extra: "{}".into(),
    }
}

/// A change of an incident from one state to another, made by the policy.
#[must_use]
pub fn change(before: &Incident, after: &Incident, changed: &[&str]) -> IncidentChange {
    IncidentChange {
        before: before.clone(),
        after: after.clone(),
        by: Actor {
            kind: "policy".into(),
            id: "grading".into(),
            display_name: None,
        },
        changed: changed.iter().map(|it| (*it).into()).collect(),
    }
}

/// An event about incident `inc-1`.
#[must_use]
pub fn event(id: &str, body: EventBody) -> Event {
    Event {
        id: id.into(),
        seq: 1,
        origin: None,
        incident_id: Some("inc-1".into()),
        at: NOON,
        body,
    }
}
