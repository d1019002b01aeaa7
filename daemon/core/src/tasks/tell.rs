//! The questions and log lines of tasks.

use crate::Timestamp;
use crate::event::{Event, Recorded};
use crate::prompts::Question;
use crate::tasks::state::Tasks;

/// When the operator is asked to take each task that has no owner.
pub(crate) fn asks(tasks: &Tasks) -> impl Iterator<Item = (Timestamp, Question)> {
    let all = tasks.all.iter();
    all.filter_map(|(&task, it)| Some((it.ask_at()?, Question::TakeTask(task))))
}

pub(crate) fn narrate(tasks: &Tasks, recorded: &Recorded) -> Option<String> {
    let by = &recorded.by;
    let text = |task: &u32| tasks.all.get(task).map_or("", |it| it.text.as_str());
    match &recorded.event {
        Event::TaskAdded {
            task,
            text,
            owner: Some(owner),
        } => Some(format!("{by} asked {owner} to do task {task}: {text}")),
        Event::TaskAdded { task, text, .. } => Some(format!("{by} added task {task}: {text}")),
        Event::TaskAssigned { task, owner } => {
            Some(format!("{owner} does task {task}: {}", text(task)))
        }
        Event::TaskDone { task } => Some(format!("{by} finished task {task}: {}", text(task))),
        _ => None,
    }
}
