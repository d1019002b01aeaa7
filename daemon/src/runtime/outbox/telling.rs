//! What became of a message that brings pages or asks something, and how each of its incidents is
//! told: a timer that is set in the batch that settles the message, and taken once all of them
//! know.

use serde::{Deserialize, Serialize};
use tocsin_core::command::Command;
use tocsin_core::pager::{Arrival, PageAttempt};
use tocsin_core::{Actor, MessageId, Timestamp};
use tocsin_store::{CommandKey, TimerKey, TimerRow};

use crate::runtime::engine::request::{Cause, Request, Write};
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::decode_row;
use crate::runtime::state::tables::pager::BundlePart;

/// The kind of the timer.
pub const OUTCOME_TIMER: &str = "message";

/// What became of a message, or of a press on its button.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum MessageOutcome {
    /// Its channel accepted it.
    Accepted {
        /// Whether an earlier attempt was interrupted, so that its outcome is unknown.
        interrupted: bool,
    },
    /// Its channel rejected it.
    Failed {
        /// The channel's error.
        reason: String,
        /// Whether an attempt may have arrived anyway.
        outcome_unknown: bool,
    },
    /// It may have arrived.
    Unknown,
    /// It has not arrived, or not yet.
    Undelivered,
    /// Its channel knows that it was shown to the person.
    Seen,
    /// Somebody answered what it asked.
    Answered {
        by: Actor,
        /// The choice's ID.
        choice: String,
        /// The channel of the press.
        via: String,
    },
    /// Everything that it named was acknowledged.
    Acknowledged {
        by: Actor,
        /// The channel of the press.
        via: String,
    },
}

/// A timer's payload.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    message: MessageId,
    outcome: MessageOutcome,
}

/// The timer that tells the pages of a message what became of it.
#[must_use]
pub fn outcome_timer(message: &MessageId, outcome: &MessageOutcome, now: Timestamp) -> TimerRow {
    let kind = match outcome {
        MessageOutcome::Accepted { .. } => "accepted",
        MessageOutcome::Failed { .. } => "failed",
        MessageOutcome::Unknown => "unknown",
        MessageOutcome::Undelivered => "undelivered",
        MessageOutcome::Seen => "seen",
        MessageOutcome::Acknowledged { .. } => "acknowledged",
        MessageOutcome::Answered { .. } => "answered",
    };
    let told = Told {
        message: message.clone(),
        outcome: outcome.clone(),
    };
    TimerRow {
        key: TimerKey {
            due: now,
            kind: OUTCOME_TIMER.to_owned(),
            id: format!("{message}/{kind}"),
        },
        // proof: it has only string keys, and so is always expressible as JSON
        payload: serde_json::to_value(told).unwrap_or_default(),
    }
}

/// The message of a timer, and what became of it.
///
/// # Errors
/// [`EngineError::Damaged`] when the timer's payload is damaged.
pub fn told(timer: &TimerRow) -> Result<(MessageId, MessageOutcome), EngineError> {
    let told: Told = decode_row("the outcome of a message", &timer.payload)?;
    Ok((told.message, told.outcome))
}

/// The requests that tell the pages of a message, those that know already refuse theirs, and
/// before them its person's row. Shared with the simulator.
#[must_use]
pub fn telling(
    timer: &TimerKey,
    (message, outcome): (&MessageId, &MessageOutcome),
    whole: &BundlePart,
) -> Vec<Request> {
    let arrived = arrival(outcome).map(|arrival| Request::Arrived {
        message: message.clone(),
        arrival,
    });
    let others = whole.named().count().saturating_sub(1);
    let others = u32::try_from(others).unwrap_or(u32::MAX);
    let pages = whole.pages.iter().enumerate();
    let told = pages.filter_map(|(place, attempt)| {
        let command = command_of(outcome, attempt, whole.is_named(place), others)?;
        let (by, key) = match outcome {
            MessageOutcome::Acknowledged { by, .. } | MessageOutcome::Answered { by, .. } => {
                let key = format!("{}/{}/{}", timer.id, timer.due.0, attempt.incident);
                (by.clone(), Some(CommandKey(key)))
            }
            _ => (Actor::Tocsin, None),
        };
        Some(Request::Command {
            incident: attempt.incident.clone(),
            by,
            command,
            cause: Cause {
                key,
                is_press: matches!(outcome, MessageOutcome::Acknowledged { .. }),
                ..Cause::default()
            },
        })
    });
    arrived.into_iter().chain(told).collect()
}

/// Whether a message arrived, where an outcome tells.
fn arrival(outcome: &MessageOutcome) -> Option<Arrival> {
    match outcome {
        MessageOutcome::Accepted { .. } => Some(Arrival::Yes),
        MessageOutcome::Undelivered => Some(Arrival::Not),
        MessageOutcome::Failed {
            outcome_unknown, ..
        } => Some(match outcome_unknown {
            true => Arrival::Maybe,
            false => Arrival::Not,
        }),
        MessageOutcome::Unknown => Some(Arrival::Maybe),
        MessageOutcome::Seen
        | MessageOutcome::Answered { .. }
        | MessageOutcome::Acknowledged { .. } => None,
    }
}

