//! An incident as a receiver may see it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tocsin_core::alert::Counts;
use tocsin_core::event::Ref;
use tocsin_core::incident::{Incident, Roles};
use tocsin_core::{
    AlertLink, Audience, Changes, Grade, IncidentId, Labels, PersonId, PluginId, PromiseCounts,
    Promises, Status, Tasks, TeamId, Timestamp,
};

use super::{Clearance, redacted_title};

/// The reason for a page, for a receiver who may not read the reason for the grade.
const REDACTED_PAGE_REASON: &str = "you are on call";

/// An incident as a receiver may see it. Without clearance, a security incident has
/// [`redacted_title`], and every other field that could contain text of an alert or a person is
/// empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Disclosed {
    pub line: DisclosedLine,
    pub revision: u64,
    pub summary: String,
    /// The first alert's labels.
    pub labels: Labels,
    /// A URL for people.
    pub link: Option<String>,
    /// The first alert's runbook and other links.
    pub links: Vec<AlertLink>,
    pub grade_reason: String,
    /// Whether the grade is a fallback because the policy failed.
    pub by_fallback: bool,
    /// The counts last recorded in the incident's stream.
    pub counts: Counts,
    /// Empty without clearance, except for a plugin's own refs: see [`Disclosed::to_plugin`].
    pub refs: Vec<Ref>,
    /// Who has which role, and who was asked to take one.
    pub roles: Roles,
    /// The open and the last finished tasks; none without clearance.
    pub tasks: Tasks,
    /// The changes to its services; none without clearance.
    pub changes: Changes,
    /// The updates that audiences wait for.
    pub promises: Promises,
    pub acknowledged_at: Option<Timestamp>,
    pub mitigated_at: Option<Timestamp>,
    /// The number of the incident that it was merged into.
    pub merged_into: Option<u64>,
    /// Whether text was redacted.
    pub is_redacted: bool,
}

/// The fields of an incident in lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DisclosedLine {
    pub id: IncidentId,
    /// The short number that people say aloud.
    pub number: u64,
    pub title: String,
    /// The affected service; `None` when redacted.
    pub service: Option<String>,
    pub team: Option<TeamId>,
    pub grade: Grade,
    pub security: bool,
    pub status: Status,
    /// Whether it is a drill.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drill: bool,
    pub acknowledged: bool,
    pub operator: Option<PersonId>,
    pub opened_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
}

/// The line of an incident as it is kept, for nobody's eyes yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    #[serde(flatten)]
    line: DisclosedLine,
    /// What became of the promises to each audience.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub promises: BTreeMap<Audience, PromiseCounts>,
}

impl Disclosed {
    /// The incident's current state.
    #[must_use]
    pub fn of(incident: &Incident, clearance: Clearance) -> Self {
        Self::past(incident, incident, clearance)
    }

    /// An earlier state of the incident, redacted according to the current security flag: what has
    /// become secret since is redacted in the past too.
    #[must_use]
    pub fn past(past: &Incident, today: &Incident, clearance: Clearance) -> Self {
        let whole = Self::whole(past);
        match clearance.may_see(today.grading.security) {
            true => whole,
            false => whole.redacted(),
        }
    }

    /// Like [`past`](Self::past), for a plugin. A plugin always gets its own refs, which it needs
    /// to find its chat room; those of others only with clearance.
    #[must_use]
    pub fn to_plugin(
        past: &Incident,
        today: &Incident,
        clearance: Clearance,
        plugin: &PluginId,
    ) -> Self {
        let mut seen = Self::past(past, today, clearance);
        if seen.is_redacted {
            let own = past.refs.iter().filter(|it| it.plugin == *plugin);
            seen.refs = own.cloned().collect();
        }
        seen
    }

    /// Why a person is paged.
    #[must_use]
    pub fn page_reason(&self) -> &str {
        match self.is_redacted {
            true => REDACTED_PAGE_REASON,
            false => &self.grade_reason,
        }
    }

    fn whole(incident: &Incident) -> Self {
        let Incident {
            about,
            grading,
            lifecycle,
            ..
        } = incident;
        Self {
            line: DisclosedLine::whole(incident),
            revision: incident.version,
            summary: about.summary.clone(),
            labels: about.labels.clone(),
            link: about.link.clone(),
            links: about.links.clone(),
            grade_reason: grading.reason.clone(),
            by_fallback: grading.by_fallback,
            counts: incident.counts,
            refs: incident.refs.clone(),
            roles: incident.roles.clone(),
            tasks: incident.tasks.clone(),
            changes: incident.changes.clone(),
            promises: incident.promises.clone(),
            acknowledged_at: lifecycle.acknowledged_at,
            mitigated_at: lifecycle.mitigated_at,
            merged_into: lifecycle.merged_into.as_ref().map(|it| it.number),
            is_redacted: false,
        }
    }

    /// Lists every field, so that a new one cannot be forgotten here.
    fn redacted(self) -> Self {
        Self {
            line: self.line.redacted(),
            summary: String::new(),
            labels: Labels::new(),
            link: None,
            links: Vec::new(),
            grade_reason: String::new(),
            refs: Vec::new(),
            is_redacted: true,
            revision: self.revision,
            by_fallback: self.by_fallback,
            counts: self.counts,
            roles: self.roles,
            tasks: Tasks::default(),
            changes: Changes::default(),
            promises: self.promises,
            acknowledged_at: self.acknowledged_at,
            mitigated_at: self.mitigated_at,
            merged_into: self.merged_into,
        }
    }
}

impl DisclosedLine {
    fn whole(incident: &Incident) -> Self {
        let Incident {
            about,
            grading,
            lifecycle,
            ..
        } = incident;
        Self {
            id: incident.id.clone(),
            number: incident.number,
            title: about.title.clone(),
            service: Some(about.service.clone()),
            team: about.team.clone(),
            grade: grading.grade,
            security: grading.security,
            status: lifecycle.status,
            drill: about.drill,
            acknowledged: lifecycle.acknowledged_at.is_some(),
            operator: incident.roles.operator.clone(),
            opened_at: lifecycle.opened_at,
            resolved_at: lifecycle.resolved_at,
        }
    }

    /// Lists every field, so that a new one cannot be forgotten here.
    fn redacted(self) -> Self {
        Self {
            title: redacted_title(self.number),
            service: None,
            team: None,
            id: self.id,
            number: self.number,
            grade: self.grade,
            security: self.security,
            status: self.status,
            drill: self.drill,
            acknowledged: self.acknowledged,
            operator: self.operator,
            opened_at: self.opened_at,
            resolved_at: self.resolved_at,
        }
    }
}

impl Summary {
    #[must_use]
    pub fn of(incident: &Incident) -> Self {
        Self {
            line: DisclosedLine::whole(incident),
            promises: incident.promises.settled.clone(),
        }
    }

    #[must_use]
    pub fn id(&self) -> &IncidentId {
        &self.line.id
    }

    #[must_use]
    pub fn number(&self) -> u64 {
        self.line.number
    }

    #[must_use]
    pub fn is_drill(&self) -> bool {
        self.line.drill
    }

    #[must_use]
    pub fn status(&self) -> Status {
        self.line.status
    }

    #[must_use]
    pub fn opened_at(&self) -> Timestamp {
        self.line.opened_at
    }

    /// What its reader may see of it.
    #[must_use]
    pub fn disclosed(self, clearance: Clearance) -> DisclosedLine {
        match clearance.may_see(self.line.security) {
            true => self.line,
            false => self.line.redacted(),
        }
    }
}
