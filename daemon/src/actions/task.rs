//! `task`: work that is assigned in an incident.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::TaskChange;
use tocsin_core::command::{Command, Named};
use utoipa::ToSchema;

use super::Verb;
use super::verb::{some_text, split};
use crate::disclosure::Clearance;

/// Add a task to the incident; or, with its number, assign it or finish it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
#[group(skip)]
pub(crate) struct Task {
    /// What is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "restart the primary")]
    #[arg(required_unless_present = "task", conflicts_with = "task")]
    pub(crate) text: Option<String>,
    /// Who does it: the person's ID in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "bob")]
    #[arg(long, value_name = "PERSON", conflicts_with = "done")]
    pub(crate) person: Option<String>,
    /// The number of a task that exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TASK")]
    pub(crate) task: Option<u32>,
    /// Whether that task is done.
    #[serde(default)]
    #[arg(long, requires = "task")]
    pub(crate) done: bool,
}

impl Verb for Task {
    const NAME: &'static str = "task";
    const SYNTAX: &'static str = "[@PERSON] TEXT | NUMBER @PERSON | done NUMBER";
    const EXAMPLE: &'static str = "tocsin incident task 42 \"restart the primary\" --person bob\n  \
         tocsin incident task 42 --task 1 --done";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let (first, then) = split(rest);
        let number = |text: &str| text.trim_start_matches('#').parse::<u32>().ok();
        let mention = |text: &str| text.strip_prefix('@').and_then(some_text);
        let mut task = Self {
            text: None,
            person: None,
            task: None,
            done: false,
        };
        match (first, number(first), mention(first)) {
            ("done", ..) if number(then).is_some() => {
                (task.task, task.done) = (number(then), true);
            }
            (_, Some(of), _) if mention(then).is_some() => {
                (task.task, task.person) = (Some(of), mention(then));
            }
            (_, _, Some(person)) => (task.person, task.text) = (Some(person), some_text(then)),
            _ => task.text = some_text(rest),
        }
        if rest.trim() == "done" {
            return Err("say which task is done, as in `task done 1`".to_owned());
        }
        if task.text.is_none() && task.task.is_none() {
            return Err("say what to do, as in `task @bob restart the primary`".to_owned());
        }
        Ok(task)
    }

    fn into_command(self, _via: &str, _clearance: Clearance) -> Command {
        let owner = self.person.map(|it| Named::of(it.into()));
        Command::Task(match (self.task, self.done, owner) {
            (Some(task), false, Some(owner)) => TaskChange::Assign { task, owner },
            (Some(task), ..) => TaskChange::Done { task },
            (None, _, owner) => TaskChange::Add {
                text: self.text.unwrap_or_default(),
                owner,
            },
        })
    }
}
