//! The questions of an incident, folded from its events.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::{Effect, Event, Recorded};
use crate::prompts::question::Question;
use crate::roles::Role;
use crate::{Actor, Contact, PersonId, Timestamp, limits};

/// The questions of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompts {
    /// By number; of those that are not open, the last [`PROMPTS_MAX`](limits::PROMPTS_MAX) are
    /// kept.
    pub all: BTreeMap<u32, Prompt>,
    /// The number of the last one.
    pub last: u32,
    /// When the operator was last asked each question, or could not be; tasks keep this themselves.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asked: BTreeMap<Question, Timestamp>,
    /// When the operator was last asked whether it is solved, if they answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_unsolved: Option<Timestamp>,
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    pub to: PersonId,
    /// Where it is asked, in the order in which they are tried.
    pub contacts: Vec<Contact>,
    /// The place of the contact at which it is asked; beyond the last one if none accepted it.
    pub contact: u32,
    /// When it goes to the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_contact_at: Option<Timestamp>,
    /// The places of those whose channels accepted it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub accepted: BTreeSet<u32>,
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

    /// When it goes to its next contact or expires.
    #[must_use]
    pub(crate) fn due(&self) -> Timestamp {
        let next = self.next_contact_at.unwrap_or(self.expires_at);
        next.min(self.expires_at)
    }

    /// Whether it should still be delivered to this contact.
    #[must_use]
    pub fn is_wanted_at(&self, contact: u32) -> bool {
        let is_tried = self.contact == contact && (contact as usize) < self.contacts.len();
        self.is_open() && is_tried && !self.accepted.contains(&contact)
    }
}

impl Prompts {
    /// The number of the open question of this kind; there is at most one.
    pub(crate) fn open(&self, question: Question) -> Option<u32> {
        let mut all = self.all.iter();
        let open = all.find(|(_, it)| it.is_open() && it.question == question);
        open.map(|(&prompt, _)| prompt)
    }

    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Prompted {
                prompt,
                to,
                contact,
                then,
                question,
                expires_at,
                next_contact_at,
            } => {
                // A newer question of the same kind takes its place.
                self.settle(|it| it.question == *question);
                self.note_asked(*question, recorded.at);
                let asked = Prompt {
                    to: to.clone(),
                    contacts: [contact].into_iter().chain(then).cloned().collect(),
                    contact: 0,
                    next_contact_at: *next_contact_at,
                    accepted: BTreeSet::new(),
                    question: *question,
                    asked_at: recorded.at,
                    expires_at: *expires_at,
                    state: PromptState::Open,
                };
                self.all.insert(*prompt, asked);
                self.last = *prompt;
                self.forget_settled();
            }
            Event::PromptAccepted {
                prompt, contact, ..
            } => self.change(*prompt, |it| {
                it.accepted.insert(*contact);
                it.next_contact_at = it.next_contact_at.filter(|_| it.contact != *contact);
            }),
            Event::PromptRedirected {
                prompt,
                contact,
                next_contact_at,
                ..
            } => self.change(*prompt, |it| {
                it.contact = contact.unwrap_or(u32::MAX);
                it.next_contact_at = *next_contact_at;
            }),
            Event::PromptRebased {
                prompt,
                next_contact_at,
            } => self.change(*prompt, |it| it.next_contact_at = Some(*next_contact_at)),
            Event::PromptAnswered { prompt, choice, .. } => {
                let answered = self.all.get(prompt);
                let solved = answered.filter(|it| it.question == Question::Solved);
                self.said_unsolved = solved.map(|it| it.asked_at).or(self.said_unsolved);
                let (by, choice) = (recorded.by.clone(), choice.clone());
                self.change(*prompt, |it| {
                    it.state = PromptState::Answered { by, choice }
                });
            }
            Event::PromptSkipped { question, .. } => self.note_asked(*question, recorded.at),
            Event::PromptWithdrawn { prompt, .. } => {
                self.change(*prompt, |it| it.state = PromptState::Settled);
            }
            Event::PromptExpired { prompt } => {
                self.change(*prompt, |it| it.state = PromptState::Expired);
            }
            event => self.settle_after(event),
        }
    }

    /// An open question is never forgotten: its end would never come.
    fn forget_settled(&mut self) {
        let settled = self.all.iter().filter(|(_, it)| !it.is_open());
        let settled: Vec<u32> = settled.map(|(number, _)| *number).collect();
        let many = settled.len().saturating_sub(limits::PROMPTS_MAX);
        for number in settled.iter().take(many) {
            self.all.remove(number);
        }
    }

    /// Settles the questions that need no answer after an event.
    fn settle_after(&mut self, event: &Event) {
        match event {
            Event::RoleAssigned {
                role: Role::Operator,
                person,
            } => {
                self.settle(|it| it.question == Question::Accept(Role::Operator));
                self.ask_operator_again(Some(person));
            }
            Event::RoleAssigned { role, .. } | Event::RoleDeclined { role, .. } => {
                self.settle(|it| it.question == Question::Accept(*role));
            }
            Event::TaskAssigned { task, .. } | Event::TaskDone { task } => {
                self.settle(|it| it.question == Question::TakeTask(*task));
            }
            Event::Graded { source, unsure, .. } => {
                let (is_by_person, is_sure) = (source.is_none(), !unsure);
                self.settle(|it| match it.question {
                    Question::Grade => is_by_person || is_sure,
                    Question::Regrade(_) => is_by_person,
                    _ => false,
                });
            }
            Event::Mitigated { .. } => self.settle(|it| it.question == Question::Approach),
            Event::UpdatePosted { audience, .. } => {
                self.settle(|it| it.question == Question::UpdateDue(*audience));
            }
            // Audiences still wait for the last update.
            Event::Resolved { .. } => {
                self.settle(|it| !matches!(it.question, Question::UpdateDue(_)));
            }
            Event::Merged { .. } | Event::Closed {} => {
                self.settle(|_| true);
            }
            event if event.answers_hold() => {
                self.settle(|it| it.question == Question::StillOnIt);
                if event.traits().effect == Effect::StartsAgain {
                    self.ask_operator_again(None);
                }
            }
            _ => {}
        }
    }

    fn note_asked(&mut self, question: Question, at: Timestamp) {
        if question.is_for_operator() {
            self.asked.insert(question, at);
        }
    }

    /// What the operator was asked and has not answered is asked the next one.
    fn ask_operator_again(&mut self, operator: Option<&PersonId>) {
        let is_open = |it: &&mut Prompt| it.is_open() && it.question.is_for_operator();
        let open = self.all.values_mut().filter(is_open);
        for prompt in open.filter(|it| Some(&it.to) != operator) {
            prompt.state = PromptState::Settled;
            self.asked.remove(&prompt.question);
        }
    }

    fn settle(&mut self, is_it: impl Fn(&Prompt) -> bool) {
        let open = self.all.values_mut().filter(|it| it.is_open() && is_it(it));
        open.for_each(|it| it.state = PromptState::Settled);
    }

    fn change(&mut self, prompt: u32, change: impl FnOnce(&mut Prompt)) {
        if let Some(it) = self.all.get_mut(&prompt) {
            change(it);
        }
    }
}
