//! Sample values for tests: change the fields that the test is about.

use crate::types::{
    Actor, Choice, Event, EventBody, Fact, Grade, Incident, IncidentChange, Label, Link, Page,
    PageItem, PageLine, Person, Prompt, Status, Timestamp, Urgency,
};

/// 2026-01-02 12:00:00 UTC, the fake host's initial time.
pub(super) const NOON: Timestamp = 1_767_355_200_000;
/// Most incidents that a page has in full.
const PAGE_ITEMS_MAX: usize = 5;

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

/// As [`person`], who may see security incidents.
#[must_use]
pub fn cleared(id: &str, contact_kind: &str, contact: &str) -> Person {
    Person {
        extra: r#"{"clearance":true}"#.into(),
        ..person(id, contact_kind, contact)
    }
}

/// A page to somebody about one incident. Its only item has the page's id.
#[must_use]
pub fn page(id: &str, incident: &Incident, to: &Person) -> Page {
    let item = page_item(id, incident);
    Page {
        id: id.into(),
        to: to.clone(),
        summary: item.headline.clone(),
        items: vec![item],
        others: Vec::new(),
        ack_url: Some(format!("https://tocsin.example/ack/{id}")),
        test: false,
        urgency: urgency(incident.grade),
        extra: "{}".into(),
    }
}

/// A test of the way to somebody, which is as loud as a critical page.
#[must_use]
pub fn test_page(id: &str, to: &Person) -> Page {
    let nothing = Incident {
        number: 0,
        grade: Grade::Critical,
        services: Vec::new(),
        ..incident()
    };
    let mut page = page(id, &nothing, to);
    page.test = true;
    page.summary = "No incident: this only tests the way to you".into();
    page
}

/// A reminder to somebody: about no incident, with nothing to acknowledge and without a sound.
#[must_use]
pub fn reminder(id: &str, to: &Person) -> Page {
    let mut page = test_page(id, to);
    page.items[0].incident.grade = Grade::Minor;
    page.items[0].ack_url = None;
    (page.test, page.ack_url, page.urgency) = (false, None, Urgency::Silent);
    page.summary = "Your on-call shift begins: what speaks against it".into();
    page
}

/// A page to somebody about several incidents, the worst first: as many in full as a message has
/// room for, and the others in one line each. The items have the ids `ID/1`, `ID/2` and so on.
#[must_use]
pub fn bundle(id: &str, incidents: &[Incident], to: &Person) -> Page {
    let items = incidents.iter().zip(1..);
    let mut items: Vec<_> = items
        .map(|(it, number)| page_item(&format!("{id}/{number}"), it))
        .collect();
    let others = items.split_off(items.len().min(PAGE_ITEMS_MAX));
    let more = incidents.len().saturating_sub(1);
    let worst = items.first().map_or("", |it| it.headline.as_str());
    let summary = match more {
        0 => worst.into(),
        more => format!("{worst} and {more} more"),
    };
    Page {
        id: id.into(),
        to: to.clone(),
        summary,
        items,
        others: others.into_iter().map(page_line).collect(),
        ack_url: Some(format!("https://tocsin.example/ack/{id}")),
        test: false,
        urgency: incidents
            .first()
            .map_or(Urgency::Major, |it| urgency(it.grade)),
        extra: "{}".into(),
    }
}

/// A question about these incidents, the worst first, to somebody: "Are you still on it?", `yes` or
/// `no`. Its message has the ids of a [`bundle`].
#[must_use]
pub fn prompt(id: &str, incidents: &[Incident], to: &Person) -> Prompt {
    let mut message = bundle(id, incidents, to);
    message.ack_url = None;
    message.urgency = match message.urgency {
        Urgency::Minor => Urgency::Silent,
        _ => Urgency::Ordinary,
    };
    message.items.iter_mut().for_each(|it| it.ack_url = None);
    message.summary = format!("Are you still on it? {}", message.summary);
    let choice = |choice: &str, label: &str, danger| Choice {
        id: choice.into(),
        label: label.into(),
        danger,
        url: Some(format!("https://tocsin.example/ack/{id}-{choice}")),
    };
    Prompt {
        message,
        question: "Are you still on it?".into(),
        otherwise: "Please answer by 12:10. Without an answer the escalation starts again.".into(),
        choices: vec![
            choice("yes", "Still on it", false),
            choice("no", "Page somebody else", true),
        ],
        expires_at: NOON + 600_000,
        extra: "{}".into(),
    }
}

/// An incident of a page, with a fact and a link.
#[must_use]
pub fn page_item(id: &str, incident: &Incident) -> PageItem {
    let grade = incident.grade.as_str().to_uppercase();
    let service = incident.services.join(", ");
    PageItem {
        id: id.into(),
        incident: incident.clone(),
        step: 1,
        reason: "first step of the escalation".into(),
        headline: format!("{grade} {service}: {}", incident.title),
        facts: vec![Fact {
            name: "Since".into(),
            text: "12:00 (6 min ago)".into(),
        }],
        links: vec![Link {
            title: "Runbook".into(),
            url: "https://wiki.example/checkout".into(),
        }],
        ack_url: Some(format!("https://tocsin.example/ack/{id}")),
        extra: "{}".into(),
    }
}

fn urgency(worst: Grade) -> Urgency {
    match worst {
        Grade::Minor => Urgency::Minor,
        Grade::Major => Urgency::Major,
        Grade::Critical => Urgency::Critical,
    }
}

fn page_line(item: PageItem) -> PageLine {
    PageLine {
        id: item.id,
        number: item.incident.number,
        grade: item.incident.grade,
        headline: item.headline,
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
