//! Payloads, built when they are delivered: an incident as a plugin may see it now. Clearance is
//! checked here and nowhere earlier, so that flagging an incident late hides what is still in
//! the outbox.

use std::sync::Arc;

use serde_json::json;
use tocsin_core::consequences::Notice;
use tocsin_core::event::LogKind;
use tocsin_core::incident::Incident;
use tocsin_core::{
    Actor, Event, Grade, IncidentId, Person, PersonId, PluginId, Recorded, Status, Timestamp,
    narrate,
};
use tocsin_plugin_host::wit;
use tocsin_store::Store;

use super::request::EngineError;
use super::view::events_of;
use crate::ack_links::AckLinks;
use crate::oncall::Roster;

/// What is told of an incident to a receiver without clearance.
pub const REDACTED_TITLE: &str = "A security incident";

/// What payloads are made of.
#[derive(Clone)]
pub struct Payloads {
    /// Everybody.
    pub roster: Arc<Roster>,
    /// The way back to the daemon.
    pub base_url: String,
    /// Links that acknowledge.
    pub ack_links: Arc<AckLinks>,
}

impl Payloads {
    /// The event of a piece of news, or `None` when there is nothing to tell any more.
    ///
    /// # Errors
    /// [`EngineError`] when the incident's events cannot be read.
    pub fn event(
        &self,
        store: &dyn Store,
        id: &IncidentId,
        news: &Notice,
        plugin: &PluginId,
        clearance: bool,
        now: Timestamp,
    ) -> Result<Option<wit::Event>, EngineError> {
        let events = events_of(store, id)?;
        let Ok(incident) = Incident::replay(id, &events) else {
            return Ok(None);
        };
        let sees = Sees {
            payloads: self,
            clearance: clearance || !incident.security,
        };
        let body = match news {
            Notice::Opened { .. } => Some(wit::EventBody::IncidentOpened(sees.incident(&incident))),
            Notice::Changed { from, to, .. } => sees.change(id, &events, *from, *to),
            Notice::LogAdded { version } => sees.log_entry(&incident, &events, *version),
            Notice::Page { page, contact, .. } => sees.page(&incident, *page, *contact, now),
            Notice::Settled { page, .. } => sees.settled(&incident, &events, *page),
        };
        let (kind, seq) = name_of(news, incident.version);
        Ok(body.map(|body| wit::Event {
            id: format!("{id}/{kind}"),
            seq,
            origin: echo_of(news, &events, plugin),
            incident_id: Some(id.to_string()),
            at: millis(now),
            body,
        }))
    }

    /// A person as plugins see them.
    #[must_use]
    pub fn person(&self, id: &PersonId) -> wit::Person {
        match self.roster.people.get(id) {
            Some(person) => wire_person(person),
            None => wit::Person {
                id: id.to_string(),
                name: id.to_string(),
                contacts: Vec::new(),
                extra: "{}".to_owned(),
            },
        }
    }

    /// Whether a person may know of security incidents.
    #[must_use]
    pub fn has_clearance(&self, id: &PersonId) -> bool {
        let person = self.roster.people.get(id);
        person.is_some_and(|it| it.clearance)
    }

    /// Where a person sees the incident.
    #[must_use]
    pub fn incident_url(&self, incident: &Incident) -> String {
        format!("{}/api/v1/incidents/{}", self.base_url, incident.number)
    }
}

/// An incident as a plugin with or without clearance sees it now.
#[must_use]
pub fn wire_incident(payloads: &Payloads, incident: &Incident, clearance: bool) -> wit::Incident {
    Sees {
        payloads,
        clearance: clearance || !incident.security,
    }
    .incident(incident)
}

/// What one receiver may see.
struct Sees<'a> {
    payloads: &'a Payloads,
    clearance: bool,
}

