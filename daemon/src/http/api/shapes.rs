//! How incidents look in the API. Times are RFC 3339 in UTC.

use serde::Serialize;
use tocsin_core::event::{Recorded, Ref};
use tocsin_core::incident::{Incident, PageState};
use tocsin_core::{Grade, Labels, Status};
use utoipa::ToSchema;

use crate::disclosure::{Clearance, Disclosed, DisclosedLine, TimelineEntry, timeline};
use crate::runtime::IncidentState;
use crate::time::format_time;

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
            acknowledged: line.acknowledged,
            operator: line.operator.map(|it| it.0),
            opened_at: format_time(line.opened_at),
            resolved_at: line.resolved_at.map(format_time),
        }
    }
}

impl IncidentDetail {
    pub(super) fn of(state: &IncidentState, events: &[Recorded], clearance: Clearance) -> Self {
        let incident = state.incident.as_ref();
        let seen = Disclosed::of(incident, clearance);
        let entries = timeline(incident, events, clearance);
        Self {
            line: IncidentLine::of(seen.line),
            summary: seen.summary,
            grade_reason: seen.grade_reason,
            drill: seen.drill,
            link: seen.link,
            labels: seen.labels,
            alerts: AlertCounts {
                total: state.tally.counts.total,
                firing: state.tally.counts.firing,
            },
            pages: pages(incident),
            next_escalation_at: incident.escalation.due.map(format_time),
            refs: seen.refs.into_iter().map(RefLine::of).collect(),
            mitigated_at: seen.mitigated_at.map(format_time),
            timeline: entries.into_iter().map(TimelineLine::of).collect(),
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

impl TimelineLine {
    fn of(entry: TimelineEntry) -> Self {
        Self {
            at: format_time(entry.at),
            by: entry.by.to_string(),
            by_kind: entry.by.kind(),
            text: entry.text,
        }
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
