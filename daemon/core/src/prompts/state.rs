//! The questions of an incident, folded from its events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::{Event, Recorded};
use crate::prompts::question::Question;
use crate::{Actor, Contact, PersonId, Timestamp, limits};

/// The questions of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompts {
    /// By number; at most [`PROMPTS_MAX`](limits::PROMPTS_MAX) are kept.
    pub all: BTreeMap<u32, Prompt>,
    /// The number of the last one.
    pub last: u32,
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    pub to: PersonId,
    /// Where it is asked.
    pub contact: Contact,
    pub question: Question,
    pub asked_at: Timestamp,
    pub expires_at: Timestamp,
    pub state: PromptState,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum PromptState {
    Open,
    Answered {
        by: Actor,
        /// The choice's ID.
        choice: String,
    },
    /// Nobody answered in time.
    Expired,
    /// It needs no answer any more.
    Settled,
}

impl Prompt {
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == PromptState::Open
    }
}

impl Prompts {
    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Prompted {
                prompt,
                to,
                contact,
                question,
                expires_at,
            } => {
                // A newer question of the same kind takes its place.
                self.settle(|it| it.question == *question);
                let asked = Prompt {
                    to: to.clone(),
                    contact: contact.clone(),
                    question: *question,
                    asked_at: recorded.at,
                    expires_at: *expires_at,
                    state: PromptState::Open,
                };
                self.all.insert(*prompt, asked);
                self.last = *prompt;
                while self.all.len() > limits::PROMPTS_MAX {
                    self.all.pop_first();
                }
            }
            Event::PromptAnswered { prompt, choice, .. } => {
                let (by, choice) = (recorded.by.clone(), choice.clone());
                self.change(*prompt, PromptState::Answered { by, choice });
            }
            Event::PromptExpired { prompt } => self.change(*prompt, PromptState::Expired),
            event if event.answers_hold() => {
                self.settle(|it| it.question == Question::StillOnIt);
            }
            _ => {}
        }
    }

    fn settle(&mut self, is_it: impl Fn(&Prompt) -> bool) {
        let open = self.all.values_mut().filter(|it| it.is_open() && is_it(it));
        open.for_each(|it| it.state = PromptState::Settled);
    }

    fn change(&mut self, prompt: u32, state: PromptState) {
        if let Some(it) = self.all.get_mut(&prompt) {
            it.state = state;
        }
    }
}
