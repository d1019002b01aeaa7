//! An incident as it stands: the fold of its events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::alert::Counts;
use crate::event::{Event, Opened, Recorded, Ref};
use crate::{
    Contact, Grade, IncidentId, IncidentKey, Labels, PageId, PersonId, Plan, Status, TeamId,
    Timestamp, limits,
};

/// An incident as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// How many events it has: its revision.
    pub version: u64,
    /// The short number that people say aloud.
    pub number: u64,
    /// What it is about.
    pub about: Subject,
    /// How bad it is, and who says so.
    pub grading: GradeState,
    /// Its status, and since when.
    pub lifecycle: Lifecycle,
    /// The counts that its stream last got.
    pub counts: Counts,
    /// Whom to wake, and when next.
    pub escalation: Escalation,
    /// Who was paged.
    pub paging: Paging,
    /// Who does what.
    pub roles: Roles,
    /// What it is called elsewhere.
    pub refs: Vec<Ref>,
}

/// What an incident is about. Nothing here changes after it opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// What makes two alerts one incident.
    pub key: IncidentKey,
    /// One line.
    pub title: String,
    /// A few lines, from the first alert or from whoever opened it.
    pub summary: String,
    /// The affected service.
    pub service: String,
    /// The team that owns the service.
    pub team: Option<TeamId>,
    /// The first alert's labels.
    pub labels: Labels,
    /// Where a person can look.
    pub link: Option<String>,
    /// Whether it is an exercise.
    pub drill: bool,
}

/// How bad an incident is, and who says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GradeState {
    /// The grade.
    pub grade: Grade,
    /// Why that grade.
    pub reason: String,
    /// Whether only people with clearance may know.
    pub security: bool,
    /// Whether a person graded it: then policies only propose.
    pub by_person: bool,
    /// Whether no policy could be asked, so that no outside audience is told.
    pub by_fallback: bool,
}

/// An incident's status, and since when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// The status.
    pub status: Status,
    /// When it began.
    pub opened_at: Timestamp,
    /// When somebody acknowledged it; `None` after a reopen.
    pub acknowledged_at: Option<Timestamp>,
    /// When it was mitigated.
    pub mitigated_at: Option<Timestamp>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// How often it was reopened.
    pub reopens: u32,
}

/// Whom to wake, and where the plan stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// The plan.
    pub plan: Plan,
    /// The step that comes next; past the end the last one repeats.
    pub next_step: u32,
    /// How often the last step has been repeated.
    pub round: u32,
    /// When it comes; `None` while the escalation rests.
    pub due: Option<Timestamp>,
}

/// The pages of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// Pages by number; at most [`PAGES_MAX`](limits::PAGES_MAX) are remembered.
    pub pages: BTreeMap<u32, Page>,
    /// The next page's number.
    pub next_page: u32,
}

/// Who does what in an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// Who commands and operates.
    pub operator: Option<PersonId>,
}

/// A page to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Whom.
    pub person: PersonId,
    /// At which step.
    pub step: u32,
    /// How they are tried, in this order.
    pub contacts: Vec<Contact>,
    /// Which contact is being tried or took it.
    pub contact: u32,
    /// How it stands.
    pub state: PageState,
    /// When it was sent.
    pub at: Timestamp,
}

/// How a page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "is")]
pub enum PageState {
    /// No channel has taken it yet.
    Sent {
        /// When it goes to the next contact, if there is one.
        next_contact_at: Option<Timestamp>,
    },
    /// A channel has taken it.
    Taken,
    /// No channel would take it.
    Exhausted,
    /// Nobody need answer it any more.
    Settled,
}

impl Incident {
    /// The name of an incident's page.
    #[must_use]
    pub fn page_id(&self, page: u32) -> PageId {
        PageId(format!("{}-p{page}", self.id))
    }

