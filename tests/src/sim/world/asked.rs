//! What the engine is asked, and what must be true once it has answered.

use std::sync::Arc;

use tocsin::runtime::{Answer, EngineError, Request};
use tocsin_core::Signal;
use tocsin_core::command::{Command, Refusal};

use super::World;
use super::senders::key_of;
use crate::sim::check::Fact;
use crate::sim::outside::Underway;
use crate::sim::store::Fault;

/// What is asked, and what must stand once it is answered as done.
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) then: Then,
}

pub(super) enum Then {
    Nothing,
    Alert(String, bool),
    Fact(Fact),
    Opened,
    Settled(Box<Underway>),
}

impl World {
    /// Asks the engine, and asks again with a whole assessment where it needs one.
    pub(super) fn process(&mut self, asked: Vec<Asked>) -> Result<(), String> {
        let mut left = asked;
        for _ in 0..3 {
            if left.is_empty() {
                break;
            }
            left = self.process_once(left)?;
        }
        Ok(())
    }

    fn process_once(&mut self, asked: Vec<Asked>) -> Result<Vec<Asked>, String> {
        self.arm();
        let (requests, thens): (Vec<_>, Vec<_>) =
            asked.into_iter().map(|it| (it.request, it.then)).unzip();
        let copies: Vec<Option<Arc<Signal>>> = requests.iter().map(signal_in).collect();
        for request in &requests {
            self.trace.say(|| ask(request));
        }
        let answers = match self.engine.process(requests, self.now) {
            Ok(answers) => answers,
            Err(error) => {
                for then in &thens {
                    self.doubt(then);
                }
                self.crash(&format!("the store failed: {error}"))?;
                return Ok(Vec::new());
            }
        };
        self.store.arm(None);
        let mut again = Vec::new();
        for ((answer, then), signal) in answers.into_iter().zip(thens).zip(copies) {
            self.trace.say(|| say(&answer));
            let needs = matches!(&answer, Err(EngineError::Refused(Refusal::NeedsVerdict)));
            match (needs, signal) {
                (true, Some(signal)) => {
                    again.push(self.asked_of(Arc::unwrap_or_clone(signal), true))
                }
                _ => self.note(answer, then),
            }
        }
        Ok(again)
    }

    pub(super) fn arm(&mut self) {
        if self.well {
            return;
        }
        let place = usize::try_from(self.rng.below(8)).unwrap_or(0);
        let fault = match self.rng.below(100) {
            0..8 => Some(Fault::Conflict(place)),
            8..10 => Some(Fault::TooLarge(place)),
            10 => Some(Fault::Lost),
            11 => Some(Fault::AnswerLost),
            12 => Some(Fault::Torn(place)),
            13 => Some(Fault::Full),
            _ => None,
        };
        if let Some(fault) = fault {
            self.trace.say(|| format!("fault: {fault:?}"));
        }
        self.store.arm(fault);
    }

    /// Notes what must stand from now on.
    fn note(&mut self, answer: Result<Answer, EngineError>, then: Then) {
        let done = match answer {
            Ok(Answer::Done(done)) => done,
            Ok(_) => return,
            Err(EngineError::Refused(Refusal::Stale(_))) => return self.free(&then),
            Err(_) => return self.doubt(&then),
        };
        if done.repeated.is_some() {
            return;
        }
        match then {
            Then::Nothing => {}
            Then::Alert(key, fires) => drop(self.alerts.insert(key, fires)),
            Then::Fact(fact) => self.facts.push(fact),
            Then::Opened => self.facts.extend(
                done.incident
                    .map(|incident| Fact::Opened(incident.id.clone())),
            ),
            settled @ Then::Settled(_) => self.free(&settled),
        }
    }

    fn free(&mut self, then: &Then) {
        if let Then::Settled(underway) = then {
            let key = &underway.claim.token.key;
            self.lanes.remove(&(key.class, key.lane.clone()));
        }
    }

    /// Nobody knows whether it was done.
    fn doubt(&mut self, then: &Then) {
        match then {
            Then::Alert(key, _) => drop(self.alerts.remove(key)),
            Then::Settled(underway) => self.outside.excuse(underway.page.as_ref()),
            Then::Nothing | Then::Fact(_) | Then::Opened => {}
        }
    }
}

fn signal_in(request: &Request) -> Option<Arc<Signal>> {
    match request {
        Request::Signal {
            signal,
            unless_observed_since: None,
            ..
        } => Some(signal.clone()),
        _ => None,
    }
}

fn ask(request: &Request) -> String {
    match request {
        Request::Signal {
            signal,
            unless_observed_since,
            ..
        } => {
            let who = if unless_observed_since.is_some() {
                "the sweep"
            } else {
                "a sender"
            };
            format!("{who} says {} is {:?}", key_of(signal), signal.status)
        }
        Request::Command {
            incident,
            command: Command::EscalationDue { due, .. },
            ..
        } => format!("{incident}: the escalation of {due} is due"),
        Request::Command {
            incident, command, ..
        } => format!("{incident}: {command:?}"),
        Request::Open { draft, .. } => format!("somebody opens {:?}", draft.key),
        Request::Write(write) => format!("settle {:?}", write.settles),
        Request::Claim { class, .. } => format!("claim {class:?}"),
        Request::Expire => "expire".to_owned(),
    }
}

fn say(answer: &Result<Answer, EngineError>) -> String {
    match answer {
        Ok(Answer::Done(done)) => {
            let number = done.incident.as_ref().map(|it| (it.number, it.version));
            format!("done {number:?} {} {}", done.events, done.reply)
        }
        Ok(Answer::Claimed(claimed)) => format!("claimed {}", claimed.len()),
        Ok(Answer::Expired(count)) => format!("expired {count}"),
        Err(error) => format!("refused: {error}"),
    }
}
