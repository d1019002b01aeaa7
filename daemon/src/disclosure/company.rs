//! What everybody in the company may know of open incidents.

use tocsin_core::incident::Incident;
use tocsin_core::time::in_words;
use tocsin_core::{Audience, Timestamp};

/// Most incidents that are named; the others are counted.
const INCIDENTS_MAX: usize = 20;

/// The open incidents in a line each, the worst first, without titles, which are for engineers, and
/// without drills and security incidents. Times are relative, as the reader's time zone is not
/// known.
#[must_use]
pub fn company_view<'a>(incidents: impl Iterator<Item = &'a Incident>, now: Timestamp) -> String {
    let shown = |it: &&Incident| it.is_active() && !it.about.drill && !it.grading.security;
    let mut open: Vec<&Incident> = incidents.filter(shown).collect();
    open.sort_by_key(|it| (std::cmp::Reverse(it.grading.grade), it.number));
    let mut lines = vec![match open.len() {
        0 => return "There is no open incident.".to_owned(),
        1 => "There is one open incident:".to_owned(),
        count => format!("There are {count} open incidents, the worst first:"),
    }];
    lines.extend(open.iter().take(INCIDENTS_MAX).map(|it| line(it, now)));
    let more = open.len().saturating_sub(INCIDENTS_MAX);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

fn line(incident: &Incident, now: Timestamp) -> String {
    let lifecycle = &incident.lifecycle;
    let since = in_words(now.since(lifecycle.opened_at));
    let mut facts = vec![
        format!("#{} {}", incident.number, incident.about.service),
        incident.grading.grade.to_string(),
        lifecycle.status.to_string(),
        format!("for {since}"),
    ];
    if lifecycle.acknowledged_at.is_none() {
        facts.push("people are being called".to_owned());
    }
    let promise = incident.promises.open.get(&Audience::Company);
    facts.extend(promise.map(|it| match it.due > now {
        true => format!("more is said in {}", in_words(it.due.since(now))),
        false => "an update is overdue".to_owned(),
    }));
    facts.join(" · ")
}
