//! What a decision makes due: timers, and deliveries to plugins and people. Timers are a
//! function of state alone, so none can be forgotten: whatever changes the state, the difference
//! between what was wanted and what is wanted is set and cancelled with it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::event::{Recorded, Told};
use crate::incident::{Incident, Tally};
use crate::{IncidentId, PersonId, Timestamp, escalation, log, paging};

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
    if !incident.is_active() {
        return BTreeSet::new();
    }
    let once = [
        (escalation::due(incident), TimerKind::Escalation),
        (tally.log_due, TimerKind::Tally),
        (tally.clear_due, TimerKind::Clear),
    ];
    let once = once.into_iter();
    let once = once.filter_map(|(due, kind)| due.map(|due| (due, kind)));
    let all = once.chain(paging::timers(&incident.paging));
    let timer = |(due, kind)| Timer {
        due,
        kind,
        incident: incident.id.clone(),
    };
    all.map(timer).collect()
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
    let told = |it: &Recorded| it.event.traits().told;
    if before.is_none() {
        notices.push(Notice::Opened {
            version: after.version,
        });
    } else if events.iter().any(|it| told(it) != Told::Nothing) {
        notices.push(Notice::Changed {
            from,
            to: after.version,
            counts_only: events.iter().all(|it| told(it) == Told::Counts),
        });
    }
    for (version, recorded) in (from + 1..).zip(events) {
        let event = &recorded.event;
        notices.extend(log::notice(event, version).or_else(|| paging::notice(after, event)));
    }
    notices.extend(paging::settled(before, after, settle_pages));
    notices
}
