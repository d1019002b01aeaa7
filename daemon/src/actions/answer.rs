//! Answers a question, or every question of a message.

use std::sync::Arc;

use tocsin_core::command::Command;
use tocsin_core::pager::PageAttempt;
use tocsin_core::{IncidentId, MessageId, PromptId};
use tocsin_store::CommandKey;

use super::authorize::authorize;
use super::{Caller, NotDone};
use crate::runtime::{Intake, MessageOutcome};

/// What a button answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The question about one incident, by its number.
    Question(IncidentId, u32),
    /// Every question that a message asked.
    Message(MessageId),
}

impl Asked {
    /// What the ID of a message or of a question names; `None` when it is neither.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        let message = MessageId::parse(id).map(Self::Message);
        let question = || PromptId::from(id).parts();
        message.or_else(|| question().map(|(incident, number)| Self::Question(incident, number)))
    }
}

/// Answers what a button asks, in the name of the caller; `via` is the channel of the button.
/// Several questions are answered one after the other once this is durable. The reply is for
/// whoever pressed it.
///
/// # Errors
/// [`NotDone`] when the caller may not, or the engine refuses.
pub(crate) async fn answer(
    intake: &Arc<Intake>,
    caller: Caller,
    asked: Asked,
    choice: String,
    via: &str,
    key: Option<CommandKey>,
) -> Result<String, NotDone> {
    authorize(&caller)?;
    let via = via.to_owned();
    let (incident, prompt) = match asked {
        Asked::Question(incident, prompt) => (incident, prompt),
        Asked::Message(message) => {
            let mut pages = intake.pages_of(&message).map_err(NotDone::Engine)?;
            pages.retain(|it| it.question.is_some());
            match pages.as_slice() {
                [] => {
                    let unknown = "this question is not known, or too old".to_owned();
                    return Err(NotDone::Invalid(unknown));
                }
                [only] => (only.incident.clone(), only.page),
                pages => return answer_all(intake, caller, (&message, pages), choice, via).await,
            }
        }
    };
    let answered = Command::Answer {
        prompt,
        choice,
        via,
        replan: None,
        to: None,
    };
    let done = intake.command(incident, caller.by, answered, key).await?;
    Ok(done.reply)
}

async fn answer_all(
    intake: &Arc<Intake>,
    caller: Caller,
    (message, pages): (&MessageId, &[PageAttempt]),
    choice: String,
    via: String,
) -> Result<String, NotDone> {
    let mut questions = pages.iter().filter_map(|it| it.question);
    let Some(label) = questions.find_map(|it| Some(it.choice(&choice)?.label)) else {
        let wrong = format!("`{choice}` is no answer to this question");
        return Err(NotDone::Invalid(wrong));
    };
    let outcome = MessageOutcome::Answered {
        by: caller.by,
        choice,
        via,
    };
    let open = intake.count_open(pages.to_vec()).await;
    let open = open.map_err(NotDone::Engine)?;
    let told = intake.tell(message, &outcome).await;
    told.map_err(NotDone::Engine)?;
    Ok(reply(label, open))
}

/// The reply to an answer to so many open questions.
fn reply(label: &str, open: usize) -> String {
    match open {
        0 => "these questions need no answer any more".to_owned(),
        1 => format!("{label}: the answer counts for 1 incident"),
        _ => format!("{label}: the answer counts for {open} incidents"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_counts_the_questions_that_are_open() {
        let says = |open| reply("Still on it", open);
        assert_eq!(says(0), "these questions need no answer any more");
        assert_eq!(says(1), "Still on it: the answer counts for 1 incident");
        assert_eq!(says(2), "Still on it: the answer counts for 2 incidents");
    }
}