    /// Whether people are at it: it was not resolved or closed.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.lifecycle.status.is_active()
    }

    /// Whether it still waits for somebody to have it.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.is_active() && self.lifecycle.acknowledged_at.is_none()
    }

    /// Whether it is resolved and may come back with its key.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        self.lifecycle.status == Status::Resolved
    }

    /// Whether an alert under its key brings it back at `now`, rather than opening another.
    #[must_use]
    pub fn may_reopen(&self, now: Timestamp, within_ms: u64) -> bool {
        let is_recent = self
            .lifecycle
            .resolved_at
            .is_some_and(|at| now.since(at) < within_ms);
        self.is_resolved() && is_recent && self.lifecycle.reopens < limits::REOPENS_MAX
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
        self.version += 1;
        self.take_course(recorded);
        self.take_page(recorded);
        self
    }

    fn opened(id: &IncidentId, opened: &Opened, at: Timestamp) -> Self {
        let opened = opened.clone();
        let by_fallback = [&opened.route_source, &opened.grade_source]
            .into_iter()
            .flatten()
            .any(|source| source.fallback.is_some());
        Self {
            id: id.clone(),
            version: 1,
            number: opened.number,
            about: Subject {
                key: opened.key,
                title: opened.title,
                summary: opened.summary,
                service: opened.service,
                team: opened.team,
                labels: opened.labels,
                link: opened.link,
                drill: opened.drill,
            },
            grading: GradeState {
                grade: opened.grade,
                reason: opened.grade_reason,
                security: opened.security,
                by_person: opened.grade_source.is_none(),
                by_fallback,
            },
            lifecycle: Lifecycle {
                status: Status::Open,
                opened_at: at,
                acknowledged_at: None,
                mitigated_at: None,
                resolved_at: None,
                reopens: 0,
            },
            counts: opened.counts,
            escalation: Escalation::starting(opened.plan, at),
            paging: Paging {
                pages: BTreeMap::new(),
                next_page: 1,
            },
            roles: Roles::default(),
            refs: Vec::new(),
        }
    }

    /// Events about the incident's course.
    fn take_course(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        match &recorded.event {
            Event::Tallied { counts, .. } => self.counts = *counts,
            Event::Graded {
                grade,
                security,
                reason,
                source,
            } => {
                self.grading.grade = *grade;
                self.grading.security = *security;
                self.grading.reason.clone_from(reason);
                self.grading.by_person |= source.is_none();
                self.grading.by_fallback &= source.as_ref().is_some_and(|it| it.fallback.is_some());
            }
            Event::Planned { plan, .. } => {
                self.escalation = Escalation::starting(plan.clone(), at);
            }
            Event::Escalated {
                step,
                round,
                next_at,
                ..
            } => {
                self.escalation.next_step = step + 1;
                self.escalation.round = *round;
                self.escalation.due = Some(*next_at);
            }
            Event::Acknowledged { .. } => {
                self.lifecycle.acknowledged_at.get_or_insert(at);
                self.rest();
            }
            Event::OperatorAssigned { person } => self.roles.operator = Some(person.clone()),
            Event::Linked(link) => self.link_to(link),
            Event::Mitigated { .. } => {
                self.lifecycle.status = Status::Mitigated;
                self.lifecycle.mitigated_at = Some(at);
            }
            Event::Resolved { counts, .. } => {
                self.lifecycle.status = Status::Resolved;
                self.lifecycle.resolved_at = Some(at);
                self.counts = *counts;
                self.rest();
            }
            Event::Reopened { .. } => self.reopen(at),
            Event::Closed {} => {
                self.lifecycle.status = Status::Closed;
                self.rest();
            }
            Event::Opened(_)
            | Event::GradeProposed { .. }
            | Event::Logged { .. }
            | Event::Paged { .. }
            | Event::PageRedirected { .. }
            | Event::PageRebased { .. }
            | Event::PageTaken { .. }
            | Event::PageExhausted { .. } => {}
        }
    }

    /// It begins anew: nobody has it, and the plan starts over.
    fn reopen(&mut self, at: Timestamp) {
        self.lifecycle.status = Status::Open;
        self.lifecycle.resolved_at = None;
        self.lifecycle.mitigated_at = None;
        self.lifecycle.acknowledged_at = None;
        self.roles.operator = None;
        self.lifecycle.reopens += 1;
        let plan = std::mem::take(&mut self.escalation.plan);
        self.escalation = Escalation::starting(plan, at);
    }

    /// Events about pages.
    fn take_page(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Paged {
                page,
                person,
                contacts,
                step,
                next_contact_at,
            } => {
                let sent = Page {
                    person: person.clone(),
                    step: *step,
                    contacts: contacts.clone(),
                    contact: 0,
                    state: PageState::Sent {
                        next_contact_at: *next_contact_at,
                    },
                    at: recorded.at,
                };
                self.paging.pages.insert(*page, sent);
                self.paging.next_page = page + 1;
                self.forget_old_pages();
            }
            Event::PageRedirected {
                page,
                contact,
                next_contact_at,
                ..
            } => {
                if let Some(it) = self.paging.pages.get_mut(page) {
                    it.contact = *contact;
                    it.state = PageState::Sent {
                        next_contact_at: *next_contact_at,
                    };
                }
            }
            Event::PageRebased {
                page,
                next_contact_at,
            } => {
                if let Some(it) = self.paging.pages.get_mut(page) {
                    let next_contact_at = Some(*next_contact_at);
                    it.state = PageState::Sent { next_contact_at };
                }
            }
            Event::PageTaken { page, contact, .. } => {
                if let Some(it) = self.paging.pages.get_mut(page) {
                    it.contact = *contact;
                    it.state = PageState::Taken;
                }
            }
            Event::PageExhausted { page, .. } => {
                if let Some(it) = self.paging.pages.get_mut(page) {
                    it.state = PageState::Exhausted;
                }
            }
            _ => {}
        }
    }

    /// The escalation rests and no page needs an answer.
    fn rest(&mut self) {
        self.escalation.due = None;
        for page in self.paging.pages.values_mut() {
            page.state = PageState::Settled;
        }
    }

    fn link_to(&mut self, link: &Ref) {
        self.refs
            .retain(|it| !(it.plugin == link.plugin && it.kind == link.kind));
        if self.refs.len() < limits::REFS_MAX {
            self.refs.push(link.clone());
        }
    }

    fn forget_old_pages(&mut self) {
        while self.paging.pages.len() > limits::PAGES_MAX {
            let idle = self
                .paging
                .pages
                .iter()
                .find(|(_, page)| !page.is_underway())
                .map(|(n, _)| *n);
            match idle {
                Some(page) => self.paging.pages.remove(&page),
                None => self.paging.pages.pop_first().map(|(_, page)| page),
            };
        }
    }
}

impl Escalation {
    /// A plan's beginning: its first step is due at once.
    fn starting(plan: Plan, at: Timestamp) -> Self {
        let due = if plan.steps.is_empty() {
            None
        } else {
            Some(at)
        };
        Self {
            plan,
            next_step: 0,
            round: 0,
            due,
        }
    }
}

impl Page {
    /// The contact that is being tried or took it.
    #[must_use]
    pub fn current(&self) -> Option<&Contact> {
        self.contacts.get(self.contact as usize)
    }

    /// Whether a channel is still to take it.
    #[must_use]
    pub fn is_underway(&self) -> bool {
        matches!(self.state, PageState::Sent { .. })
    }

    /// Whether the channel of this contact should still bring it.
    #[must_use]
    pub fn is_wanted_at(&self, contact: u32) -> bool {
        self.contact == contact && self.is_underway()
    }
}

/// A stream that is no incident's.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FoldError {
    /// There is no event.
    #[error("incident {0} has no events")]
    Empty(IncidentId),
    /// The first event is another.
    #[error("the first event of incident {0} is not `opened`; its stream is damaged")]
    NotOpened(IncidentId),
}
