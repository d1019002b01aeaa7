//! The tasks of an incident, folded from its events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::{Event, Recorded};
use crate::prompts::Question;
use crate::{PersonId, Timestamp, limits};

/// The tasks of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tasks {
    /// By number; of those that are done, the oldest are forgotten beyond
    /// [`TASKS_MAX`](limits::TASKS_MAX).
    pub all: BTreeMap<u32, Task>,
    /// The number of the last one.
    pub last: u32,
}

/// A piece of work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub text: String,
    /// Who does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    pub added_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
    /// Whether somebody was asked to take it, as it had no owner.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked: bool,
}

impl Task {
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.done_at.is_none()
    }

    /// When somebody is asked to take it; `None` if it has an owner or somebody was.
    pub(crate) fn ask_at(&self) -> Option<Timestamp> {
        let is_waiting = self.is_open() && self.owner.is_none() && !self.asked;
        is_waiting.then(|| self.added_at.plus_ms(limits::TASK_OWNER_WAIT_MS))
    }
}

impl Tasks {
    /// Those that are not done, with their numbers.
    pub fn open(&self) -> impl Iterator<Item = (u32, &Task)> {
        let all = self.all.iter().map(|(number, task)| (*number, task));
        all.filter(|(_, task)| task.is_open())
    }

    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::TaskAdded { task, text, owner } => {
                let added = Task {
                    text: text.clone(),
                    owner: owner.clone(),
                    added_at: recorded.at,
                    done_at: None,
                    asked: false,
                };
                self.all.insert(*task, added);
                self.last = *task;
                self.forget_done();
            }
            Event::TaskAssigned { task, owner } => {
                self.change(*task, |it| it.owner = Some(owner.clone()));
            }
            Event::Prompted { question, .. } | Event::PromptSkipped { question, .. } => {
                if let Question::TakeTask(task) = question {
                    self.change(*task, |it| it.asked = true);
                }
            }
            Event::TaskDone { task } => self.change(*task, |it| it.done_at = Some(recorded.at)),
            _ => {}
        }
    }

    fn change(&mut self, task: u32, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.all.get_mut(&task) {
            change(task);
        }
    }

    fn forget_done(&mut self) {
        while self.all.len() > limits::TASKS_MAX {
            let done = self.all.iter().find(|(_, task)| !task.is_open());
            let Some(oldest) = done.map(|(number, _)| *number) else {
                break;
            };
            self.all.remove(&oldest);
        }
    }
}
