//! The audit: what must be true of a store after a kill at any point. Each fault is a sentence that
//! begins with its kind.

use std::collections::BTreeMap;

use tocsin::people::MadeOverride;
use tocsin_core::pager::PageAttempt;
use tocsin_core::{Event, Timestamp};

use super::ledger::{Act, Ledger, Once};
use super::record::{IncidentRecord, Record};

/// Prefixes of the effects of log lines and pages.
pub(super) const LINE: &str = "http:log:";
const PAGE: &str = "http:page:";

/// Everything that is wrong with a store after a kill.
#[must_use]
pub fn audit(ledger: &Ledger, record: &Record) -> Vec<String> {
    let mut faults = Vec::new();
    check_alerts(ledger, record, &mut faults);
    check_actions(ledger, record, &mut faults);
    for incident in record.incidents.values() {
        check_pages(record, incident, &mut faults);
        check_steps(incident, &mut faults);
    }
    check_timers(record, &mut faults);
    check_overrides(ledger, record, &mut faults);
    faults
}

/// Work that was not done although there was time: the load had ended, and everything due at
/// `quiet_since` should be done. Deliveries that wait for a retry are excluded.
#[must_use]
pub fn settled(record: &Record, quiet_since: Timestamp) -> Vec<String> {
    let mut faults = Vec::new();
    for timer in record.due_before(quiet_since) {
        faults.push(format!(
            "passed over: timer {} due {}",
            timer.id, timer.due.0
        ));
    }
    for row in record
        .waiting
        .iter()
        .filter(|it| it.not_before < quiet_since)
    {
        let (key, tries) = (&row.key, row.attempts);
        faults.push(format!(
            "not delivered in {tries} tries: {key:?}: {}",
            row.body
        ));
    }
    faults
}

/// Messages whose outcome was unknown at an inspection, by their effect's key, and that were never
/// followed up: the program did not report them in its own log (`reported`) or in the incident's,
/// and the plugin has no note to check them. This covers all log lines and all messages with pages,
/// except those that still wait for another attempt.
#[must_use]
pub fn left_alone(
    unknown: &BTreeMap<String, String>,
    record: &Record,
    reported: &[String],
) -> Vec<String> {
    let (said, waiting) = (record.unknown_in_logs(), record.messages_underway());
    let lines = record.lines_underway();
    let is_owed = |once: &str| once.starts_with(LINE) || once.starts_with(PAGE);
    let mut faults = Vec::new();
    for (key, once) in unknown.iter().filter(|it| is_owed(it.1)) {
        let looked_after = reported.contains(once) || record.doubted.contains(once);
        let is_underway = waiting.contains(key) || lines.contains(once);
        if !looked_after && !said.contains(key) && !is_underway {
            faults.push(format!("left alone: {once}{}", record.log_of(once)));
        }
    }
    faults
}

fn check_alerts(ledger: &Ledger, record: &Record, faults: &mut Vec<String>) {
    for ((service, name), word) in &ledger.alerts {
        let Some(answered) = word.answered else {
            continue;
        };
        let found = record.alerts.get(&(service.clone(), name.clone()));
        let is_right = found.is_some_and(|it| *it == answered || Some(*it) == word.asked);
        if !is_right {
            faults.push(format!(
                "missing: alert {name} of {service} was accepted with firing={answered}, then sent \
                 with {:?}, and is {found:?}",
                word.asked
            ));
        }
        if record.of_service(service).is_none() {
            faults.push(format!(
                "missing: no incident of {service}, whose alert was accepted"
            ));
        }
    }
}

fn check_actions(ledger: &Ledger, record: &Record, faults: &mut Vec<String>) {
    for ((service, act), once) in ledger.acts.iter().filter(|it| it.1.answered) {
        let is_it = |event: &Event| match act {
            Act::Ack => matches!(event, Event::Acknowledged { .. }),
            Act::Resolve => matches!(event, Event::Resolved { .. }),
        };
        let incident = record.of_service(service);
        let found = incident.is_some_and(|it| it.events.iter().any(|it| is_it(&it.event)));
        if !found {
            faults.push(format!(
                "missing: {act:?} of {service}, sent {} times",
                once.tries
            ));
        }
    }
    for (body, (service, once)) in &ledger.lines {
        let is_it = |event: &Event| matches!(event, Event::Logged { body: it, .. } if it == body);
        let of = record.of_service(service);
        let count = of.map_or(0, |it| {
            it.events.iter().filter(|it| is_it(&it.event)).count()
        });
        check_once(&format!("line `{body}` of {service}"), *once, count, faults);
    }
    for (title, once) in &ledger.opened {
        let all = record.incidents.values();
        let count = all.filter(|it| it.incident.about.title == *title).count();
        check_once(&format!("incident `{title}`"), *once, count, faults);
    }
}

