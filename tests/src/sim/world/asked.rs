//! Requests to the engines, and what must be true once they are answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use tocsin::runtime::{Answer, EngineError, Request};
use tocsin_core::command::{Command, Refusal};
use tocsin_core::{Alert, Signal};
use tocsin_store::TimerKey;

use super::World;
use super::nodes::Answers;
use super::senders::key_of;
use crate::sim::cast;
use crate::sim::check::{Fact, text};
use crate::sim::on_call::Change;
use crate::sim::outside::Underway;
use crate::sim::store::Fault;

/// A request, and what must be true once it is answered with success.
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
    OnCall(Change),
    /// A page knows what became of the message of this timer.
    Told(TimerKey),
}

/// The parts of a sent request that are needed to process its answer.
struct Sent {
    then: Then,
    signal: Option<Arc<Signal>>,
}

impl World {
    /// Sends requests, and repeats those that need a full assessment with one.
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
        let place = self.draw_node();
        let (asked, others) = self.divide(asked);
        self.process_beside(place, asked, others)
    }

    /// With two engines, moves some requests to the other one and adds more for it.
    fn divide(&mut self, asked: Vec<Asked>) -> (Vec<Asked>, Vec<Asked>) {
        if !self.are_two() || self.rng.chance(30) {
            return (asked, Vec::new());
        }
        let (mut first, mut others) = (Vec::new(), Vec::new());
        for one in asked {
            match self.rng.chance(40) {
                true => others.push(one),
                false => first.push(one),
            }
        }
        if !self.well {
            let more = self.rng.below(4);
            others.extend((0..more).map(|_| self.utter()));
        }
        (first, others)
    }

    /// Sends requests to one engine, and concurrently to the other; returns those that need a full
    /// assessment.
    pub(super) fn process_beside(
        &mut self,
        place: usize,
        asked: Vec<Asked>,
        others: Vec<Asked>,
    ) -> Result<Vec<Asked>, String> {
        let triggered = match self.are_two() {
            false => self.triggered(&asked)?,
            true => Vec::new(),
        };
        let (first, requests) = self.split(place, asked);
        let (answers, beside) = if others.is_empty() {
            (self.nodes[place].process(requests, self.now), None)
        } else {
            let (second, others) = self.split(1 - place, others);
            let (answers, other_answers) = self.ask_both(place, requests, others);
            (answers, Some((second, other_answers)))
        };
        // The other engine committed first.
        let mut answered: Vec<(Vec<Sent>, Answers)> = beside.into_iter().collect();
        answered.push((first, answers));
        self.note_on_call(&answered);
        let contested = contested(&answered);
        let mut again = Vec::new();
        let mut failure = None;
        for (sent, answers) in answered {
            match answers {
                Ok(answers) => again.extend(self.note_all(sent, answers)?),
                Err(error) => {
                    sent.iter().for_each(|it| self.doubt(&it.then));
                    failure = Some(error);
                }
            }
        }
        // Both engines got a signal of one alert: either may have committed last.
        for key in &contested {
            self.alerts.remove(key);
        }
        if let Some(error) = failure {
            self.crash(&format!("the store failed: {error}"))?;
            return Ok(Vec::new());
        }
        self.store.arm(None);
        self.settle_doubts()?;
        if again.is_empty() {
            self.none_is_swallowed(&triggered)?;
        }
        Ok(again)
    }

    fn split(&mut self, place: usize, asked: Vec<Asked>) -> (Vec<Sent>, Vec<Request>) {
        if self.are_two() {
            self.trace.say(|| format!("engine {place}:"));
        }
        let mut sent = Vec::new();
        let mut requests = Vec::new();
        for Asked { request, then } in asked {
            self.trace.say(|| ask(&request));
            let signal = signal_in(&request);
            sent.push(Sent { then, signal });
            requests.push(request);
        }
        (sent, requests)
    }

    fn note_all(
        &mut self,
        sent: Vec<Sent>,
        answers: Vec<Result<Answer, EngineError>>,
    ) -> Result<Vec<Asked>, String> {
        let mut again = Vec::new();
        for (answer, Sent { then, signal }) in answers.into_iter().zip(sent) {
            self.trace.say(|| say(&answer));
            if let Err(error @ (EngineError::Damaged(_) | EngineError::Overloaded)) = &answer {
                return Err(format!("a request failed: {error}"));
            }
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

    /// Records what must be true from now on.
    fn note(&mut self, answer: Result<Answer, EngineError>, then: Then) {
        if let (
            Then::Told(timer),
            Ok(_) | Err(EngineError::Refused(_) | EngineError::NoIncident(_)),
        ) = (&then, &answer)
        {
            let left = self.untold.get_mut(timer);
            left.into_iter().for_each(|it| *it = it.saturating_sub(1));
            return;
        }
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
            Then::Nothing | Then::Told(_) | Then::OnCall(_) => {}
            Then::Alert(key, fires) => drop(self.alerts.insert(key, fires)),
            Then::Fact(fact) => self.facts.push(fact),
            Then::Opened => self.facts.extend(
                done.incident
                    .map(|incident| Fact::Opened(incident.id.clone())),
            ),
            settled @ Then::Settled(_) => self.free(&settled),
        }
    }

    /// Notes changes of who is on call, before anything else is looked up.
    fn note_on_call(&mut self, answered: &[(Vec<Sent>, Answers)]) {
        for (sent, answers) in answered {
            for (at, sent) in sent.iter().enumerate() {
                let Then::OnCall(change) = &sent.then else {
                    continue;
                };
                let answer = answers.as_ref().ok().and_then(|it| it.get(at));
                match answer {
                    Some(Ok(Answer::Done(_))) => self.model.lock().apply(change.clone()),
                    _ => self.doubts.push(change.clone()),
                }
            }
        }
    }

    /// What senders trigger that trigger once and were never seen to repeat, if nothing else
    /// happens at the same time.
    fn triggered(&self, asked: &[Asked]) -> Result<Vec<String>, String> {
        let mut keys = Vec::new();
        for Asked { request, then } in asked {
            if signal_in(request).is_none() {
                return Ok(Vec::new());
            }
            match then {
                Then::Alert(key, true) if key.starts_with(cast::TRIGGERS_ONCE) => {
                    let alert = self.nodes[0].view.alert(key).map_err(text)?;
                    let is_once = alert.is_none_or(|it| it.repeats == 0);
                    keys.extend(is_once.then(|| key.clone()));
                }
                _ => {}
            }
        }
        Ok(keys)
    }

    /// Checks that no person's resolve stands against a trigger that was accepted.
    fn none_is_swallowed(&self, triggered: &[String]) -> Result<(), String> {
        let view = &self.nodes[0].view;
        for key in triggered {
            let alert = view.alert(key).map_err(text)?;
            let alert = alert.filter(|it| it.firing);
            let home = alert.as_ref().and_then(Alert::incident);
            let home = home.map(|id| view.incident(id)).transpose().map_err(text)?;
            let is_over = home.flatten().is_some_and(|it| !it.incident.is_active());
            if is_over && self.alerts.get(key) == Some(&true) {
                return Err(format!("the trigger of {key} was swallowed"));
            }
        }
        Ok(())
    }

    fn free(&mut self, then: &Then) {
        if let Then::Settled(underway) = then {
            let key = &underway.claim.token.key;
            self.lanes.remove(&(key.class, key.lane.clone()));
        }
    }

    /// Handles a request whose outcome is unknown.
    fn doubt(&mut self, then: &Then) {
        match then {
            Then::Alert(key, _) => drop(self.alerts.remove(key)),
            Then::Settled(underway) => self.outside.excuse(&underway.pages),
            Then::Nothing | Then::Told(_) | Then::OnCall(_) | Then::Fact(_) | Then::Opened => {}
        }
    }
}

/// The alerts of which both engines got a signal concurrently.
fn contested(answered: &[(Vec<Sent>, Answers)]) -> BTreeSet<String> {
    let keys = |sent: &[Sent]| -> BTreeSet<String> {
        let keys = sent.iter().filter_map(|it| match &it.then {
            Then::Alert(key, _) => Some(key.clone()),
            _ => None,
        });
        keys.collect()
    };
    match answered {
        [(first, _), (second, _)] => keys(first).intersection(&keys(second)).cloned().collect(),
        _ => BTreeSet::new(),
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
        Request::EndAlert { alert, .. } => format!("somebody ends {alert}"),
        Request::Change(change) => format!("change {} to {:?}", change.id, change.services),
        Request::Write(write) => {
            format!("settle {:?}, take {:?}", write.settles, write.timers_take)
        }
        Request::Claim { class, .. } => format!("claim {class:?}"),
        Request::Silencing { alert, silencing } => {
            format!("alert {alert} is silenced by {:?}", silencing.by)
        }
        Request::Test(test) => format!("{test:?}"),
        Request::Gather { person, .. } => format!("what waits for {person} goes out"),
        Request::Arrived { message, arrival } => format!("{message} arrived: {arrival:?}"),
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
