//! The facts of an item, the most important first. Without clearance only status and times.

use std::collections::BTreeMap;

use tocsin_core::incident::{Attempt, HoldStage};
use tocsin_core::{ChangeStatus, PersonId, Status};

use super::{Fact, PageReader, PagedIncident};
use crate::disclosure::Disclosed;
use crate::text::{cut, one_line};
use crate::time::{shown_since, shown_span, shown_time};

/// Longest summary, in bytes.
const SUMMARY_BYTES_MAX: usize = 600;
/// Longest text of another fact, in bytes.
const TEXT_BYTES_MAX: usize = 300;
/// Most people that a fact names.
const NAMES_MAX: usize = 6;

pub(super) fn of(
    paged: &PagedIncident<'_>,
    seen: &Disclosed,
    reader: &PageReader<'_>,
) -> Vec<Fact> {
    let since = shown_since(reader.zone, seen.line.opened_at, reader.now);
    if seen.is_redacted {
        let hidden = "you may not see more of a security incident; ask somebody with clearance";
        let facts = [
            drill(seen),
            fact("Asked", asked(paged, reader)),
            fact("Since", since),
            fact("Status", status(seen, reader)),
            fact("Hidden", hidden.to_owned()),
        ];
        return facts.into_iter().flatten().collect();
    }
    let is_open = seen.line.status == Status::Open && !seen.line.acknowledged;
    let operator = seen.line.operator.as_ref();
    let operator = operator.filter(|it| *it != reader.person);
    let facts = [
        drill(seen),
        seen.line.security.then(security).flatten(),
        fact("Asked", asked(paged, reader)),
        fact("Grade", grade(seen)),
        fact("Since", since),
        fact("Alerts", alerts(seen)),
        fact("Service", service(seen)),
        summary(seen),
        change(seen, reader),
        fact("Status", status(seen, reader)).filter(|_| !is_open),
        operator.and_then(|it| fact("Operator", reader.name_of(it))),
        fact("Escalation", escalation(paged, reader)),
        fact("Also paged", others(paged, reader)),
    ];
    facts.into_iter().flatten().collect()
}

/// `None` when there is nothing to say.
pub(super) fn fact(name: &'static str, text: String) -> Option<Fact> {
    let text = cut(one_line(&text), TEXT_BYTES_MAX).0;
    (!text.is_empty()).then_some(Fact { name, text })
}

fn drill(seen: &Disclosed) -> Option<Fact> {
    let text = "this is an exercise, not a real incident";
    seen.line
        .drill
        .then(|| fact("Drill", text.to_owned()))
        .flatten()
}

fn security() -> Option<Fact> {
    let text = "only people with clearance may see this; do not forward it";
    fact("Security", text.to_owned())
}

/// "Bob passes this on to you; without an acknowledgement by 02:24 the escalation starts again".
fn asked(paged: &PagedIncident<'_>, reader: &PageReader<'_>) -> String {
    let page = paged.page();
    let Some(by) = page.and_then(|it| it.asked_by.as_ref()) else {
        return String::new();
    };
    let who = by
        .person()
        .map_or_else(|| by.to_string(), |it| reader.name_of(it));
    let hold = paged.incident.escalation.hold;
    let passed_on =
        hold.filter(|it| it.stage == HoldStage::PassedOn && it.page == Some(paged.page));
    match passed_on {
        Some(hold) => {
            let time = shown_time(reader.zone, hold.until, reader.now);
            format!(
                "{who} passes this on to you; without an acknowledgement by {time} the \
                 escalation starts again"
            )
        }
        None => format!("{who} asks for you by name"),
    }
}

/// "critical: severity is critical".
fn grade(seen: &Disclosed) -> String {
    let fallback = match seen.by_fallback {
        true => " by fallback, as a policy failed",
        false => "",
    };
    let reason = match seen.grade_reason.trim() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    format!("{}{fallback}{reason}", seen.line.grade)
}

