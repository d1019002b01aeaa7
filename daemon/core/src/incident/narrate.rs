//! Log lines for the opening of an incident and its counts.

use crate::escalation::later_in_words;
use crate::event::{Event, Opened, Recorded};
use crate::incident::Counts;
use crate::{PolicySource, Timestamp};

pub(crate) fn narrate(recorded: &Recorded) -> Option<String> {
    match &recorded.event {
        Event::Opened(opened) => Some(opening(opened, recorded.at)),
        Event::Absorbed { number, reason, .. } => {
            let by = &recorded.by;
            Some(format!("{by} merged incident {number} into it: {reason}"))
        }
        Event::AlertEnded { title, reason } => {
            let by = &recorded.by;
            Some(format!("{by} ended the alert `{title}`: {reason}"))
        }
        Event::Tallied { counts, sample } => Some(counted(*counts, sample)),
        _ => None,
    }
}

fn opening(opened: &Opened, at: Timestamp) -> String {
    let grade_reason = with_place(&opened.grade_reason, opened.grade_source.as_ref());
    let graded = format!("opened, graded {}: {grade_reason}", opened.grade);
    let why = with_place(&opened.plan_reason, opened.plan_source.as_ref());
    let planned = match later_in_words(&opened.plan, at) {
        Some(later) => format!("{later}: {why}"),
        None if opened.plan.steps.is_empty() => format!("; nobody is paged: {why}"),
        None => String::new(),
    };
    let routed = match opened.route_reason.as_str() {
        "" => String::new(),
        reason => {
            let reason = with_place(reason, opened.route_source.as_ref());
            format!("; routed: {reason}")
        }
    };
    format!("{graded}{planned}{routed}")
}

/// A reason with the place of the policy that gave it.
fn with_place(reason: &str, source: Option<&PolicySource>) -> String {
    match source {
        Some(source) => format!("{reason} ({})", source.place()),
        None => reason.to_owned(),
    }
}

fn counted(counts: Counts, sample: &[String]) -> String {
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
