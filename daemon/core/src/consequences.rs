//! What a decision makes due: timers, and deliveries to plugins and people. Timers are a
//! function of state alone, so none can be forgotten: whatever changes the state, the difference
//! between what was wanted and what is wanted is set and cancelled with it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::alert::Tally;
use crate::event::{Event, Recorded};
use crate::incident::{Incident, PageState};
use crate::{IncidentId, PersonId, Timestamp};

/// A timer of an incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timer {
    /// When it is due.
    pub due: Timestamp,
    /// What for.
    pub kind: TimerKind,
    /// Whose.
    pub incident: IncidentId,
}

/// What a timer is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimerKind {
    /// The plan's next step.
    Escalation,
    /// A page goes to the next contact.
    Contact {
        /// The page.
        page: u32,
        /// The contact whose time is up.
        contact: u32,
    },
    /// The stream gets the counts.
    Tally,
    /// Nothing has fired for a while.
    Clear,
}

/// Something to tell: a reference, not a payload. The payload is built when it is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "kebab-case")]
pub enum Notice {
    /// The incident began.
    Opened {
        /// The version that it had then.
        version: u64,
    },
    /// The incident changed.
    Changed {
        /// The version before.
        from: u64,
        /// The version after.
        to: u64,
        /// Whether only its counts changed: then a newer one replaces it.
        counts_only: bool,
    },
    /// Somebody wrote a line of the log.
    LogAdded {
        /// The version of its event.
        version: u64,
    },
    /// Wake a person up.
    Page {
        /// The page.
        page: u32,
        /// Its contact.
        contact: u32,
        /// Whom.
        person: PersonId,
        /// The contact's kind.
        channel: String,
    },
    /// A page needs no answer any more.
    Settled {
        /// The page.
        page: u32,
        /// Whom it went to.
        person: PersonId,
        /// The kind of the contact that took it.
        channel: String,
    },
}

/// Every timer that an incident wants.
#[must_use]
pub fn wanted_timers(incident: &Incident, tally: &Tally) -> BTreeSet<Timer> {
    let mut timers = BTreeSet::new();
    if !incident.is_active() {
        return timers;
    }
    let mut want = |due: Option<Timestamp>, kind: TimerKind| {
        let incident = incident.id.clone();
        timers.extend(due.map(|due| Timer {
            due,
            kind,
            incident,
        }));
    };
    if incident.acknowledged_at.is_none() {
        want(incident.escalation.due, TimerKind::Escalation);
    }
    for (&number, page) in &incident.pages {
        if let PageState::Sent { next_contact_at } = page.state {
            want(
                next_contact_at,
                TimerKind::Contact {
                    page: number,
                    contact: page.contact,
                },
            );
        }
    }
    want(tally.log_due, TimerKind::Tally);
    want(tally.clear_due, TimerKind::Clear);
    timers
}

/// What a decision's events make it necessary to tell.
#[must_use]
pub fn notices(
    before: Option<&Incident>,
    after: &Incident,
    events: &[Recorded],
    settle_pages: &[u32],
) -> Vec<Notice> {
    let mut notices = Vec::new();
    let from = before.map_or(0, |it| it.version);
    if before.is_none() {
        notices.push(Notice::Opened {
            version: after.version,
        });
    } else if events.iter().any(|it| is_change(&it.event)) {
        let counts_only = events
            .iter()
            .all(|it| matches!(it.event, Event::Tallied { .. }));
        notices.push(Notice::Changed {
            from,
            to: after.version,
            counts_only,
        });
    }
    for (version, recorded) in (from + 1..).zip(events) {
        notices.extend(notice_of(after, &recorded.event, version));
    }
    let no_pages = std::collections::BTreeMap::new();
    let pages_before = before.map_or(&no_pages, |it| &it.pages);
    for (&number, page) in &after.pages {
        let was_out = pages_before
            .get(&number)
            .is_some_and(|it| it.state == PageState::Taken);
        let is_settled = page.state == PageState::Settled;
        if is_settled && (was_out || settle_pages.contains(&number)) {
            notices.extend(page.current().map(|contact| Notice::Settled {
                page: number,
                person: page.person.clone(),
                channel: contact.kind.clone(),
            }));
        }
    }
    notices
}

fn notice_of(after: &Incident, event: &Event, version: u64) -> Option<Notice> {
    let (page, contact) = match event {
        Event::Logged { .. } => return Some(Notice::LogAdded { version }),
        Event::Paged { page, .. } => (*page, 0),
        Event::PageRedirected { page, contact, .. } => (*page, *contact),
        _ => return None,
    };
    let sent = after.pages.get(&page)?;
    let channel = sent.contacts.get(contact as usize)?.kind.clone();
    Some(Notice::Page {
        page,
        contact,
        person: sent.person.clone(),
        channel,
    })
}

/// Whether plugins are told of it as a change of the incident.
fn is_change(event: &Event) -> bool {
    match event {
        Event::Tallied { .. }
        | Event::Graded { .. }
        | Event::GradeProposed { .. }
        | Event::Planned { .. }
        | Event::Escalated { .. }
        | Event::PageExhausted { .. }
        | Event::Acknowledged { .. }
        | Event::OperatorAssigned { .. }
        | Event::Mitigated { .. }
        | Event::Resolved { .. }
        | Event::Reopened { .. }
        | Event::Closed {} => true,
        Event::Opened(_)
        | Event::Paged { .. }
        | Event::PageRedirected { .. }
        | Event::PageRebased { .. }
        | Event::PageTaken { .. }
        | Event::PageOutcomeUnknown { .. }
        | Event::Logged { .. }
        | Event::Linked(_) => false,
    }
}