fn check_once(what: &str, once: Once, count: usize, faults: &mut Vec<String>) {
    if once.answered && count == 0 {
        faults.push(format!("missing: {what}, sent {} times", once.tries));
    }
    if count > 1 {
        faults.push(format!("repeated: {what} exists {count} times"));
    }
}

/// A page that no channel has accepted waits for its person or is in a message, exactly once; or it
/// is being told what became of its message.
fn check_pages(record: &Record, of: &IncidentRecord, faults: &mut Vec<String>) {
    let incident = &of.incident;
    let pages = incident
        .paging
        .pages
        .iter()
        .filter(|_| incident.is_active());
    let attempts =
        pages.flat_map(|(number, page)| page.wanted_at().map(move |it| (number, page, it)));
    for (number, page, contact) in attempts {
        let wanted = PageAttempt {
            incident: incident.id.clone(),
            page: *number,
            contact,
            question: None,
        };
        let waiting = record.places_of(&wanted);
        if waiting > 1 || (waiting == 0 && !record.is_being_told(&wanted)) {
            faults.push(format!(
                "lost delivery: page {number} of incident {} to {} by contact {contact} waits \
                 {waiting} times",
                incident.number, page.person
            ));
        }
    }
}

/// Escalation steps are in order: none early, none skipped.
fn check_steps(of: &IncidentRecord, faults: &mut Vec<String>) {
    let mut last: Option<(u32, u32, Timestamp)> = None;
    let number = of.incident.number;
    let steps = u32::try_from(of.incident.escalation.plan.steps.len()).unwrap_or(u32::MAX);
    for recorded in &of.events {
        match &recorded.event {
            Event::Planned { .. } | Event::Reopened { .. } | Event::HoldExpired { .. } => {
                last = None;
            }
            Event::Escalated {
                step,
                round,
                next_at,
                ..
            } => {
                if let Some((before, turn, due)) = last {
                    let follows = if before + 1 < steps {
                        *step == before + 1
                    } else {
                        *step == before && *round == turn + 1
                    };
                    if !follows {
                        faults.push(format!(
                            "passed over: incident {number} went from step {before}.{turn} to \
                             {step}.{round}"
                        ));
                    }
                    if recorded.at < due {
                        faults.push(format!("early: step {step} of incident {number}"));
                    }
                }
                last = Some((*step, *round, *next_at));
            }
            _ => {}
        }
    }
}

/// Exactly the timers that the incidents want are set.
fn check_timers(record: &Record, faults: &mut Vec<String>) {
    let wanted = record.incidents.values().flat_map(|it| it.wants.iter());
    let wanted: std::collections::BTreeSet<_> = wanted.cloned().collect();
    for lost in wanted.difference(&record.timers) {
        faults.push(format!("lost timer: {} due {}", lost.id, lost.due.0));
    }
    for stray in record.timers.difference(&wanted) {
        faults.push(format!("stray timer: {} due {}", stray.id, stray.due.0));
    }
}

/// Every override that was answered is kept, once, with its rotation, person and end.
fn check_overrides(ledger: &Ledger, record: &Record, faults: &mut Vec<String>) {
    for (reason, over) in &ledger.overrides {
        let asked = (over.rotation.as_str(), over.person.as_str(), over.until);
        let is_it = |it: &&MadeOverride| {
            let kept = (it.rotation.as_str(), it.person.as_str(), it.until);
            it.reason == *reason && kept == asked
        };
        let count = record.overrides.iter().filter(is_it).count();
        check_once(&format!("override `{reason}`"), over.once, count, faults);
    }
}
