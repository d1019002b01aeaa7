//! How incidents look in the API.

use tocsin_core::event::Recorded;
use tocsin_core::incident::{Incident, PageState as CorePageState};
use tocsin_core::{Timestamp, narrate};

use crate::api::{
    AlertCounts, IncidentDetail, IncidentLine, PageLine, PageState, RefLine, TimelineLine,
};
use crate::disclosure::REDACTED_TITLE;
use crate::ingest::format_time;
use crate::runtime::{IncidentState, Summary};

impl IncidentLine {
    pub(super) fn of(summary: Summary, clearance: bool) -> Self {
        let (title, service, team) = match summary.security && !clearance {
            true => (REDACTED_TITLE.to_owned(), String::new(), None),
            false => (summary.title, summary.service, summary.team),
        };
        Self {
            number: summary.number,
            id: summary.id.0,
            title,
            service,
            team: team.map(|it| it.0),
            grade: summary.grade,
            security: summary.security,
            status: summary.status,
            acknowledged: summary.acknowledged,
            operator: summary.operator.map(|it| it.0),
            opened_at: format_time(summary.opened_at),
            resolved_at: summary.resolved_at.map(format_time),
        }
    }
}

impl IncidentDetail {
    pub(super) fn of(held: &IncidentState, events: &[Recorded], clearance: bool) -> Self {
        let incident = held.incident.as_ref();
        let sees = clearance || !incident.grading.security;
        let line = IncidentLine::of(Summary::from(incident), clearance);
        let time = |at: Option<Timestamp>| at.map(format_time);
        let mut it = Self {
            line,
            summary: incident.about.summary.clone(),
            grade_reason: incident.grading.reason.clone(),
            drill: incident.about.drill,
            link: incident.about.link.clone(),
            labels: incident.about.labels.clone(),
            alerts: AlertCounts {
                total: held.tally.counts.total,
                firing: held.tally.counts.firing,
            },
            pages: pages(incident),
            next_escalation_at: time(incident.escalation.due),
            refs: refs(incident),
            mitigated_at: time(incident.lifecycle.mitigated_at),
            timeline: Vec::new(),
        };
        if sees {
            it.timeline = timeline(incident, events);
        } else {
            it.hide();
        }
        it
    }

    fn hide(&mut self) {
        self.summary.clear();
        self.grade_reason.clear();
        self.link = None;
        self.labels.clear();
        self.refs.clear();
    }
}

fn pages(incident: &Incident) -> Vec<PageLine> {
    let line = |(number, page): (&u32, &tocsin_core::incident::Page)| PageLine {
        page: *number,
        person: page.person.to_string(),
        via: usize::try_from(page.contact)
            .ok()
            .and_then(|at| page.contacts.get(at))
            .map(|it| it.kind.clone()),
        state: match page.state {
            CorePageState::Sent { .. } => PageState::Waiting,
            CorePageState::Taken => PageState::Taken,
            CorePageState::Exhausted => PageState::Exhausted,
            CorePageState::Settled => PageState::Settled,
        },
        at: format_time(page.at),
    };
    incident.paging.pages.iter().map(line).collect()
}

fn refs(incident: &Incident) -> Vec<RefLine> {
    let line = |it: &tocsin_core::event::Ref| RefLine {
        plugin: it.plugin.to_string(),
        kind: it.kind.clone(),
        id: it.id.clone(),
        url: it.url.clone(),
    };
    incident.refs.iter().map(line).collect()
}

/// Each event is told by the state after it, since the incident forgets old pages.
fn timeline(incident: &Incident, events: &[Recorded]) -> Vec<TimelineLine> {
    let mut state: Option<Incident> = None;
    let mut lines = Vec::with_capacity(events.len());
    for event in events {
        state = match state {
            Some(state) => Some(state.fold(event)),
            None => Incident::begin(&incident.id, event).ok(),
        };
        lines.push(TimelineLine {
            at: format_time(event.at),
            by: event.by.to_string(),
            by_kind: event.by.kind().to_owned(),
            text: narrate(state.as_ref().unwrap_or(incident), event),
        });
    }
    lines
}