impl Sees<'_> {
    fn incident(&self, incident: &Incident) -> wit::Incident {
        let label = |(key, value): (&String, &String)| wit::Label {
            key: key.clone(),
            value: value.clone(),
        };
        let person = |id: &PersonId| self.payloads.person(id);
        let shown = |text: &String| {
            if self.clearance {
                text.clone()
            } else {
                String::new()
            }
        };
        let reason = shown(&incident.grade_reason);
        let extra = json!({
            "grade-reason": reason,
            "alerts": { "total": incident.counts.total, "firing": incident.counts.firing },
            "link": incident.link.as_ref().filter(|_| self.clearance),
            "by-fallback": incident.by_fallback,
        });
        wit::Incident {
            id: incident.id.to_string(),
            number: incident.number,
            revision: incident.version,
            title: match self.clearance {
                true => incident.title.clone(),
                false => REDACTED_TITLE.to_owned(),
            },
            summary: shown(&incident.summary),
            grade: wire_grade(incident.grade),
            security: incident.security,
            status: wire_status(incident.status),
            drill: incident.drill,
            services: if self.clearance {
                vec![incident.service.clone()]
            } else {
                Vec::new()
            },
            public_title: None,
            operator: incident.operator.as_ref().map(person),
            spokesperson: None,
            next_updates: Vec::new(),
            labels: match self.clearance {
                true => incident.labels.iter().map(label).collect(),
                false => Vec::new(),
            },
            refs: incident.refs.iter().map(wire_ref).collect(),
            opened_at: millis(incident.opened_at),
            acknowledged_at: incident.acknowledged_at.map(millis),
            mitigated_at: incident.mitigated_at.map(millis),
            resolved_at: incident.resolved_at.map(millis),
            url: Some(self.payloads.incident_url(incident)),
            extra: extra.to_string(),
        }
    }

    fn change(
        &self,
        id: &IncidentId,
        events: &[Recorded],
        from: u64,
        to: u64,
    ) -> Option<wit::EventBody> {
        let upto = |version: u64| {
            let count = usize::try_from(version)
                .unwrap_or(usize::MAX)
                .min(events.len());
            Incident::replay(id, &events[..count]).ok()
        };
        let (before, mut after) = (upto(from)?, upto(to)?);
        // The flag of today hides the change of yesterday.
        after.security |= !self.clearance;
        let span = usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0);
        let happened = events.get(span).unwrap_or_default();
        let by = happened.first().map_or(&Actor::Tocsin, |it| &it.by);
        let mut wire_after = self.incident(&after);
        if self.clearance {
            let unseen = happened.iter().filter(|it| is_unseen_in_state(&it.event));
            let lines: Vec<String> = unseen.map(|it| narrate(&after, it)).collect();
            let mut extra: serde_json::Value =
                serde_json::from_str(&wire_after.extra).unwrap_or_default();
            extra["happened"] = json!(lines);
            wire_after.extra = extra.to_string();
        }
        Some(wit::EventBody::IncidentChanged(wit::IncidentChange {
            before: self.incident(&before),
            after: wire_after,
            by: self.actor(by),
            changed: changed(&before, &after),
        }))
    }

    fn log_entry(
        &self,
        incident: &Incident,
        events: &[Recorded],
        version: u64,
    ) -> Option<wit::EventBody> {
        let at = usize::try_from(version).ok()?.checked_sub(1)?;
        let recorded = events.get(at).filter(|_| self.clearance)?;
        let Event::Logged { kind, body } = &recorded.event else {
            return None;
        };
        Some(wit::EventBody::LogAdded(wit::LogEntry {
            id: format!("{}/{version}", incident.id),
            kind: wire_log_kind(*kind),
            author: self.actor(&recorded.by),
            body: body.clone(),
            at: millis(recorded.at),
            extra: "{}".to_owned(),
        }))
    }

    fn page(
        &self,
        incident: &Incident,
        page: u32,
        contact: u32,
        now: Timestamp,
    ) -> Option<wit::EventBody> {
        let sent = incident
            .pages
            .get(&page)
            .filter(|it| it.is_wanted_at(contact))?;
        let id = incident.page_id(page);
        // What wakes a person is theirs to read: both they and the plugin need the clearance.
        let cleared = !incident.security || self.payloads.has_clearance(&sent.person);
        let sees = Sees {
            payloads: self.payloads,
            clearance: self.clearance && cleared,
        };
        let reason = match sees.clearance {
            true => incident.grade_reason.clone(),
            false => "you are on call".to_owned(),
        };
        let ack_url = self
            .payloads
            .ack_links
            .link(incident, page, &sent.person, now);
        Some(wit::EventBody::Page(wit::Page {
            id: id.to_string(),
            incident: sees.incident(incident),
            to: self.payloads.person(&sent.person),
            step: sent.step,
            reason,
            ack_url: Some(ack_url),
            extra: "{}".to_owned(),
        }))
    }

    fn settled(
        &self,
        incident: &Incident,
        events: &[Recorded],
        page: u32,
    ) -> Option<wit::EventBody> {
        let ends = |it: &&Recorded| {
            matches!(
                it.event,
                Event::Acknowledged { .. } | Event::Resolved { .. }
            )
        };
        let end = events.iter().rev().find(ends);
        // A page has no choices: who acknowledged it is told, and of the rest that it is over.
        let answered = end.filter(|it| matches!(it.event, Event::Acknowledged { .. }));
        Some(wit::EventBody::Settled(wit::Settled {
            id: incident.page_id(page).to_string(),
            by: answered.map(|it| self.actor(&it.by)),
            choice: None,
            extra: json!({ "incident": self.incident(incident).number }).to_string(),
        }))
    }

    fn actor(&self, by: &Actor) -> wit::Actor {
        let name = match by {
            Actor::Person(id) => Some(self.payloads.person(id).name),
            Actor::Tocsin => Some("tocsin".to_owned()),
            Actor::Integration(_) | Actor::Plugin(_) | Actor::Token(_) => None,
        };
        wit::Actor {
            kind: by.kind().to_owned(),
            id: by.id().to_owned(),
            display_name: name,
        }
    }
}

