//! Read-only views of the alert, the incident and the context for policies.
//!
//! A view shares its data, so that passing it to a script costs a pointer and not a copy of every
//! label.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tocsin_core::alert::Counts;
use tocsin_core::{
    Grade, Grading, Incident, IncidentId, IncidentKey, Labels, PersonId, Signal, Status, Target,
    TeamId, Timestamp,
};

use crate::alerts::AlertIndex;
use crate::limits::{CONTEXT_CHANGES_MAX, CONTEXT_PEOPLE_MAX, CONTEXT_ROTATIONS_MAX};

/// An alert as policies see it.
#[derive(Clone, Debug)]
pub struct AlertView(pub(crate) Arc<Signal>);

impl AlertView {
    /// The view of a signal; an `Arc<Signal>` is shared, a `Signal` moved.
    #[must_use]
    pub fn new(signal: impl Into<Arc<Signal>>) -> Self {
        Self(signal.into())
    }

    /// The signal itself.
    #[must_use]
    pub fn signal(&self) -> &Signal {
        &self.0
    }
}

impl From<&Signal> for AlertView {
    fn from(signal: &Signal) -> Self {
        Self(Arc::new(signal.clone()))
    }
}

/// The data of an incident for policies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentFacts {
    /// None while it is being opened.
    pub id: Option<IncidentId>,
    /// 0 while it is being opened.
    pub number: u64,
    pub key: IncidentKey,
    pub title: String,
    /// The affected service.
    pub service: String,
    /// The team that owns it.
    pub team: Option<TeamId>,
    /// None before the first grading.
    pub grade: Option<Grade>,
    /// Whether only people with clearance may see it.
    pub security: bool,
    pub status: Status,
    /// Distinct alerts that ever belonged to it.
    pub alerts_total: u64,
    /// Distinct alerts that fire now.
    pub alerts_firing: u64,
    /// The labels of its first alert.
    pub labels: Labels,
    pub opened_at: Timestamp,
    /// When it was opened or last reopened.
    #[serde(default)]
    pub active_since: Timestamp,
    /// Whether somebody has acknowledged it.
    pub acknowledged: bool,
    /// Whether this is a drill, not a real incident.
    pub drill: bool,
}

impl IncidentFacts {
    /// An incident that is about to open at `now` for its first alert: without id, number and
    /// grade.
    #[must_use]
    pub fn opening(target: &Target, first: &Signal, now: Timestamp) -> Self {
        Self {
            id: None,
            number: 0,
            key: target.key.clone(),
            title: target.title.clone().unwrap_or_else(|| first.title.clone()),
            service: target.service.clone(),
            team: target.team.clone(),
            grade: None,
            security: false,
            status: Status::Open,
            alerts_total: 1,
            alerts_firing: 1,
            labels: first.labels.clone(),
            opened_at: now,
            active_since: now,
            acknowledged: false,
            drill: first.drill().is_some(),
        }
    }

    /// A made-up incident that opens at `now`, with nothing but a team and a grade, to ask what
    /// would be done.
    #[must_use]
    pub fn plain(team: Option<TeamId>, grade: Grade, now: Timestamp) -> Self {
        Self {
            id: None,
            number: 0,
            key: IncidentKey::from("plain"),
            title: String::new(),
            service: String::new(),
            team,
            grade: Some(grade),
            security: false,
            status: Status::Open,
            alerts_total: 1,
            alerts_firing: 1,
            labels: Labels::new(),
            opened_at: now,
            active_since: now,
            acknowledged: false,
            drill: false,
        }
    }

    /// An existing incident, with the exact counts of its alerts.
    #[must_use]
    pub fn of(incident: &Incident, counts: Counts) -> Self {
        Self {
            id: Some(incident.id.clone()),
            number: incident.number,
            key: incident.about.key.clone(),
            title: incident.about.title.clone(),
            service: incident.about.service.clone(),
            team: incident.about.team.clone(),
            grade: Some(incident.grading.grade),
            security: incident.grading.security,
            status: incident.lifecycle.status,
            alerts_total: counts.total,
            alerts_firing: counts.firing,
            labels: incident.about.labels.clone(),
            opened_at: incident.lifecycle.opened_at,
            active_since: incident.lifecycle.active_since,
            acknowledged: incident.lifecycle.acknowledged_at.is_some(),
            drill: incident.about.drill,
        }
    }

    /// Sets a new grade, as the escalation policy runs after grading.
    #[must_use]
    pub fn graded(mut self, grading: Grading) -> Self {
        self.grade = Some(grading.grade);
        self.security = grading.security;
        self
    }
}

