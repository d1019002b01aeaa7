//! Notes which statements of a script run, for tests and checks. Only an engine that was made for
//! that does; the daemon's does not, and pays nothing.

use std::cell::RefCell;
use std::collections::BTreeSet;

use rhai::debugger::{DebuggerCommand, DebuggerEvent};
use rhai::{Engine, Position};

use crate::script::key;

thread_local! {
    // The engine's callback belongs to no call; a call runs on one thread.
    static WATCHED: RefCell<Option<Watched>> = const { RefCell::new(None) };
}

/// What a call ran.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) ran: Ran,
    /// The last that ran: file and position.
    pub(crate) last: Option<(String, (usize, usize))>,
}

/// What ran, by file and position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ran(Vec<(String, BTreeSet<(usize, usize)>)>);

impl Ran {
    /// Whether what is at this position of this file ran.
    pub(crate) fn has(&self, file: &str, position: (usize, usize)) -> bool {
        let mut files = self.0.iter();
        files.any(|(name, places)| name == file && places.contains(&position))
    }

    /// Adds what ran elsewhere; whether any of it is new.
    pub(crate) fn add(&mut self, more: Self) -> bool {
        let mut is_new = false;
        for (file, places) in more.0 {
            for place in places {
                is_new |= self.note(&file, place);
            }
        }
        is_new
    }

    fn note(&mut self, file: &str, place: (usize, usize)) -> bool {
        match self.0.iter_mut().find(|(name, _)| name == file) {
            Some((_, places)) => places.insert(place),
            None => {
                self.0.push((file.to_owned(), BTreeSet::from([place])));
                true
            }
        }
    }
}

/// Lets an engine note what it runs.
pub(crate) fn register(engine: &mut Engine) {
    #[allow(
        deprecated,
        reason = "it is volatile, not deprecated; the version is pinned"
    )]
    engine.register_debugger(
        |_, debugger| debugger,
        |_, event, _, file, position| {
            if matches!(event, DebuggerEvent::Start | DebuggerEvent::Step) {
                note(file, position);
            }
            Ok(DebuggerCommand::StepInto)
        },
    );
}

/// Runs `call`, and says what of the scripts ran.
pub(crate) fn watched<T>(call: impl FnOnce() -> T) -> (T, Watched) {
    WATCHED.set(Some(Watched::default()));
    let answer = call();
    (answer, WATCHED.take().unwrap_or_default())
}

fn note(file: Option<&str>, position: Position) {
    let Some(place) = key(position) else { return };
    WATCHED.with_borrow_mut(|watched| {
        let Some(watched) = watched else { return };
        let file = file.unwrap_or_default();
        watched.ran.note(file, place);
        match &mut watched.last {
            Some((last, at)) => {
                file.clone_into(last);
                *at = place;
            }
            None => watched.last = Some((file.to_owned(), place)),
        }
    });
}
