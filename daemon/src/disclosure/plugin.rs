//! The event bodies with which a plugin is notified of an incident.

use std::collections::BTreeMap;

use serde_json::json;
use tocsin_core::incident::Incident;
use tocsin_core::{Actor, Event, Person, PersonId, PluginId, Recorded, narrate};
use tocsin_plugin_host::wit;

use super::wit::{
    wire_actor, wire_grade, wire_log_kind, wire_person, wire_ref, wire_status, wire_time,
};
use super::{Clearance, Disclosed, DisclosedLine};

/// A plugin that receives events, and what event bodies need besides the incident.
#[derive(Clone, Copy)]
pub struct PluginReceiver<'a> {
    /// The plugin, which always sees its own refs.
    pub plugin: &'a PluginId,
    /// What it may see.
    pub clearance: Clearance,
    /// For names and contacts.
    pub people: &'a BTreeMap<PersonId, Person>,
    /// The daemon's public URL, for links.
    pub base_url: &'a str,
}

/// A change of an incident: two of its states and the events between them.
#[derive(Clone, Debug)]
pub struct StateChange {
    /// The state before.
    pub before: Incident,
    /// The state after.
    pub after: Incident,
    /// The events from one to the other.
    pub happened: Vec<Recorded>,
}

impl PluginReceiver<'_> {
    /// The incident's current state.
    #[must_use]
    pub fn incident(&self, incident: &Incident) -> wit::Incident {
        self.past(incident, incident)
    }

    /// What changed, redacted according to the current security flag.
    #[must_use]
    pub fn changed(&self, today: &Incident, mut change: StateChange) -> wit::EventBody {
        let sees = self.clearance.may_see(today.grading.security);
        // A redacted incident is shown as a security incident, which it is now.
        change.after.grading.security |= !sees;
        let (before, after) = (&change.before, &change.after);
        let mut seen = self.past(after, today);
        if sees {
            let happened = change.happened.iter();
            let unseen = happened.filter(|it| !it.event.traits().in_state);
            let lines: Vec<String> = unseen.map(|it| narrate(after, it)).collect();
            let mut extra: serde_json::Value =
                serde_json::from_str(&seen.extra).unwrap_or_default();
            extra["happened"] = json!(lines);
            seen.extra = extra.to_string();
        }
        let by = change.happened.first();
        wit::EventBody::IncidentChanged(wit::IncidentChange {
            before: self.past(before, today),
            after: seen,
            by: self.actor(by.map_or(&Actor::Tocsin, |it| &it.by)),
            changed: changed(before, after),
        })
    }

    /// The log entry of an event; `None` if it is not one, or the plugin lacks clearance.
    #[must_use]
    pub fn log_entry(
        &self,
        incident: &Incident,
        version: u64,
        recorded: &Recorded,
    ) -> Option<wit::EventBody> {
        let Event::Logged { kind, body } = &recorded.event else {
            return None;
        };
        if !self.clearance.may_see(incident.grading.security) {
            return None;
        }
        Some(wit::EventBody::LogAdded(wit::LogEntry {
            id: format!("{}/{version}", incident.id),
            kind: wire_log_kind(*kind),
            author: self.actor(&recorded.by),
            body: body.clone(),
            at: wire_time(recorded.at),
            extra: "{}".to_owned(),
        }))
    }

    /// A page; `None` if it should no longer be delivered by this contact. Both the plugin and the
    /// person need clearance, as the plugin shows the person what it gets.
    #[must_use]
    pub fn page(
        &self,
        incident: &Incident,
        page: u32,
        contact: u32,
        ack_link: impl FnOnce(&PersonId) -> String,
    ) -> Option<wit::EventBody> {
        let sent = incident.paging.pages.get(&page)?;
        if !sent.is_wanted_at(contact) {
            return None;
        }
        let person = Clearance::of_person(self.people.get(&sent.person));
        let both = Self {
            clearance: self.clearance.and(person),
            ..*self
        };
        let seen = both.disclosed(incident, incident);
        let headline = headline(&seen.line);
        let (id, link) = (incident.page_id(page), ack_link(&sent.person));
        let alert = seen.link.iter().map(|url| wit::Link {
            title: "Alert".to_owned(),
            url: url.clone(),
        });
        let item = wit::PageItem {
            id: id.to_string(),
            step: sent.step,
            reason: seen.page_reason().to_owned(),
            headline: headline.clone(),
            facts: Vec::new(),
            links: alert.collect(),
            ack_url: Some(link.clone()),
            incident: self.wire_incident(seen),
            extra: "{}".to_owned(),
        };
        Some(wit::EventBody::Page(wit::Page {
            id: id.to_string(),
            to: self.person(&sent.person),
            items: vec![item],
            others: Vec::new(),
            summary: headline,
            ack_url: Some(link),
            test: false,
            extra: "{}".to_owned(),
        }))
    }

    /// A page that no longer needs an answer, with who acknowledged it, if anybody did.
    #[must_use]
    pub fn settled(
        &self,
        incident: &Incident,
        page: u32,
        acknowledged_by: Option<&Actor>,
    ) -> wit::EventBody {
        wit::EventBody::Settled(wit::Settled {
            id: incident.page_id(page).to_string(),
            by: acknowledged_by.map(|it| self.actor(it)),
            choice: None,
            extra: json!({ "incident": incident.number }).to_string(),
        })
    }

    fn past(&self, past: &Incident, today: &Incident) -> wit::Incident {
        self.wire_incident(self.disclosed(past, today))
    }

    fn disclosed(&self, past: &Incident, today: &Incident) -> Disclosed {
        Disclosed::to_plugin(past, today, self.clearance, self.plugin)
    }

    fn wire_incident(&self, seen: Disclosed) -> wit::Incident {
        let line = seen.line;
        let url = format!("{}/api/v1/incidents/{}", self.base_url, line.number);
        let extra = json!({
            "grade-reason": seen.grade_reason,
            "alerts": { "total": seen.counts.total, "firing": seen.counts.firing },
            "link": seen.link,
            "by-fallback": seen.by_fallback,
        });
        let labels = seen.labels.into_iter();
        wit::Incident {
            id: line.id.0,
            number: line.number,
            revision: seen.revision,
            title: line.title,
            summary: seen.summary,
            grade: wire_grade(line.grade),
            security: line.security,
            status: wire_status(line.status),
            drill: seen.drill,
            services: line.service.into_iter().collect(),
            public_title: None,
            operator: line.operator.map(|it| self.person(&it)),
            spokesperson: None,
            next_updates: Vec::new(),
            labels: labels
                .map(|(key, value)| wit::Label { key, value })
                .collect(),
            refs: seen.refs.into_iter().map(wire_ref).collect(),
            opened_at: wire_time(line.opened_at),
            acknowledged_at: seen.acknowledged_at.map(wire_time),
            mitigated_at: seen.mitigated_at.map(wire_time),
            resolved_at: line.resolved_at.map(wire_time),
            url: Some(url),
            extra: extra.to_string(),
        }
    }

    fn person(&self, id: &PersonId) -> wit::Person {
        wire_person(self.people, id)
    }

    fn actor(&self, by: &Actor) -> wit::Actor {
        wire_actor(self.people, by)
    }
}

/// "CRITICAL checkout: error rate 40 %".
fn headline(line: &DisclosedLine) -> String {
    let grade = line.grade.as_str().to_uppercase();
    match &line.service {
        Some(service) => format!("{grade} {service}: {}", line.title),
        None => format!("{grade}: {}", line.title),
    }
}

/// The names of the fields that differ.
fn changed(before: &Incident, after: &Incident) -> Vec<String> {
    let differs = [
        ("title", before.about.title != after.about.title),
        ("grade", before.grading.grade != after.grading.grade),
        (
            "security",
            before.grading.security != after.grading.security,
        ),
        ("status", before.lifecycle.status != after.lifecycle.status),
        ("operator", before.roles.operator != after.roles.operator),
        (
            "acknowledged-at",
            before.lifecycle.acknowledged_at != after.lifecycle.acknowledged_at,
        ),
        (
            "mitigated-at",
            before.lifecycle.mitigated_at != after.lifecycle.mitigated_at,
        ),
        (
            "resolved-at",
            before.lifecycle.resolved_at != after.lifecycle.resolved_at,
        ),
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
