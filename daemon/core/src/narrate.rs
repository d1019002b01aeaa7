//! Events in words: what the log, the war room and `tocsin incident show` say of them. One
//! place, so that every audience reads the same.

use crate::alert::Counts;
use crate::event::{Event, LogKind, Opened, Recorded, Ref};
use crate::incident::Incident;

/// An event in one line, without its time: "ada acknowledged through slack". `incident` is the
/// state after it, which knows the pages that the event speaks of.
#[must_use]
pub fn narrate(incident: &Incident, recorded: &Recorded) -> String {
    let by = &recorded.by;
    match &recorded.event {
        Event::Opened(opened) => opening(opened),
        Event::Tallied { counts, sample } => tallied(*counts, sample),
        Event::Graded {
            grade,
            reason,
            source,
            ..
        } => match source {
            Some(source) => format!("graded {grade} by {}: {reason}", source.file),
            None => format!("{by} graded it {grade}: {reason}"),
        },
        Event::GradeProposed { grade, reason } => {
            format!("a policy would grade it {grade} ({reason}); the grade set by hand stands")
        }
        Event::Planned { reason, .. } => format!("a new escalation plan: {reason}"),
        Event::Escalated {
            step, round, note, ..
        } => escalated(*step, *round, note.as_deref()),
        Event::Paged {
            person, contacts, ..
        } => {
            let first = contacts.first().map_or("no contact", |it| it.kind.as_str());
            format!("paged {person} by {first}")
        }
        Event::PageRedirected {
            page,
            contact,
            reason,
            ..
        } => {
            let to = page_channel(incident, *page, *contact);
            let person = page_person(incident, *page);
            format!("paged {person} again by {to}: {reason}")
        }
        Event::PageTaken {
            page,
            contact,
            interrupted,
        } => taken(incident, *page, *contact, *interrupted),
        Event::PageOutcomeUnknown { page, contact } => format!(
            "the outcome of the page to {} by {} is unknown; it may have arrived",
            page_person(incident, *page),
            page_channel(incident, *page, *contact)
        ),
        Event::PageRebased { page, .. } => format!(
            "the page to {} gets its time anew: the daemon was down",
            page_person(incident, *page)
        ),
        Event::PageExhausted { page, reason } => {
            format!(
                "no channel reaches {}: {reason}",
                page_person(incident, *page)
            )
        }
        Event::Acknowledged { via } => format!("{by} acknowledged through {via}"),
        Event::OperatorAssigned { person } => format!("{person} is the operator"),
        Event::Logged { kind, body } => format!("{by} {} {body}", log_verb(*kind)),
        Event::Linked(link) => linked(link),
        Event::Mitigated { reason } => format!("{by} mitigated it: {reason}"),
        Event::Resolved { reason, .. } => format!("resolved by {by}: {reason}"),
        Event::Reopened { reason } => format!("reopened: {reason}"),
        Event::Closed {} => format!("{by} closed it"),
    }
}

fn tallied(counts: Counts, sample: &[String]) -> String {
    let names = if sample.is_empty() {
        String::new()
    } else {
        format!(" ({})", sample.join(", "))
    };
    format!(
        "{} alerts so far, {} firing{names}",
        counts.total, counts.firing
    )
}

fn linked(link: &Ref) -> String {
    let place = link.url.as_ref().unwrap_or(&link.id);
    format!("{} {} is {place}", link.plugin, link.kind)
}

fn opening(opened: &Opened) -> String {
    let said = format!("opened, graded {}: {}", opened.grade, opened.grade_reason);
    match opened.plan.steps.is_empty() {
        true => format!("{said}; nobody is paged: {}", opened.plan_reason),
        false => said,
    }
}

fn escalated(step: u32, round: u32, note: Option<&str>) -> String {
    let note = note.map_or(String::new(), |it| format!(" ({it})"));
    match (step, round) {
        (0, 0) => format!("escalation begins{note}"),
        (_, 0) => format!("nobody acknowledged: escalation step {}{note}", step + 1),
        _ => format!(
            "nobody acknowledged: step {} again, repeat {round}{note}",
            step + 1
        ),
    }
}

fn log_verb(kind: LogKind) -> &'static str {
    match kind {
        LogKind::Seen => "saw:",
        LogKind::Decided => "decided:",
        LogKind::Done => "did:",
        LogKind::Note => "notes:",
    }
}

fn taken(incident: &Incident, page: u32, contact: u32, interrupted: bool) -> String {
    let through = page_channel(incident, page, contact);
    let person = page_person(incident, page);
    let earlier = match interrupted {
        true => "; an earlier try was cut off, and it is unknown whether it came too",
        false => "",
    };
    format!("the page to {person} went out by {through}{earlier}")
}

fn page_person(incident: &Incident, page: u32) -> &str {
    incident
        .pages
        .get(&page)
        .map_or("somebody", |it| it.person.as_str())
}

fn page_channel(incident: &Incident, page: u32, contact: u32) -> &str {
    let contacts = incident.pages.get(&page).map(|it| it.contacts.as_slice());
    contacts
        .and_then(|it| it.get(contact as usize))
        .map_or("another way", |it| it.kind.as_str())
}