/// An incident as policies see it.
#[derive(Clone, Debug)]
pub struct IncidentView(pub(crate) Arc<IncidentFacts>);

impl IncidentView {
    /// The view of these facts.
    #[must_use]
    pub fn new(facts: impl Into<Arc<IncidentFacts>>) -> Self {
        Self(facts.into())
    }

    /// The facts themselves.
    #[must_use]
    pub fn facts(&self) -> &IncidentFacts {
        &self.0
    }
}

/// The context of a policy: the time, who is on call, how loaded people are, and recent changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ContextFacts {
    /// The time, set by the caller.
    pub now: LocalTime,
    /// Who is on call per rotation. A rotation with nobody on call has an empty list; a rotation
    /// that is missing does not exist. At most [`CONTEXT_ROTATIONS_MAX`].
    pub on_call: BTreeMap<String, Vec<PersonId>>,
    /// How many incidents each person is handling now. At most [`CONTEXT_PEOPLE_MAX`].
    pub load: BTreeMap<PersonId, u32>,
    /// Recent changes. At most [`CONTEXT_CHANGES_MAX`], the newest are kept.
    pub changes: Vec<ChangeFacts>,
}

/// A change that may be the cause: a deployment, a pipeline, a flag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeFacts {
    /// The changed service.
    pub service: String,
    /// One line for people.
    pub title: String,
    /// When it took effect.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// A URL with more information.
    #[serde(default)]
    pub link: Option<String>,
}

/// A point in time, also as local time in the policies' time zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LocalTime {
    #[serde(rename = "utc_ms")]
    pub utc: Timestamp,
    /// The IANA time zone of the fields below.
    pub zone: String,
    /// 0 to 23.
    pub hour: u8,
    /// When the hour shows another number; `None` when unknown.
    #[serde(skip)]
    pub next_hour: Option<Timestamp>,
    /// When the next day begins; `None` when unknown.
    #[serde(skip)]
    pub next_day: Option<Timestamp>,
    /// 0 to 59.
    pub minute: u8,
    pub weekday: Weekday,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    #[default]
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// Monday first, as in ISO 8601.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    #[must_use]
    pub fn is_weekend(self) -> bool {
        matches!(self, Self::Saturday | Self::Sunday)
    }

    /// The name in policies: `monday`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }
}

/// The view of the context. Created once per snapshot and shared by its calls.
#[derive(Clone, Debug, Default)]
pub struct Context(pub(crate) Arc<ContextFacts>, Around);

/// What a context knows besides its facts.
#[derive(Clone, Debug, Default)]
struct Around {
    alerts: Option<Arc<dyn AlertIndex>>,
    /// The alert that is asked about.
    own: Option<AlertView>,
}

impl Context {
    /// A view of these facts, truncated to the limits: the first rotations and people by name, the
    /// newest changes.
    #[must_use]
    pub fn new(mut facts: ContextFacts) -> Self {
        cut(&mut facts.on_call, CONTEXT_ROTATIONS_MAX);
        cut(&mut facts.load, CONTEXT_PEOPLE_MAX);
        facts
            .changes
            .sort_by_key(|change| std::cmp::Reverse(change.at));
        facts.changes.truncate(CONTEXT_CHANGES_MAX);
        Self(Arc::new(facts), Around::default())
    }

    /// The same with the alerts that policies can ask about.
    #[must_use]
    pub fn with_alerts(mut self, alerts: Arc<dyn AlertIndex>) -> Self {
        self.1.alerts = Some(alerts);
        self
    }

    /// The same for a question about an alert.
    pub(crate) fn about(mut self, alert: Option<&AlertView>) -> Self {
        self.1.own = alert.cloned();
        self
    }

    pub(crate) fn alerts(&self) -> Option<&dyn AlertIndex> {
        self.1.alerts.as_deref()
    }

    pub(crate) fn own(&self) -> Option<&AlertView> {
        self.1.own.as_ref()
    }

    /// The same at another time.
    #[must_use]
    pub fn at(&self, now: LocalTime) -> Self {
        let facts = ContextFacts {
            now,
            ..ContextFacts::clone(&self.0)
        };
        Self(Arc::new(facts), self.1.clone())
    }

    /// The facts themselves.
    #[must_use]
    pub fn facts(&self) -> &ContextFacts {
        &self.0
    }
}

fn cut<K: Ord, V>(map: &mut BTreeMap<K, V>, entries_max: usize) {
    while map.len() > entries_max {
        map.pop_last();
    }
}
