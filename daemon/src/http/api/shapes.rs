//! Converts incidents and silences to the API's types.

use std::sync::Arc;

use tocsin_core::event::{Recorded, Ref};
use tocsin_core::incident::{Attempt, Hold, Incident, Page, PageState as CorePageState, Roles};
use tocsin_core::{
    Audience, Changes, IncidentChange, Promise, PromiseStage, Promises, Role, SilenceRef, Task,
    Tasks,
};

use crate::api::{
    AlertCounts, AttemptLine, ChangeLine, DecisionLine, HoldLine, IncidentDetail, IncidentLine,
    PageLine, PageState, PolicyLine, PromiseLine, RefLine, RoleLine, SilenceLine, TaskLine,
    TimelineLine,
};
use crate::disclosure::{Clearance, Decision, Disclosed, DisclosedLine, TimelineEntry, timeline};
use crate::runtime::IncidentState;
use crate::silence::Silence;
use crate::time::format_time;

impl IncidentLine {
    pub(super) fn of(line: DisclosedLine) -> Self {
        Self {
            number: line.number,
            id: line.id.0,
            title: line.title,
            service: line.service.unwrap_or_default(),
            team: line.team.map(|it| it.0),
            grade: line.grade,
            security: line.security,
            status: line.status,
            drill: line.drill,
            acknowledged: line.acknowledged,
            operator: line.operator.map(|it| it.0),
            opened_at: format_time(line.opened_at),
            resolved_at: line.resolved_at.map(format_time),
        }
    }
}

impl IncidentDetail {
    pub(super) fn of(
        state: &IncidentState,
        events: &[Recorded],
        silences: &[Arc<Silence>],
        clearance: Clearance,
    ) -> Self {
        let incident = state.incident.as_ref();
        let seen = Disclosed::of(incident, clearance);
        let is_redacted = seen.is_redacted;
        let named = state.tally.silences.iter().filter(|_| !is_redacted);
        let known = |it: &SilenceRef| silences.iter().find(|silence| silence.id == it.id);
        let line = |it: &SilenceRef| match known(it) {
            Some(silence) => SilenceLine::of(silence),
            None => SilenceLine::unknown(it),
        };
        let entries = timeline(incident, events, clearance);
        Self {
            line: IncidentLine::of(seen.line),
            summary: seen.summary,
            grade_reason: seen.grade_reason,
            link: seen.link,
            labels: seen.labels,
            alerts: AlertCounts {
                total: state.tally.counts.total,
                firing: state.tally.counts.firing,
                silenced: state.tally.silenced,
            },
            pages: pages(incident),
            next_escalation_at: incident.escalation.due.map(format_time),
            paused: incident.escalation.silenced,
            roles: roles(&seen.roles),
            responders: seen
                .roles
                .responders
                .iter()
                .map(ToString::to_string)
                .collect(),
            promises: promises(&seen.promises),
            tasks: tasks(seen.tasks),
            changes_unlisted: seen.changes.more,
            changes: changes(seen.changes),
            hold: incident.escalation.hold.map(HoldLine::of),
            silences: named.map(line).collect(),
            merged_into: incident.lifecycle.merged_into.as_ref().map(|it| it.number),
            took_in: incident.took_in.clone(),
            reopens_at: state.tally.reopen_due.map(format_time),
            refs: seen.refs.into_iter().map(RefLine::of).collect(),
            mitigated_at: seen.mitigated_at.map(format_time),
            timeline: entries.into_iter().map(TimelineLine::of).collect(),
        }
    }
}

impl SilenceLine {
    pub(super) fn of(silence: &Silence) -> Self {
        Self {
            id: silence.id.clone(),
            created_by: silence.created_by.clone(),
            comment: silence.comment.clone(),
            ends_at: Some(format_time(silence.ends_at)),
        }
    }

    /// A silence that is no longer kept.
    fn unknown(silence: &SilenceRef) -> Self {
        Self {
            id: silence.id.clone(),
            created_by: silence.author.clone(),
            comment: silence.comment.clone(),
            ends_at: None,
        }
    }
}

impl HoldLine {
    fn of(hold: Hold) -> Self {
        Self {
            until: format_time(hold.until),
            stage: hold.stage,
        }
    }
}

impl RefLine {
    fn of(link: Ref) -> Self {
        Self {
            plugin: link.plugin.0,
            kind: link.kind,
            id: link.id,
            url: link.url,
        }
    }
}

impl DecisionLine {
    pub(super) fn of(decision: Decision) -> Self {
        Self {
            at: format_time(decision.at),
            by: decision.by.to_string(),
            about: decision.about.to_owned(),
            answer: decision.answer,
            reason: decision.reason,
            policy: decision.source.as_ref().map(PolicyLine::of),
        }
    }
}

impl TimelineLine {
    fn of(entry: TimelineEntry) -> Self {
        Self {
            at: format_time(entry.at),
            by: entry.by.to_string(),
            by_kind: entry.by.kind().to_owned(),
            text: entry.text,
            link: entry.link,
        }
    }
}

fn roles(roles: &Roles) -> Vec<RoleLine> {
    let line = |role: Role| RoleLine {
        role,
        person: roles.of(role).map(ToString::to_string),
        asked: roles.offered.get(&role).map(ToString::to_string),
    };
    let all = Role::ALL.into_iter().map(line);
    all.filter(|it| it.person.is_some() || it.asked.is_some())
        .collect()
}

fn promises(promises: &Promises) -> Vec<PromiseLine> {
    let line = |(audience, it): (&Audience, &Promise)| PromiseLine {
        audience: *audience,
        due: format_time(it.due),
        broken: it.stage == PromiseStage::Broken,
    };
    promises.open.iter().map(line).collect()
}

fn tasks(tasks: Tasks) -> Vec<TaskLine> {
    let line = |(task, it): (u32, Task)| TaskLine {
        task,
        text: it.text,
        owner: it.owner.map(|it| it.0),
        done_at: it.done_at.map(format_time),
    };
    tasks.all.into_iter().map(line).collect()
}

fn changes(changes: Changes) -> Vec<ChangeLine> {
    let line = |(change, it): (u32, IncidentChange)| ChangeLine {
        change,
        title: it.brief.title,
        at: format_time(it.brief.at),
        status: it.status,
        link: it.brief.link,
    };
    changes.all.into_iter().map(line).collect()
}

fn pages(incident: &Incident) -> Vec<PageLine> {
    let kind = |page: &Page, contact: u32| {
        let contact = usize::try_from(contact).ok();
        contact.and_then(|at| Some(page.contacts.get(at)?.kind.clone()))
    };
    let attempt = |page: &Page, (contact, state): (&u32, &Attempt)| {
        let by = kind(page, *contact)?;
        let state = *state;
        Some(AttemptLine { by, state })
    };
    let line = |(number, page): (&u32, &Page)| PageLine {
        page: *number,
        person: page.person.to_string(),
        via: kind(page, page.contact),
        state: match page.state {
            CorePageState::Settled => PageState::Settled,
            _ if page.is_accepted() => PageState::Accepted,
            CorePageState::Exhausted => PageState::Exhausted,
            CorePageState::Sent { .. } | CorePageState::Accepted => PageState::Waiting,
        },
        attempts: page
            .attempts
            .iter()
            .filter_map(|it| attempt(page, it))
            .collect(),
        next_rung_at: match page.state {
            CorePageState::Sent { next_contact_at } => next_contact_at.map(format_time),
            _ => None,
        },
        at: format_time(page.at),
    };
    incident.paging.pages.iter().map(line).collect()
}
