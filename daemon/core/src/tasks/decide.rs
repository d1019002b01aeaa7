//! Who does what, and what happens to a task that nobody takes.

use crate::event::Event;
use crate::incident::Incident;
use crate::lifecycle::Status;
use crate::outcome::{Named, Outcome};
use crate::refusal::Refusal;
use crate::tasks::state::Task;
use crate::text::bounded;
use crate::{Actor, limits};

/// What somebody wants done about a task.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskChange {
    /// It is new.
    Add {
        text: String,
        /// Who does it.
        owner: Option<Named>,
    },
    /// Somebody does it from now on.
    Assign {
        task: u32,
        owner: Named,
    },
    Done {
        task: u32,
    },
}

impl TaskChange {
    /// The person whom it names.
    pub(crate) fn named(&mut self) -> Option<&mut Named> {
        match self {
            Self::Add { owner, .. } => owner.as_mut(),
            Self::Assign { owner, .. } => Some(owner),
            Self::Done { .. } => None,
        }
    }
}

pub(crate) fn change(incident: &Incident, change: TaskChange) -> Result<Outcome, Refusal> {
    let status = incident.lifecycle.status;
    if status == Status::Closed {
        return Err(Refusal::NotActive {
            number: incident.number,
            status,
            remedy: "its tasks go on where your team keeps its work",
        });
    }
    let (event, reply) = match change {
        TaskChange::Add { text, owner } => add(incident, text, owner)?,
        TaskChange::Assign { task, owner } => {
            open_task(incident, task)?;
            let owner = owner.id;
            let reply = format!("{owner} does task {task}");
            (Event::TaskAssigned { task, owner }, reply)
        }
        TaskChange::Done { task } => {
            open_task(incident, task)?;
            (Event::TaskDone { task }, format!("task {task} is done"))
        }
    };
    Ok(Outcome {
        events: vec![event],
        reply,
        ..Outcome::default()
    })
}

/// The open tasks that an incident takes over of one that is merged into it, as far as it may have
/// more.
pub(crate) fn taken_over(from: &Incident, into: &Incident) -> Vec<Event> {
    let room = limits::TASKS_MAX.saturating_sub(into.tasks.open().count());
    let numbers = into.tasks.last + 1..;
    let all = from.tasks.open().take(room).zip(numbers);
    let event = |((_, it), task): ((u32, &Task), u32)| Event::TaskAdded {
        task,
        text: it.text.clone(),
        owner: it.owner.clone(),
    };
    all.map(event).collect()
}

fn add(
    incident: &Incident,
    text: String,
    owner: Option<Named>,
) -> Result<(Event, String), Refusal> {
    let text = bounded("task", text, limits::TASK_BYTES_MAX)?;
    if incident.tasks.open().count() >= limits::TASKS_MAX {
        let most = limits::TASKS_MAX;
        let full = format!("it has {most} open tasks; finish one first, as in `task done 1`");
        return Err(Refusal::Invalid(full));
    }
    let task = incident.tasks.last + 1;
    let owner = owner.map(|it| it.id);
    let reply = match &owner {
        Some(owner) => format!("task {task} is {owner}'s"),
        None => format!("task {task} has no owner yet; assign it with `task {task} @PERSON`"),
    };
    Ok((Event::TaskAdded { task, text, owner }, reply))
}

fn open_task(incident: &Incident, task: u32) -> Result<&Task, Refusal> {
    let found = incident.tasks.all.get(&task).filter(|it| it.is_open());
    found.ok_or_else(|| {
        let open: Vec<_> = incident.tasks.open().map(|it| it.0.to_string()).collect();
        Refusal::Invalid(match open.as_slice() {
            [] => "there is no open task; `task @PERSON TEXT` adds one".to_owned(),
            open => format!(
                "there is no open task {task}; open: {}, as in `task done {}`",
                open.join(", "),
                open[0]
            ),
        })
    })
}

/// Somebody takes a task that they were asked to take.
pub(crate) fn take(incident: &Incident, task: u32, by: &Actor) -> Result<Outcome, Refusal> {
    let owner = by.person().cloned();
    let owner = owner.ok_or_else(|| Refusal::Invalid("only a person takes a task".to_owned()))?;
    change(
        incident,
        TaskChange::Assign {
            task,
            owner: Named::of(owner),
        },
    )
}
