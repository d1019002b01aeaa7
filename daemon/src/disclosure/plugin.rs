//! The event bodies with which a plugin is notified of an incident.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde_json::json;
use tocsin_core::incident::{Incident, PromptState};
use tocsin_core::{
    Actor, Audience, ChangeStatus, Changes, Contact, Event, Person, PersonId, PluginId, Promise,
    Promises, PromptId, Recorded, Role, TestId, narrate,
};
use tocsin_plugin_host::wit;

use super::code_name::code_name;
use super::page::{PageContent, PageItem, PageLine, PageQuestion};
use super::wit::{
    wire_actor, wire_audience, wire_grade, wire_log_kind, wire_person, wire_ref, wire_status,
    wire_time,
};
use super::{Clearance, Disclosed};

/// Most open tasks of an incident that a plugin gets; the others are counted.
const TASKS_NAMED_MAX: usize = 10;
/// Most changes of an incident that a plugin gets, the newest; the others are counted.
const CHANGES_NAMED_MAX: usize = 5;

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
            let wanted = change.happened.iter();
            let wanted: Vec<_> = wanted.filter_map(|it| self.help_wanted(it)).collect();
            if !wanted.is_empty() {
                extra["help-wanted"] = json!(wanted);
            }
            let mentions: BTreeSet<_> = change.happened.iter().filter_map(mentioned).collect();
            if !mentions.is_empty() {
                extra["mentions"] = json!(mentions);
            }
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

    /// A request for help; `None` if the event is not one.
    fn help_wanted(&self, recorded: &Recorded) -> Option<serde_json::Value> {
        let Event::HelpWanted { text } = &recorded.event else {
            return None;
        };
        let by = self.actor(&recorded.by);
        let by = by.display_name.unwrap_or(by.id);
        Some(json!({ "text": text, "by": by }))
    }

    /// The log entry of an event; `None` if it is not one, or the plugin lacks clearance.
    #[must_use]
    pub fn log_entry(
        &self,
        incident: &Incident,
        version: u64,
        recorded: &Recorded,
    ) -> Option<wit::EventBody> {
        let Event::Logged {
            kind,
            body,
            written,
        } = &recorded.event
        else {
            return None;
        };
        if !self.clearance.may_see(incident.grading.security) {
            return None;
        }
        let author = written.author.as_ref();
        let author = author.map(|it| Actor::Person(it.as_str().into()));
        Some(wit::EventBody::LogAdded(wit::LogEntry {
            id: format!("{}/{version}", incident.id),
            kind: wire_log_kind(*kind),
            author: self.actor(author.as_ref().unwrap_or(&recorded.by)),
            body: body.clone(),
            at: wire_time(written.at.unwrap_or(recorded.at)),
            extra: json!({ "link": written.link }).to_string(),
        }))
    }

    /// The update of an event; `None` if it is not one. Its text was written for those who are
    /// told, so it is not redacted; what the plugin gets of the incident is.
    #[must_use]
    pub fn update(
        &self,
        incident: &Incident,
        version: u64,
        recorded: &Recorded,
    ) -> Option<wit::EventBody> {
        let Event::UpdatePosted {
            audience,
            body,
            next_at,
            ..
        } = &recorded.event
        else {
            return None;
        };
        Some(wit::EventBody::UpdatePosted(wit::Update {
            id: format!("{}/{version}", incident.id),
            incident: self.incident(incident),
            audience: wire_audience(*audience),
            author: self.actor(&recorded.by),
            body: body.clone(),
            next_update_at: next_at.map(wire_time),
            at: wire_time(recorded.at),
            extra: "{}".to_owned(),
        }))
    }

    /// A message to a person about pages or with a question. Its content must be made for this
    /// plugin and with the clearance of both the plugin and the person, as the plugin shows the
    /// person what it gets.
    #[must_use]
    pub fn message(
        &self,
        id: String,
        (to, contact): (&PersonId, Option<&Contact>),
        zone: Tz,
        content: PageContent,
    ) -> wit::EventBody {
        let mut to = self.person(to);
        let extra = contact.map_or_else(
            || json!({}),
            |it| json!({ "contact": { "kind": it.kind, "address": it.address } }),
        );
        let mut about: serde_json::Value = serde_json::from_str(&to.extra).unwrap_or_default();
        about["timezone"] = json!(zone.name());
        to.extra = about.to_string();
        let items = content.items.into_iter();
        let others = content.others.into_iter();
        let page = wit::Page {
            id,
            to,
            items: items.map(|it| self.page_item(it)).collect(),
            others: others.map(page_line).collect(),
            summary: content.summary,
            ack_url: content.ack_url,
            test: content.test,
            urgency: content.urgency,
            extra: extra.to_string(),
        };
        match content.question {
            None => wit::EventBody::Page(page),
            Some(question) => wit::EventBody::Prompt(prompt(page, question)),
        }
    }

    /// A question that no longer needs an answer, with the answer, if there was one.
    #[must_use]
    pub fn prompt_settled(&self, incident: &Incident, prompt: u32) -> wit::EventBody {
        let asked = incident.prompts.all.get(&prompt);
        let answered = asked.and_then(|it| match &it.state {
            PromptState::Answered { by, choice } => {
                let known = it.question.choice(choice);
                Some((by, known.map_or(choice.clone(), |it| it.label.to_owned())))
            }
            _ => None,
        });
        wit::EventBody::Settled(wit::Settled {
            id: PromptId::of(&incident.id, prompt).to_string(),
            by: answered.as_ref().map(|(by, _)| self.actor(by)),
            choice: answered.map(|(_, choice)| choice),
            extra: json!({ "incident": incident.number }).to_string(),
        })
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

    /// A test of the way to a person whose button was pressed, or not in time.
    #[must_use]
    pub fn test_settled(&self, test: &TestId, is_pressed: bool) -> wit::EventBody {
        let by = is_pressed.then(|| self.actor(&Actor::Person(test.person.clone())));
        wit::EventBody::Settled(wit::Settled {
            id: test.to_string(),
            by,
            choice: None,
            extra: "{}".to_owned(),
        })
    }

    fn page_item(&self, item: PageItem) -> wit::PageItem {
        let facts = item.facts.into_iter().map(|it| wit::Fact {
            name: it.name.to_owned(),
            text: it.text,
        });
        let links = item.links.into_iter().map(|it| wit::Link {
            title: it.title,
            url: it.url,
        });
        wit::PageItem {
            id: item.id,
            incident: self.wire_incident(item.seen),
            step: item.step,
            reason: item.reason,
            headline: item.headline,
            facts: facts.collect(),
            links: links.collect(),
            ack_url: item.ack_url,
            extra: "{}".to_owned(),
        }
    }

    fn past(&self, past: &Incident, today: &Incident) -> wit::Incident {
        self.wire_incident(self.disclosed(past, today))
    }

    fn disclosed(&self, past: &Incident, today: &Incident) -> Disclosed {
        Disclosed::to_plugin(past, today, self.clearance, self.plugin)
    }

    fn wire_incident(&self, seen: Disclosed) -> wit::Incident {
        let extra = self.extra(&seen);
        let line = seen.line;
        // A test is about none.
        let is_incident = line.number > 0;
        let url = format!("{}/api/v1/incidents/{}", self.base_url, line.number);
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
            drill: line.drill,
            services: line.service.into_iter().collect(),
            public_title: line.security.then(|| code_name(line.number).to_owned()),
            operator: line.operator.map(|it| self.person(&it)),
            spokesperson: seen.roles.of(Role::Spokesperson).map(|it| self.person(it)),
            next_updates: promised(&seen.promises),
            labels: labels
                .map(|(key, value)| wit::Label { key, value })
                .collect(),
            refs: seen.refs.into_iter().map(wire_ref).collect(),
            opened_at: wire_time(line.opened_at),
            acknowledged_at: seen.acknowledged_at.map(wire_time),
            mitigated_at: seen.mitigated_at.map(wire_time),
            resolved_at: line.resolved_at.map(wire_time),
            url: is_incident.then_some(url),
            extra: extra.to_string(),
        }
    }

    /// What has no field in the interface yet. A plugin without clearance gets a redacted
    /// incident, which has no tasks and no links.
    fn extra(&self, seen: &Disclosed) -> serde_json::Value {
        let name = |id: &PersonId| self.person(id).name;
        let roles = [Role::Commander, Role::Shadow].into_iter();
        let roles: BTreeMap<&str, _> = roles
            .filter_map(|role| {
                let id = seen.roles.of(role)?;
                Some((role.as_str(), json!({ "id": id, "name": name(id) })))
            })
            .collect();
        let responders = seen.roles.responders.iter();
        let responders: Vec<_> = responders
            .map(|id| json!({ "id": id, "name": name(id) }))
            .collect();
        let tasks = seen.tasks.open().take(TASKS_NAMED_MAX);
        let tasks: Vec<_> = tasks
            .map(|(number, task)| {
                let owner = task.owner.as_ref();
                json!({
                    "number": number,
                    "text": task.text,
                    "owner": owner.map(name),
                    "owner-id": owner,
                })
            })
            .collect();
        let links = seen.links.iter();
        let links: Vec<_> = links
            .map(|it| json!({ "title": it.title, "url": it.url }))
            .collect();
        json!({
            "grade-reason": seen.grade_reason,
            "alerts": { "total": seen.counts.total, "firing": seen.counts.firing },
            "link": seen.link,
            "links": links,
            "by-fallback": seen.by_fallback,
            "merged-into": seen.merged_into,
            "roles": roles,
            "responders": responders,
            "tasks": { "count": seen.tasks.open().count(), "open": tasks },
            "changes": changes(&seen.changes),
        })
    }

    fn person(&self, id: &PersonId) -> wit::Person {
        wire_person(self.people, id)
    }

    fn actor(&self, by: &Actor) -> wit::Actor {
        wire_actor(self.people, by)
    }
}

