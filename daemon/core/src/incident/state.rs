//! The state of an incident, folded from its events.

use serde::{Deserialize, Serialize};

use crate::changes::Changes;
use crate::escalation::Escalation;
use crate::event::{Event, Opened, Recorded};
use crate::grading::GradeState;
use crate::incident::tally::Counts;
use crate::lifecycle::Lifecycle;
use crate::links::AlertLink;
use crate::log::Ref;
use crate::paging::Paging;
use crate::promises::Promises;
use crate::prompts::Prompts;
use crate::roles::Roles;
use crate::tasks::Tasks;
use crate::{Actor, IncidentId, IncidentKey, Labels, PageId, TeamId, Timestamp, log};

/// The current state of an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    /// The number of its events.
    pub version: u64,
    /// The short number that people use.
    pub number: u64,
    pub about: Subject,
    pub grading: GradeState,
    pub lifecycle: Lifecycle,
    /// As last written to its stream.
    pub counts: Counts,
    pub escalation: Escalation,
    pub paging: Paging,
    #[serde(default)]
    pub prompts: Prompts,
    pub roles: Roles,
    #[serde(default)]
    pub tasks: Tasks,
    /// The updates that audiences wait for.
    #[serde(default)]
    pub promises: Promises,
    /// The changes to its services that may have caused it, and those while it is open.
    #[serde(default)]
    pub changes: Changes,
    /// Its ids in other systems.
    pub refs: Vec<Ref>,
    /// The keys of incidents that were merged into it, at most
    /// [`ABSORBED_KEYS_MAX`](crate::limits::ABSORBED_KEYS_MAX): alerts under them belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absorbed: Vec<IncidentKey>,
    /// Their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub took_in: Vec<u64>,
}

/// What an incident is about. Immutable after it opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Alerts with the same key belong to the same incident.
    pub key: IncidentKey,
    pub title: String,
    /// A few lines, from the first alert or from the person who opened it.
    pub summary: String,
    /// The affected service.
    pub service: String,
    /// The team that owns the service.
    pub team: Option<TeamId>,
    /// The first alert's labels.
    pub labels: Labels,
    /// A URL with more information.
    pub link: Option<String>,
    /// The first alert's runbook and other links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<AlertLink>,
    /// Whether this is a drill, not a real incident.
    pub drill: bool,
    /// Labels of the first alerts of incidents that opened before and are part of it, as routing
    /// said; those that nobody has touched are merged into it.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub merges: Labels,
}

impl Incident {
    #[must_use]
    pub fn page_id(&self, page: u32) -> PageId {
        PageId::of(&self.id, page)
    }

    /// The state after an incident's first event.
    ///
    /// # Errors
    /// [`FoldError`] when the first event is not `Opened`.
    pub fn begin(id: &IncidentId, first: &Recorded) -> Result<Self, FoldError> {
        match &first.event {
            Event::Opened(opened) => Ok(Self::opened(id, opened, first.at)),
            _ => Err(FoldError::NotOpened(id.clone())),
        }
    }

    /// The state of an incident from its whole stream.
    ///
    /// # Errors
    /// [`FoldError`] when the stream is empty or does not begin with `Opened`.
    pub fn replay(id: &IncidentId, stream: &[Recorded]) -> Result<Self, FoldError> {
        let (first, rest) = stream
            .split_first()
            .ok_or_else(|| FoldError::Empty(id.clone()))?;
        Ok(rest.iter().fold(Self::begin(id, first)?, Self::fold))
    }

    /// The state after one more event.
    #[must_use]
    pub fn fold(mut self, recorded: &Recorded) -> Self {
        let event = &recorded.event;
        self.version += 1;
        if let Event::Tallied { counts, .. }
        | Event::Resolved { counts, .. }
        | Event::Merged { counts, .. } = event
        {
            self.counts = *counts;
        }
        if let Event::Absorbed { keys, number, .. } = event {
            self.took_in.push(*number);
            self.absorbed.extend(keys.iter().cloned());
        }
        let (grade_before, security_before) = (self.grading.grade, self.grading.security);
        self.grading.fold(recorded);
        self.lifecycle.fold(recorded);
        let acknowledged = self.lifecycle.acknowledged_at.is_some();
        self.escalation.fold(recorded, acknowledged);
        let is_own = recorded
            .by
            .person()
            .is_some_and(|it| Some(it) == self.roles.operator.as_ref());
        if let Event::Acknowledged {
            hold_until: None, ..
        } = event
        {
            // It is of an earlier version.
            let until = recorded.at.plus_ms(self.hold_ms());
            self.escalation.holds(until);
        }
        let rises = self.grading.grade > grade_before || self.grading.security && !security_before;
        if acknowledged && self.is_active() && rises && !is_own {
            self.escalation.has_risen(recorded.at);
        }
        self.prompts.fold(recorded);
        self.paging.fold(recorded);
        self.promises.fold(recorded);
        self.tasks.fold(recorded);
        self.roles.fold(recorded);
        self.changes.fold(event);
        if self.grading.grade > grade_before && self.is_active() {
            self.roles.part_with_speaking();
            self.roles.ask_who_responds(recorded.at);
        }
        log::fold(&mut self.refs, event);
        self
    }

    /// The state after events that are being decided.
    pub(crate) fn after(&self, events: &[Event], by: &Actor, now: Timestamp) -> Self {
        events.iter().fold(self.clone(), |it, event| {
            let (at, by, event) = (now, by.clone(), event.clone());
            it.fold(&Recorded { at, by, event })
        })
    }

    fn opened(id: &IncidentId, opened: &Opened, at: Timestamp) -> Self {
        let opened = opened.clone();
        Self {
            id: id.clone(),
            version: 1,
            number: opened.number,
            grading: GradeState::opened(&opened, at),
            about: Subject {
                key: opened.key,
                title: opened.title,
                summary: opened.summary,
                service: opened.service,
                team: opened.team,
                labels: opened.labels,
                link: opened.link,
                links: opened.links,
                drill: opened.drill,
                merges: opened.merges,
            },
            lifecycle: Lifecycle::opened(at),
            counts: opened.counts,
            escalation: Escalation::starting(opened.plan, at),
            paging: Paging::default(),
            prompts: Prompts::default(),
            tasks: Tasks::default(),
            promises: Promises::default(),
            roles: Roles::default(),
            changes: Changes::default(),
            refs: Vec::new(),
            absorbed: Vec::new(),
            took_in: Vec::new(),
        }
    }
}

/// A stream that cannot be folded into an incident.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FoldError {
    #[error("incident {0} has no events")]
    Empty(IncidentId),
    #[error("the first event of incident {0} is not `opened`; its stream is damaged")]
    NotOpened(IncidentId),
}