/// What a page is told; `None` if it does not concern it. `others`: how many pages its message
/// names besides.
fn command_of(
    outcome: &MessageOutcome,
    attempt: &PageAttempt,
    is_named: bool,
    others: u32,
) -> Option<Command> {
    let (page, contact) = (attempt.page, attempt.contact);
    if attempt.question.is_some() {
        return answer_to(outcome, attempt, is_named, others);
    }
    Some(match outcome.clone() {
        MessageOutcome::Accepted { interrupted } if is_named => Command::PageAccepted {
            page,
            contact,
            interrupted,
            others,
        },
        // The attempt that was interrupted may have named it.
        MessageOutcome::Accepted { interrupted: true } | MessageOutcome::Unknown => {
            Command::PageOutcomeUnknown { page, contact }
        }
        MessageOutcome::Failed {
            reason,
            outcome_unknown,
        } => Command::PageFailed {
            page,
            contact,
            reason,
            outcome_unknown,
        },
        MessageOutcome::Seen if is_named => Command::PageSeen { page, contact },
        MessageOutcome::Acknowledged { via, .. } if is_named => Command::Acknowledge { via },
        _ => return None,
    })
}

/// What a question is told. An attempt that may have arrived is repeated until it is known, or
/// until the next contact is tried.
fn answer_to(
    outcome: &MessageOutcome,
    attempt: &PageAttempt,
    is_named: bool,
    others: u32,
) -> Option<Command> {
    let (prompt, contact) = (attempt.page, attempt.contact);
    Some(match outcome.clone() {
        MessageOutcome::Accepted { .. } if is_named => Command::PromptAccepted {
            prompt,
            contact,
            others,
        },
        MessageOutcome::Failed { reason, .. } => Command::PromptFailed {
            prompt,
            contact,
            reason,
        },
        MessageOutcome::Answered { choice, via, .. } if is_named => Command::Answer {
            prompt,
            choice,
            via,
            replan: None,
            to: None,
        },
        _ => return None,
    })
}

/// The request that takes the timer once all pages were told. Shared with the simulator.
#[must_use]
pub fn all_told(timer: TimerKey) -> Request {
    Request::Write(Box::new(Write {
        timers_take: vec![timer],
        ..Write::default()
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use tocsin_core::Contact;

    use super::*;

    fn attempt(number: usize) -> PageAttempt {
        PageAttempt {
            incident: format!("i{number}").as_str().into(),
            page: 1,
            contact: 0,
            question: None,
        }
    }

    /// A message with three pages, which did not name the second.
    fn whole() -> BundlePart {
        BundlePart {
            contact: Contact {
                kind: "slack".to_owned(),
                address: "U1".to_owned(),
            },
            pages: (0..3).map(attempt).collect(),
            unnamed: [1].into(),
        }
    }

    /// The incidents that are told, with the command's name.
    fn told(outcome: &MessageOutcome) -> Vec<String> {
        told_of(&whole(), outcome)
    }

    fn told_of(whole: &BundlePart, outcome: &MessageOutcome) -> Vec<String> {
        let message = MessageId::parse("message-1-ada").unwrap();
        let timer = outcome_timer(&message, outcome, Timestamp(0)).key;
        let requests = telling(&timer, (&message, outcome), whole).into_iter();
        let name = |request| match request {
            Request::Command {
                incident, command, ..
            } => {
                let command = format!("{command:?}");
                let name = command.split([' ', '{']).next().unwrap_or_default();
                format!("{incident} {name}")
            }
            Request::Arrived { message, arrival } => format!("{message} {arrival:?}"),
            other => panic!("{other:?}"),
        };
        requests.map(name).collect()
    }

    #[test]
    fn a_press_acknowledges_only_what_its_message_named() {
        let pressed = MessageOutcome::Acknowledged {
            by: Actor::Person("ada".into()),
            via: "slack".to_owned(),
        };
        assert_eq!(told(&pressed), ["i0 Acknowledge", "i2 Acknowledge"]);
        assert_eq!(told(&MessageOutcome::Seen), ["i0 PageSeen", "i2 PageSeen"]);
    }

    #[test]
    fn whether_a_message_arrived_is_noted_before_its_pages_are_told() {
        let failed = |outcome_unknown| {
            told(&MessageOutcome::Failed {
                reason: "gone".to_owned(),
                outcome_unknown,
            })
        };
        let pages = ["i0 PageFailed", "i1 PageFailed", "i2 PageFailed"];
        assert_eq!(failed(true)[0], "message-1-ada Maybe");
        assert_eq!(failed(false)[0], "message-1-ada Not");
        assert_eq!(failed(false)[1..], pages);
        assert_eq!(told(&MessageOutcome::Undelivered), ["message-1-ada Not"]);
    }

    #[test]
    fn an_answer_counts_for_every_question_that_its_message_named() {
        let mut asked = whole();
        let question = Some(tocsin_core::Question::StillOnIt);
        asked.pages.iter_mut().for_each(|it| it.question = question);
        let answered = MessageOutcome::Answered {
            by: Actor::Person("ada".into()),
            choice: "yes".to_owned(),
            via: "slack".to_owned(),
        };
        assert_eq!(told_of(&asked, &answered), ["i0 Answer", "i2 Answer"]);
        let accepted = MessageOutcome::Accepted { interrupted: true };
        assert_eq!(
            told_of(&asked, &accepted)[1..],
            ["i0 PromptAccepted", "i2 PromptAccepted"]
        );
        let failed = MessageOutcome::Failed {
            reason: "gone".to_owned(),
            outcome_unknown: true,
        };
        assert_eq!(told_of(&asked, &failed).len(), 4, "none of them went out");
        assert_eq!(told_of(&asked, &MessageOutcome::Seen), [""; 0]);
        assert_eq!(told(&answered), [""; 0], "pages are not asked anything");
    }

    #[test]
    fn a_page_that_an_interrupted_attempt_may_have_named_is_of_unknown_outcome() {
        let accepted = |interrupted| told(&MessageOutcome::Accepted { interrupted });
        assert_eq!(accepted(false)[1..], ["i0 PageAccepted", "i2 PageAccepted"]);
        let unknown = "i1 PageOutcomeUnknown".to_owned();
        assert_eq!(accepted(true)[2], unknown);
    }
}