/// "3 of 5 firing".
fn alerts(seen: &Disclosed) -> String {
    match seen.counts.total {
        0 => String::new(),
        total => format!("{} of {total} firing", seen.counts.firing),
    }
}

fn service(seen: &Disclosed) -> String {
    let service = seen.line.service.clone().unwrap_or_default();
    match &seen.line.team {
        Some(team) if service.is_empty() => format!("team {team}"),
        Some(team) => format!("{service} (team {team})"),
        None => service,
    }
}

fn summary(seen: &Disclosed) -> Option<Fact> {
    let text = one_line(&seen.summary);
    if text.is_empty() || text == one_line(&seen.line.title) {
        return None;
    }
    Some(Fact {
        name: "Summary",
        text: cut(text, SUMMARY_BYTES_MAX).0,
    })
}

/// "02:01 (13 min before): Deploy v2".
fn change(seen: &Disclosed, reader: &PageReader<'_>) -> Option<Fact> {
    let change = seen.changes.foremost()?;
    let (at, opened) = (change.brief.at, seen.line.opened_at);
    let time = shown_time(reader.zone, at, reader.now);
    let distance = match at <= opened {
        true => format!("{} before", shown_span(opened.since(at))),
        false => format!("{} after it opened", shown_span(at.since(opened))),
    };
    fact(
        name_of_change(change.status),
        format!("{time} ({distance}): {}", change.brief.title),
    )
}

/// What the foremost change is called.
pub(super) fn name_of_change(status: ChangeStatus) -> &'static str {
    match status {
        ChangeStatus::Confirmed => "Caused by",
        _ => "Last change",
    }
}

/// "mitigated since 02:30 (4 min ago)".
fn status(seen: &Disclosed, reader: &PageReader<'_>) -> String {
    let (status, since) = match seen.line.status {
        Status::Open if seen.acknowledged_at.is_some() => ("acknowledged", seen.acknowledged_at),
        Status::Open => ("not acknowledged", None),
        Status::Mitigated => ("mitigated", seen.mitigated_at),
        other => (other.as_str(), seen.line.resolved_at),
    };
    match since {
        Some(at) => format!(
            "{status} since {}",
            shown_since(reader.zone, at, reader.now)
        ),
        None => status.to_owned(),
    }
}

/// "step 1 of 3; the next one at 02:19, unless somebody acknowledges".
fn escalation(paged: &PagedIncident<'_>, reader: &PageReader<'_>) -> String {
    let escalation = &paged.incident.escalation;
    let steps = escalation.plan.steps.len();
    let Some(page) = paged.page() else {
        return String::new();
    };
    let step = usize::try_from(page.step).unwrap_or(usize::MAX);
    if steps == 0 || step >= steps {
        return String::new();
    }
    let next = match escalation.due.filter(|at| *at > reader.now) {
        Some(at) => {
            let time = shown_time(reader.zone, at, reader.now);
            format!("; the next one at {time}, unless somebody acknowledges")
        }
        None => String::new(),
    };
    format!("step {} of {steps}{next}", step + 1)
}

/// The other people that were paged, with what became of their last page.
fn others(paged: &PagedIncident<'_>, reader: &PageReader<'_>) -> String {
    let mut last: BTreeMap<&PersonId, &'static str> = BTreeMap::new();
    if paged.question.is_some() {
        return String::new();
    }
    for page in paged.incident.paging.pages.values() {
        let state = match page.attempts.values().max() {
            Some(Attempt::Seen | Attempt::Pressed) => " (seen)",
            Some(Attempt::Accepted) => " (sent)",
            _ if page.is_exhausted() => " (not reached)",
            _ => "",
        };
        last.insert(&page.person, state);
    }
    last.remove(reader.person);
    let more = last.len().saturating_sub(NAMES_MAX);
    let names = last.iter().take(NAMES_MAX);
    let mut names: Vec<String> = names
        .map(|(id, state)| format!("{}{state}", reader.name_of(id)))
        .collect();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}
