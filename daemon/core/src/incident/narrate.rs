//! Log lines for the opening of an incident and its counts.

use crate::Timestamp;
use crate::escalation::later_in_words;
use crate::event::{Event, Opened, Recorded};
use crate::incident::Counts;

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
    let said = format!("opened, graded {}: {}", opened.grade, opened.grade_reason);
    let why = &opened.plan_reason;
    match later_in_words(&opened.plan, at) {
        Some(later) => format!("{said}{later}: {why}"),
        None if opened.plan.steps.is_empty() => format!("{said}; nobody is paged: {why}"),
        None => said,
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