/// The plugin whose own command caused the news, to tell an echo.
fn echo_of(news: &Notice, events: &[Recorded], plugin: &PluginId) -> Option<String> {
    let version = match news {
        Notice::Changed { from, .. } => from + 1,
        Notice::LogAdded { version } => *version,
        _ => return None,
    };
    let at = usize::try_from(version).ok()?.checked_sub(1)?;
    let by = &events.get(at)?.by;
    matches!(by, Actor::Plugin(id) if id == plugin).then(|| plugin.to_string())
}

/// What names the news within its incident, and its place there.
fn name_of(news: &Notice, version: u64) -> (String, u64) {
    match news {
        Notice::Opened { version } => (format!("{version}/opened"), *version),
        Notice::Changed { to, .. } => (format!("{to}/changed"), *to),
        Notice::LogAdded { version } => (format!("{version}/log"), *version),
        Notice::Page { page, contact, .. } => (format!("p{page}/{contact}/page"), version),
        Notice::Settled { page, .. } => (format!("p{page}/settled"), version),
    }
}

/// Whether an event shows in no field of the incident, so that it must be said in words.
fn is_unseen_in_state(event: &Event) -> bool {
    matches!(
        event,
        Event::Escalated { .. }
            | Event::PageExhausted { .. }
            | Event::PageRedirected { .. }
            | Event::PageOutcomeUnknown { .. }
            | Event::GradeProposed { .. }
    )
}

/// Names of the fields that differ.
fn changed(before: &Incident, after: &Incident) -> Vec<String> {
    let differs = [
        ("title", before.title != after.title),
        ("grade", before.grade != after.grade),
        ("security", before.security != after.security),
        ("status", before.status != after.status),
        ("operator", before.operator != after.operator),
        (
            "acknowledged-at",
            before.acknowledged_at != after.acknowledged_at,
        ),
        ("mitigated-at", before.mitigated_at != after.mitigated_at),
        ("resolved-at", before.resolved_at != after.resolved_at),
        ("alerts", before.counts != after.counts),
        ("escalation", before.escalation != after.escalation),
        ("refs", before.refs != after.refs),
    ];
    differs
        .into_iter()
        .filter(|(_, it)| *it)
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn wire_person(person: &Person) -> wit::Person {
    let contact = |it: &tocsin_core::Contact| wit::Label {
        key: it.kind.clone(),
        value: it.address.clone(),
    };
    wit::Person {
        id: person.id.to_string(),
        name: person.name.clone(),
        contacts: person.contacts.iter().map(contact).collect(),
        extra: "{}".to_owned(),
    }
}

fn wire_ref(link: &tocsin_core::event::Ref) -> wit::ExternalRef {
    wit::ExternalRef {
        plugin: link.plugin.to_string(),
        kind: link.kind.clone(),
        id: link.id.clone(),
        url: link.url.clone(),
    }
}

fn wire_grade(grade: Grade) -> wit::Grade {
    match grade {
        Grade::Minor => wit::Grade::Minor,
        Grade::Major => wit::Grade::Major,
        Grade::Critical => wit::Grade::Critical,
    }
}

fn wire_log_kind(kind: LogKind) -> wit::LogKind {
    match kind {
        LogKind::Seen => wit::LogKind::Seen,
        LogKind::Decided => wit::LogKind::Decided,
        LogKind::Done => wit::LogKind::Done,
        LogKind::Note => wit::LogKind::Note,
    }
}

/// The status as the plugin interface names it; a translation, not a decision.
fn wire_status(status: Status) -> wit::Status {
    match status {
        Status::Open => wit::Status::Open,
        Status::Mitigated => wit::Status::Mitigated,
        Status::Resolved => wit::Status::Resolved,
        Status::Closed => wit::Status::Closed,
    }
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.0).unwrap_or(0)
}