/// Who gets a task of somebody else, and so should hear of it; `None` of other events.
fn mentioned(recorded: &Recorded) -> Option<&PersonId> {
    let owner = match &recorded.event {
        Event::TaskAdded { owner, .. } => owner.as_ref()?,
        Event::TaskAssigned { owner, .. } => owner,
        _ => return None,
    };
    (recorded.by.person() != Some(owner)).then_some(owner)
}

fn prompt(message: wit::Page, question: PageQuestion) -> wit::Prompt {
    let choices = question.choices.into_iter().map(|it| wit::Choice {
        id: it.choice.id.to_owned(),
        label: it.choice.label.to_owned(),
        danger: it.choice.danger,
        url: it.url,
    });
    wit::Prompt {
        message,
        question: question.text.to_owned(),
        otherwise: question.otherwise,
        choices: choices.collect(),
        expires_at: wire_time(question.expires_at),
        extra: "{}".to_owned(),
    }
}

fn page_line(line: PageLine) -> wit::PageLine {
    wit::PageLine {
        id: line.id,
        number: line.number,
        grade: wire_grade(line.grade),
        headline: line.headline,
    }
}

/// The changes that are not cleared.
fn changes(changes: &Changes) -> serde_json::Value {
    let all = changes.all.iter();
    let mut open: Vec<_> = all
        .filter(|(_, it)| it.status != ChangeStatus::Cleared)
        .collect();
    open.sort_by_key(|(number, it)| (Reverse(it.brief.at), **number));
    let named = open.iter().take(CHANGES_NAMED_MAX);
    let named: Vec<_> = named
        .map(|(number, it)| {
            json!({
                "number": number,
                "title": it.brief.title,
                "link": it.brief.link,
                "at": wire_time(it.brief.at),
                "status": it.status,
            })
        })
        .collect();
    let unlisted = usize::try_from(changes.more).unwrap_or(usize::MAX);
    json!({ "count": open.len().saturating_add(unlisted), "newest": named })
}

fn promised(promises: &Promises) -> Vec<wit::Promise> {
    let promise = |(audience, it): (&Audience, &Promise)| wit::Promise {
        audience: wire_audience(*audience),
        due: wire_time(it.due),
    };
    promises.open.iter().map(promise).collect()
}

/// The names of the fields that differ.
fn changed(before: &Incident, after: &Incident) -> Vec<String> {
    let is_other = |role: Role| before.roles.of(role) != after.roles.of(role);
    let differs = [
        ("title", before.about.title != after.about.title),
        ("grade", before.grading.grade != after.grading.grade),
        (
            "security",
            before.grading.security != after.grading.security,
        ),
        ("status", before.lifecycle.status != after.lifecycle.status),
        ("operator", is_other(Role::Operator)),
        ("spokesperson", is_other(Role::Spokesperson)),
        ("next-updates", before.promises != after.promises),
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
