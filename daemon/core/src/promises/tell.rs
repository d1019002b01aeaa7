//! The timers, notices and log lines of updates and promises.

use crate::Timestamp;
use crate::event::{Event, Recorded};
use crate::incident::Incident;
use crate::notice::Notice;
use crate::promises::promise::{PromiseOutcome, PromiseStage};
use crate::promises::state::Promises;
use crate::time::{in_words, span_in_words};
use crate::timer::TimerKind;

/// When something happens for each promise.
pub(crate) fn timers(promises: &Promises) -> impl Iterator<Item = (Timestamp, TimerKind)> {
    let open = promises.open.iter();
    open.filter_map(|(&audience, it)| Some((it.next()?, TimerKind::Promise { audience })))
}

pub(crate) fn notice(incident: &Incident, event: &Event, version: u64) -> Option<Notice> {
    let Event::UpdatePosted { audience, .. } = event else {
        return None;
    };
    incident
        .tells(*audience)
        .then_some(Notice::UpdatePosted { version })
}

pub(crate) fn narrate(recorded: &Recorded) -> Option<String> {
    let by = &recorded.by;
    match &recorded.event {
        Event::UpdatePosted {
            audience,
            body,
            next_at,
            reason,
            source,
        } => {
            let next = next_at.map(|it| span_in_words(it.since(recorded.at)));
            let why = source.as_ref().map(|it| it.because(reason));
            let why = why.unwrap_or_default();
            let next = next.map_or_else(String::new, |it| format!(" (next in {it}{why})"));
            Some(format!("{by} told {audience}{next}: {body}"))
        }
        Event::UpdateAwaited { audience, stage } => Some(match stage {
            PromiseStage::Due => format!("the update for {audience} is due"),
            _ => format!("the update for {audience} is due soon"),
        }),
        Event::PromiseTakenOver { audience, promise } => {
            let left = in_words(promise.due.since(recorded.at));
            Some(format!(
                "{audience} was promised an update in {left}; it comes from here"
            ))
        }
        Event::PromiseSettled {
            audience,
            due,
            outcome,
        } => Some(match outcome {
            PromiseOutcome::Kept => format!("the update for {audience} came in time"),
            PromiseOutcome::Late => {
                let late = in_words(recorded.at.since(*due));
                format!("the update for {audience} came {late} late")
            }
            PromiseOutcome::Broken => {
                let late = in_words(recorded.at.since(*due));
                format!(
                    "the promise to {audience} is broken: no update for {late} after it was due"
                )
            }
        }),
        _ => None,
    }
}
