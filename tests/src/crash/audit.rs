//! The auditor: what must hold of a store after a kill, whatever was under way. Each fault is a
//! sentence that begins with what kind of fault it is.

use std::collections::BTreeMap;

use tocsin_core::{Event, Timestamp};

use super::ledger::{Act, Ledger, Once};
use super::record::{Record, Told};

/// What the effect of a line of a log begins with, and …
const LINE: &str = "http:log:";
const PAGE: &str = "http:page:";

/// Everything that is wrong with a store after a kill.
#[must_use]
pub fn audit(ledger: &Ledger, record: &Record) -> Vec<String> {
    let mut faults = Vec::new();
    alerts_stand(ledger, record, &mut faults);
    deeds_stand(ledger, record, &mut faults);
    for told in record.incidents.values() {
        pages_wait(record, told, &mut faults);
        steps_follow(told, &mut faults);
    }
    timers_stand(record, &mut faults);
    faults
}

/// Everything that was passed over although there was time for it: the load had ended, and what
/// was due at `quiet_since` had been done. A delivery that waits for its retry is not among it.
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

/// Messages whose outcome was unknown at a look, by their effect's key, and which nobody looked
/// after: the program never said so, neither in its own log (`told`) nor in the incident's, and the
/// plugin does not remember to look for itself. All lines of logs are owed that, and all pages but
/// those that still wait for another attempt.
#[must_use]
pub fn left_alone(
    unknown: &BTreeMap<String, String>,
    record: &Record,
    told: &[String],
) -> Vec<String> {
    let (said, waiting) = (record.unknown_in_logs(), record.pages_in_outbox());
    let is_owed = |once: &str| once.starts_with(LINE) || once.starts_with(PAGE);
    let mut faults = Vec::new();
    for (key, once) in unknown.iter().filter(|it| is_owed(it.1)) {
        let looked_after = told.contains(once) || record.doubted.contains(once);
        if !looked_after && !said.contains(key) && !waiting.contains(key) {
            faults.push(format!("left alone: {once}{}", record.log_of(once)));
        }
    }
    faults
}

fn alerts_stand(ledger: &Ledger, record: &Record, faults: &mut Vec<String>) {
    for ((service, name), word) in &ledger.alerts {
        let Some(answered) = word.answered else {
            continue;
        };
        let found = record.alerts.get(&(service.clone(), name.clone()));
        let is_right = found.is_some_and(|it| *it == answered || Some(*it) == word.asked);
        if !is_right {
            faults.push(format!(
                "missing: alert {name} of {service} was answered as firing={answered}, then asked \
                 as {:?}, and stands as {found:?}",
                word.asked
            ));
        }
        if record.of_service(service).is_none() {
            faults.push(format!(
                "missing: no incident of {service}, whose alert was answered"
            ));
        }
    }
}

fn deeds_stand(ledger: &Ledger, record: &Record, faults: &mut Vec<String>) {
    for ((service, act), once) in ledger.acts.iter().filter(|it| it.1.answered) {
        let is_it = |event: &Event| match act {
            Act::Ack => matches!(event, Event::Acknowledged { .. }),
            Act::Resolve => matches!(event, Event::Resolved { .. }),
        };
        let told = record.of_service(service);
        let found = told.is_some_and(|it| it.events.iter().any(|it| is_it(&it.event)));
        if !found {
            faults.push(format!(
                "missing: {act:?} of {service}, asked {} times",
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
        once_and_no_more(&format!("line `{body}` of {service}"), *once, count, faults);
    }
    for (title, once) in &ledger.opened {
        let all = record.incidents.values();
        let count = all.filter(|it| it.incident.about.title == *title).count();
        once_and_no_more(&format!("incident `{title}`"), *once, count, faults);
    }
}

fn once_and_no_more(what: &str, once: Once, count: usize, faults: &mut Vec<String>) {
    if once.answered && count == 0 {
        faults.push(format!("missing: {what}, asked {} times", once.tries));
    }
    if count > 1 {
        faults.push(format!("repeated: {what} stands {count} times"));
    }
}

/// A page that no channel has taken waits in the outbox, once.
fn pages_wait(record: &Record, told: &Told, faults: &mut Vec<String>) {
    let incident = &told.incident;
    for (number, page) in &incident.paging.pages {
        if !page.is_underway() {
            continue;
        }
        let wanted = (incident.id.clone(), *number, page.contact);
        let waiting = record
            .pages_waiting
            .iter()
            .filter(|it| **it == wanted)
            .count();
        if waiting != 1 {
            faults.push(format!(
                "lost delivery: page {number} of incident {} to {} by contact {} waits {waiting} \
                 times",
                incident.number, page.person, page.contact
            ));
        }
    }
}

/// Steps of an escalation follow one another: none early, none left out.
fn steps_follow(told: &Told, faults: &mut Vec<String>) {
    let mut last: Option<(u32, u32, Timestamp)> = None;
    let number = told.incident.number;
    let steps = u32::try_from(told.incident.escalation.plan.steps.len()).unwrap_or(u32::MAX);
    for recorded in &told.events {
        match &recorded.event {
            Event::Planned { .. } | Event::Reopened { .. } => last = None,
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

/// The timers that are set are those that the incidents want, and no others.
fn timers_stand(record: &Record, faults: &mut Vec<String>) {
    let wanted = record.incidents.values().flat_map(|it| it.wants.iter());
    let wanted: std::collections::BTreeSet<_> = wanted.cloned().collect();
    for lost in wanted.difference(&record.timers) {
        faults.push(format!("lost timer: {} due {}", lost.id, lost.due.0));
    }
    for stray in record.timers.difference(&wanted) {
        faults.push(format!("stray timer: {} due {}", stray.id, stray.due.0));
    }
}
