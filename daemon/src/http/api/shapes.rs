//! How incidents look in the API. Times are RFC 3339 in UTC.

use serde::Serialize;
use tocsin_core::event::Recorded;
use tocsin_core::incident::{Incident, PageState};
use tocsin_core::{Grade, Labels, Status, Timestamp, narrate};
use utoipa::ToSchema;

use crate::disclosure::REDACTED_TITLE;
use crate::ingest::format_time;
use crate::runtime::{IncidentState, Summary};

/// An incident in one line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentLine {
    /// The short number that people say aloud.
    number: u64,
    /// Its id.
    id: String,
    /// One line.
    title: String,
    /// The service that is hurt.
    service: String,
    /// The team that owns it.
    team: Option<String>,
    /// How bad.
    #[schema(value_type = String, example = "critical")]
    grade: Grade,
    /// Whether only people with clearance may know more.
    security: bool,
    /// Where it stands.
    #[schema(value_type = String, example = "open")]
    status: Status,
    /// Whether somebody has it.
    acknowledged: bool,
    /// Who commands and operates.
    operator: Option<String>,
    /// When it began.
    opened_at: String,
    /// When the service was back.
    resolved_at: Option<String>,
}

/// An incident with its log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentDetail {
    /// Its line.
    #[serde(flatten)]
    line: IncidentLine,
    /// More.
    summary: String,
    /// Why that grade.
    grade_reason: String,
    /// Whether it is an exercise.
    drill: bool,
    /// Where a person can look.
    link: Option<String>,
    /// The first alert's labels.
    #[schema(value_type = Object)]
    labels: Labels,
    /// How many alerts.
    alerts: AlertCounts,
    /// Who was paged, and how that stands.
    pages: Vec<PageLine>,
    /// When the escalation goes on; none while it rests.
    next_escalation_at: Option<String>,
    /// What it is called elsewhere.
    refs: Vec<RefLine>,
    /// When the harm was stopped.
    mitigated_at: Option<String>,
    /// What happened, in order.
    timeline: Vec<TimelineLine>,
}

/// How many alerts.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct AlertCounts {
    /// Distinct ones that ever joined.
    total: u64,
    /// Those that fire.
    firing: u64,
}

/// A page to one person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageLine {
    /// Its number within the incident.
    page: u32,
    /// Whom.
    person: String,
    /// The kind of the contact that is tried or took it.
    via: Option<String>,
    /// `sent`, `taken`, `exhausted` or `settled`.
    state: &'static str,
    /// When.
    at: String,
}

/// What an incident is called elsewhere.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefLine {
    plugin: String,
    kind: String,
    id: String,
    url: Option<String>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TimelineLine {
    /// When.
    at: String,
    /// Who.
    by: String,
    /// What kind of who: `person`, `integration`, `plugin`, `token` or `tocsin`.
    by_kind: &'static str,
    /// What, in one line.
    text: String,
}

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
            PageState::Sent { .. } => "waiting",
            PageState::Taken => "taken",
            PageState::Exhausted => "exhausted",
            PageState::Settled => "settled",
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
            by_kind: event.by.kind(),
            text: narrate(state.as_ref().unwrap_or(incident), event),
        });
    }
    lines
}
