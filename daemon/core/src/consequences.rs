//! The consequences of a decision: timers, and deliveries to plugins and people. Timers are a
//! function of state alone, so none can be missed: every change of state sets and cancels the
//! difference between the old set and the new one.

use std::collections::BTreeSet;

use crate::event::{Notify, Recorded};
use crate::grading::Changing;
use crate::incident::{Counts, Incident, Tally};
use crate::{Timestamp, lifecycle, log, paging, promises, prompts, roles};

pub use crate::notice::Notice;
pub use crate::timer::{Timer, TimerKind};

/// Every timer that an incident needs.
#[must_use]
pub fn wanted_timers(incident: &Incident, tally: &Tally) -> BTreeSet<Timer> {
    let timer = |(due, kind)| Timer {
        due,
        kind,
        incident: incident.id.clone(),
    };
    // Whoever waits for the last update of an incident waits although it is over.
    let promises = promises::timers(&incident.promises);
    if !incident.is_active() {
        let reopens = tally.reopen_due.map(|due| (due, TimerKind::Reopen));
        let all = reopens.into_iter().chain(promises);
        let all = all.chain(prompts::timers(&incident.prompts));
        return all.map(timer).collect();
    }
    let once = [
        (incident.escalation.due, TimerKind::Escalation),
        (tally.log_due, TimerKind::Tally),
        (lifecycle::clear_at(incident, tally), TimerKind::Clear),
        (tally.review_due(), TimerKind::Review),
        (paging::fallback_due(incident), TimerKind::Fallback),
        (incident.hold_due(tally), TimerKind::Hold),
    ];
    let once = once.into_iter();
    let once = once.filter_map(|(due, kind)| due.map(|due| (due, kind)));
    let all = once.chain(paging::timers(&incident.paging));
    let all = all.chain(prompts::timers(&incident.prompts));
    let all = all.chain(promises);
    let all = all.chain(prompts::operator_timers(incident, tally));
    let all = all.chain(roles::timers(&incident.roles));
    all.map(timer).collect()
}

/// The tally, with when the policies must be asked again now that the incident is as it is.
#[must_use]
pub fn with_review_due(incident: &Incident, mut tally: Tally, now: Timestamp) -> Tally {
    if let Some(standing) = &mut tally.standing {
        match incident.is_active() {
            true => standing.schedule(changing(incident, tally.counts), now),
            false => standing.review_due = None,
        }
    }
    tally
}

fn changing(incident: &Incident, counts: Counts) -> Changing {
    Changing {
        firing: counts.firing,
        total: counts.total,
        grade: incident.grading.grade,
        security: incident.grading.security,
        status: incident.lifecycle.status,
        acknowledged: incident.lifecycle.acknowledged_at.is_some(),
    }
}

/// The notices that a decision's events call for.
#[must_use]
pub fn notices(
    before: Option<&Incident>,
    after: &Incident,
    events: &[Recorded],
    settle_pages: &[(u32, u32)],
) -> Vec<Notice> {
    let mut notices = Vec::new();
    let from = before.map_or(0, |it| it.version);
    let notify = |it: &Recorded| it.event.traits().notify;
    if before.is_none() {
        notices.push(Notice::Opened {
            version: after.version,
        });
    } else if events.iter().any(|it| notify(it) != Notify::Nothing) {
        notices.push(Notice::Changed {
            from,
            to: after.version,
            counts_only: events.iter().all(|it| notify(it) == Notify::Counts),
        });
    }
    for (version, recorded) in (from + 1..).zip(events) {
        let event = &recorded.event;
        notices.extend(log::notice(event, version));
        notices.extend(promises::notice(after, event, version));
        notices.extend(paging::notices(after, event));
        notices.extend(prompts::notice(after, event));
    }
    notices.extend(paging::settled(before, after, settle_pages));
    notices.extend(prompts::settled(before, after));
    notices
}
