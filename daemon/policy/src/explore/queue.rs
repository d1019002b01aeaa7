//! The questions that are still to be asked, the most promising first.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::answers::World;
use super::input::Input;
use crate::trace::{Answer, Read, Trace};
use crate::watch::Ran;

/// Most questions that wait; of more, those that promise little are dropped.
const WAITING_MAX: usize = 20_000;

/// How much a question promises; the first one most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Promise {
    /// This answer was never given to this read.
    New,
    /// It led elsewhere before, and the question that it changes just ran code that never ran.
    LeadsOn,
    /// It led elsewhere before.
    Leads,
    /// It made no difference before.
    Little,
}

/// A question to ask.
pub(super) struct Asked {
    pub(super) input: Input,
    /// The reads that find something else than in the first question.
    pub(super) changed: Vec<Read>,
    /// What is changed; none in the first question.
    choice: Option<(usize, usize)>,
    parent: Option<Rc<Parent>>,
}

/// A question that was asked.
struct Parent {
    input: Input,
    changed: Vec<Read>,
    /// The statements that ran, by which a later run is compared with it.
    path: Ran,
    is_new: bool,
}

/// A read, and what it may find.
struct Choices {
    read: Read,
    answers: Vec<Answer>,
    /// For each answer, whether it made a difference; `None` before it was tried.
    made_difference: Vec<Option<bool>>,
}

struct Task {
    parent: Rc<Parent>,
    choice: (usize, usize),
}

/// Questions in the order in which they are asked.
pub(super) struct Queue {
    first: Option<Input>,
    choices: Vec<Choices>,
    of_read: HashMap<Read, usize>,
    tasks: BTreeMap<(Promise, u64), Task>,
    number: u64,
}

impl Queue {
    pub(super) fn new(first: Input) -> Self {
        Self {
            first: Some(first),
            choices: Vec::new(),
            of_read: HashMap::new(),
            tasks: BTreeMap::new(),
            number: 0,
        }
    }

    pub(super) fn next(&mut self) -> Option<Asked> {
        if let Some(input) = self.first.take() {
            return Some(Asked {
                input,
                changed: Vec::new(),
                choice: None,
                parent: None,
            });
        }
        loop {
            let ((promised, _), task) = self.tasks.pop_first()?;
            let (choices, answer) = (self.choices.get(task.choice.0)?, task.choice.1);
            if promised < self.promise(task.choice, task.parent.is_new) {
                self.push(task);
                continue;
            }
            let wanted = choices.answers.get(answer)?;
            let Some(input) = task.parent.input.with(&choices.read, wanted) else {
                continue;
            };
            let mut changed = task.parent.changed.clone();
            if !changed.contains(&choices.read) {
                changed.push(choices.read.clone());
            }
            return Some(Asked {
                input,
                changed,
                choice: Some(task.choice),
                parent: Some(task.parent),
            });
        }
    }

    /// Notes what a question ran, and prepares those that differ from it in one answer.
    pub(super) fn ran(
        &mut self,
        asked: Asked,
        trace: &Trace,
        path: Ran,
        is_new: bool,
        world: &World<'_>,
    ) {
        if let (Some((choices, answer)), Some(parent)) = (asked.choice, &asked.parent) {
            let tried = self.choices.get_mut(choices);
            let tried = tried.and_then(|it| it.made_difference.get_mut(answer));
            if let Some(made_difference) = tried {
                let before = made_difference.unwrap_or(false);
                *made_difference = Some(before || parent.path != path);
            }
        }
        let parent = Rc::new(Parent {
            input: asked.input,
            changed: asked.changed,
            path,
            is_new,
        });
        for (read, found) in &trace.reads {
            let choices = self.choices_of(read, world);
            let count = self.choices.get(choices).map_or(0, |it| it.answers.len());
            for answer in 0..count {
                let it = self
                    .choices
                    .get(choices)
                    .and_then(|it| it.answers.get(answer));
                if it != Some(found) {
                    self.push(Task {
                        parent: Rc::clone(&parent),
                        choice: (choices, answer),
                    });
                }
            }
        }
    }

    fn push(&mut self, task: Task) {
        let promise = self.promise(task.choice, task.parent.is_new);
        if promise == Promise::Little && self.tasks.len() >= WAITING_MAX {
            return;
        }
        self.number = self.number.saturating_add(1);
        self.tasks.insert((promise, self.number), task);
        if self.tasks.len() > WAITING_MAX {
            self.tasks.pop_last();
        }
    }

    fn promise(&self, (choices, answer): (usize, usize), is_new: bool) -> Promise {
        let choices = self.choices.get(choices);
        let tried = choices.and_then(|it| it.made_difference.get(answer).copied().flatten());
        match tried {
            None => Promise::New,
            Some(true) if is_new => Promise::LeadsOn,
            Some(true) => Promise::Leads,
            Some(false) => Promise::Little,
        }
    }

    fn choices_of(&mut self, read: &Read, world: &World<'_>) -> usize {
        if let Some(known) = self.of_read.get(read) {
            return *known;
        }
        let answers = world.answers(read);
        let number = self.choices.len();
        self.of_read.insert(read.clone(), number);
        self.choices.push(Choices {
            read: read.clone(),
            made_difference: vec![None; answers.len()],
            answers,
        });
        number
    }
}
