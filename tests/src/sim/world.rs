//! One simulated night: the real engine on a store that fails, with a clock that jumps, senders,
//! people, policies and an outside that misbehave. Everything that happens comes from the seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tocsin::runtime::engine::Engine;
use tocsin::runtime::{
    Answer, Cause, EngineError, IncidentState, Observed, Request, Subscribers, decode_row, firing,
    lapses, settlement,
};
use tocsin_core::command::{Command, Delays, Refusal};
use tocsin_core::event::LogKind;
use tocsin_core::intake::{Known, Needed, needed};
use tocsin_core::limits::CONTACT_WAIT_MS;
use tocsin_core::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use tocsin_core::{Actor, Alert, Draft, Grade, IncidentId, Signal, SignalStatus, Timestamp};
use tocsin_store::{Class, CommandKey, MemoryStore, Store, Table};

use super::bug::Bug;
use super::cast::{self, Policies};
use super::check::{self, Fact, text};
use super::outside::{Outside, Underway};
use super::rng::Rng;
use super::store::{Fault, FaultyStore};
use super::trace::Trace;

/// When every night begins.
const BEGIN: Timestamp = Timestamp(1_700_000_000_000);
/// Steps of a night before its faults stop.
const STEPS: u64 = 40;
/// Rounds in which all that is due must have found its end once the faults have stopped.
const CALM_ROUNDS_MAX: usize = 100;
/// How long a claim holds its lane, in milliseconds.
const LEASE_MS: u64 = 120_000;
/// Rows that one request takes.
const LIMIT: usize = 100;

const DELAYS: Delays = Delays {
    resolve_after_ms: MINUTE_MS,
    reopen_within_ms: 10 * MINUTE_MS,
    contact_wait_ms: CONTACT_WAIT_MS,
};

/// What is asked, and what must stand once it is answered as done.
struct Asked {
    request: Request,
    then: Then,
}

enum Then {
    Nothing,
    Alert(String, bool),
    Fact(Fact),
    Opened,
    Settled(Box<Underway>),
}

/// A simulated night.
pub(super) struct World {
    rng: Rng,
    now: Timestamp,
    store: Arc<FaultyStore>,
    engine: Engine,
    subscribers: Arc<ArcSwap<Subscribers>>,
    outside: Outside,
    underway: Vec<Underway>,
    /// Until when a lane is held.
    lanes: BTreeMap<(Class, String), Timestamp>,
    policies: Policies,
    facts: Vec<Fact>,
    /// Whether an alert must be firing, by what its sender was answered.
    alerts: BTreeMap<String, bool>,
    bug: Option<Bug>,
    words: u64,
    lives: u64,
    well: bool,
    /// What happened.
    pub trace: Trace,
}

impl World {
    /// The night of a seed.
    ///
    /// # Errors
    /// What is broken, already at the start.
    pub(super) fn new(seed: u64, bug: Option<Bug>, trace: Trace) -> Result<Self, String> {
        let store = Arc::new(FaultyStore::new(MemoryStore::new(), bug, seed));
        let subscribers = Arc::new(ArcSwap::from_pointee(cast::subscribers(true)));
        Ok(Self {
            rng: Rng::new(seed),
            now: BEGIN,
            engine: start(&store, &subscribers, 0)?,
            store,
            subscribers,
            outside: Outside::default(),
            underway: Vec::new(),
            lanes: BTreeMap::new(),
            policies: Policies::default(),
            facts: Vec::new(),
            alerts: BTreeMap::new(),
            bug,
            words: 0,
            lives: 0,
            well: false,
            trace,
        })
    }

    /// Lives through the night, and then through the calm after it.
    ///
    /// # Errors
    /// What is broken.
    pub(super) fn live(&mut self) -> Result<(), String> {
        for _ in 0..STEPS {
            self.step()?;
            self.check()?;
        }
        self.crash("the last crash")?;
        self.calm()?;
        check::whole(&self.store, &self.engine, &self.facts)?;
        check::pages_are_out(&self.engine.view())?;
        self.arrivals_are_accounted_for()
    }

    fn check(&self) -> Result<(), String> {
        check::step(&self.store, &self.engine, &self.store.take_touched())?;
        for (key, fires) in &self.alerts {
            let row = self.store.row(Table::Alert, key).map_err(text)?;
            let alert = row.map(|row| decode_row::<Alert>("an alert", &row.value));
            let is = alert.transpose().map_err(text)?.is_some_and(|it| it.firing);
            if is != *fires {
                return Err(format!(
                    "it was answered that alert {key} fires: {fires}; it does: {is}"
                ));
            }
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), String> {
        match self.rng.below(100) {
            0..38 => self.speak(),
            38..58 => self.deliver(),
            58..72 => self.fire(),
            72..84 => self.pass_time(),
            84..88 => self.sweep(),
            88..91 => self.expire(),
            91..94 => self.change_the_world(),
            94..97 => self.storm(),
            _ => self.crash("a crash"),
        }
    }

    /// Senders and people say things, several at once.
    fn speak(&mut self) -> Result<(), String> {
        let count = 1 + self.rng.below(5);
        let asked = (0..count).map(|_| self.utter()).collect();
        self.process(asked)
    }

    fn utter(&mut self) -> Asked {
        let state = self.engine.view().in_memory();
        let mut ids: Vec<IncidentId> = state.iter().map(|it| it.incident.id.clone()).collect();
        ids.sort();
        if ids.is_empty() || self.rng.chance(65) {
            let signal = cast::signal(&mut self.rng, self.now);
            return self.asked_of(signal, false);
        }
        if self.rng.chance(8) {
            return self.open();
        }
        let id = self.rng.pick(&ids).clone();
        self.words += 1;
        let said = format!("word {}", self.words);
        let (command, then) = match self.rng.below(12) {
            0..4 => (
                Command::Acknowledge {
                    via: "chat".to_owned(),
                },
                Then::Fact(Fact::Acknowledged(id.clone())),
            ),
            4..6 => (
                Command::Resolve { reason: said },
                Then::Fact(Fact::Resolved(id.clone())),
            ),
            6 => (Command::Mitigate { reason: said }, Then::Nothing),
            7 => (Command::Close, Then::Nothing),
            8..10 => (
                Command::Grade {
                    grade: *self.rng.pick(&Grade::ALL),
                    security: None,
                    reason: said.clone(),
                    replan: self
                        .rng
                        .chance(50)
                        .then(|| Box::new(self.policies.opening(2))),
                },
                Then::Fact(Fact::Said(id.clone(), said)),
            ),
            _ => (
                Command::Log {
                    kind: LogKind::Note,
                    body: said.clone(),
                },
                Then::Fact(Fact::Said(id.clone(), said)),
            ),
        };
        // Some repeat a command under the key of another: that is answered and not carried out.
        let key = CommandKey(format!("command-{}", self.rng.below(40)));
        let key = self.rng.chance(30).then_some(key);
        let cause = Cause {
            key,
            ..Cause::default()
        };
        let by = Actor::Person("ada".into());
        let request = Request::Command {
            incident: id,
            by,
            command,
            cause,
        };
        Asked { request, then }
    }

    fn open(&mut self) -> Asked {
        let key = self.rng.chance(50).then(|| "api/0".into());
        let draft = Draft {
            title: "it smells".to_owned(),
            service: "api".to_owned(),
            key,
            ..Draft::default()
        };
        let request = Request::Open {
            draft,
            opening: Box::new(self.policies.opening(0)),
            by: Actor::Person("eve".into()),
            key: None,
        };
        Asked {
            request,
            then: Then::Opened,
        }
    }

    /// A signal with what policies say of it, as the door would ask them.
    fn asked_of(&mut self, mut signal: Signal, whole: bool) -> Asked {
        // Whatever is said is news, also within the same millisecond.
        self.words += 1;
        signal.starts_at = self.now.plus_ms(self.words);
        let then = match signal.status {
            SignalStatus::Firing => Then::Alert(key_of(&signal), true),
            SignalStatus::Resolved => Then::Alert(key_of(&signal), false),
            SignalStatus::Acknowledged => Then::Nothing,
        };
        let assessment = self
            .needs_verdict(&signal, whole)
            .then(|| Box::new(self.policies.assess(&signal)));
        let word = Observed {
            signal: Arc::new(signal),
            last_seen: None,
        };
        Asked {
            request: word.request(assessment),
            then,
        }
    }

    fn needs_verdict(&self, signal: &Signal, whole: bool) -> bool {
        let standing = self
            .engine
            .view()
            .alert_and_home(signal)
            .unwrap_or_default();
        let known = Known {
            alert: standing.0.as_ref(),
            home: standing.1.as_deref().map(IncidentState::parts),
            ..Known::default()
        };
        let needed = needed(signal, &known, None, whole, self.now, &DELAYS);
        !matches!(needed, Needed::Nothing)
    }

    /// Every alert at once.
    fn storm(&mut self) -> Result<(), String> {
        let mut asked = Vec::new();
        for integration in ["am", "pd"] {
            for number in 0..7 {
                let status = match self.rng.chance(70) {
                    true => SignalStatus::Firing,
                    false => SignalStatus::Resolved,
                };
                let signal = cast::signal_of(integration, number, status, self.now);
                asked.push(self.asked_of(signal, false));
            }
        }
        self.process(asked)
    }

    /// Fires the timers that are due; sometimes the clock is set back in between.
    fn fire(&mut self) -> Result<(), String> {
        let due = self.store.timers_due(self.now, LIMIT).map_err(text)?;
        if let Some(early) = due.iter().find(|row| row.key.due > self.now) {
            return Err(format!("timer {} fires early", early.key.id));
        }
        let mut asked = Vec::new();
        for row in due {
            let request = firing(row, &self.engine.view(), cast::next_responders).map_err(text)?;
            let then = Then::Nothing;
            asked.push(Asked { request, then });
        }
        if !self.well && self.rng.chance(10) {
            self.now = self.now.minus_ms(20 * SECOND_MS);
        }
        if !self.well && self.rng.chance(30) {
            asked.push(self.utter());
        }
        self.process(asked)
    }

    /// Ends deliveries that are under way, and begins new ones.
    fn deliver(&mut self) -> Result<(), String> {
        let mut over = Vec::new();
        for mut underway in std::mem::take(&mut self.underway) {
            match underway.steps.checked_sub(1) {
                Some(left) => {
                    underway.steps = left;
                    self.underway.push(underway);
                }
                None => over.push(underway),
            }
        }
        self.settle(over)?;
        for class in Class::ALL {
            self.claim(class)?;
        }
        Ok(())
    }

    fn settle(&mut self, over: Vec<Underway>) -> Result<(), String> {
        let mut asked = Vec::new();
        for mut underway in over {
            let Some(ended) = underway.ended.take() else {
                continue;
            };
            // A delivery that is told to come again keeps its excuse; any other must be settled.
            let (now, jitter) = (self.now, self.rng.unit());
            let request = settlement(&underway.claim, ended, now, jitter).request;
            let then = Then::Settled(Box::new(underway));
            asked.push(Asked { request, then });
        }
        if !self.well && self.rng.chance(30) {
            asked.push(self.utter());
        }
        self.process(asked)
    }

    fn claim(&mut self, class: Class) -> Result<(), String> {
        let request = Request::Claim {
            class,
            limit: LIMIT,
            lease_ms: LEASE_MS,
        };
        let ready = self.ready(class)?;
        self.arm();
        let Ok(mut answers) = self.engine.process(vec![request], self.now) else {
            return self.crash("the store failed under a claim");
        };
        let Some(Ok(Answer::Claimed(claimed))) = answers.pop() else {
            return Err("a claim was not answered".to_owned());
        };
        for claim in claimed {
            let key = &claim.token.key;
            self.trace
                .say(|| format!("claimed {}#{} {}", key.lane, key.seq, claim.row.attempts));
            let until = self.now.plus_ms(LEASE_MS);
            self.lanes.insert((class, key.lane.clone()), until);
            let (view, well) = (self.engine.view(), self.well);
            let underway = self.outside.bring(claim, &view, &mut self.rng, well);
            self.underway.push(underway);
        }
        let state = |lane: &String| {
            let until = self.lanes.get(&(class, lane.clone()));
            until.is_some_and(|until| *until > self.now)
        };
        match ready.iter().find(|lane| !state(lane)) {
            Some(lane) => Err(format!("{class:?} lane {lane} is due and passed over")),
            None => Ok(()),
        }
    }

    /// Lanes with a row that is ready.
    fn ready(&self, class: Class) -> Result<Vec<String>, String> {
        let rows = self.store.outbox(class, None, 10 * LIMIT).map_err(text)?;
        let ready = rows.into_iter().filter(|row| row.not_before <= self.now);
        Ok(ready.map(|row| row.key.lane).collect())
    }

    fn pass_time(&mut self) -> Result<(), String> {
        let ms = match self.rng.below(20) {
            0..8 => SECOND_MS * self.rng.below(20),
            8..15 => SECOND_MS * self.rng.below(120),
            15..17 => MINUTE_MS * self.rng.below(20),
            17 => HOUR_MS * 2,
            _ => {
                self.now = self.now.minus_ms(MINUTE_MS * self.rng.below(15));
                self.trace.say(|| "the clock is set back".to_owned());
                return Ok(());
            }
        };
        self.now = self.now.plus_ms(ms);
        let now = self.now;
        self.trace.say(|| format!("{ms} ms pass: it is {now}"));
        Ok(())
    }

    /// Ends the alerts whose sender fell silent. Senders may speak between the sweep's look and
    /// its word.
    fn sweep(&mut self) -> Result<(), String> {
        let (view, leases) = (self.engine.view(), self.engine.leases());
        let mut words = lapses(&view, &leases, self.now).map_err(text)?;
        if !self.policies.silenced {
            for key in leases.silenced("", LIMIT) {
                words.extend(
                    view.alert(&key)
                        .map_err(text)?
                        .map(|it| Observed::again(&it)),
                );
            }
        }
        let mut asked = Vec::new();
        for word in words {
            let key = key_of(&word.signal);
            if self.rng.chance(20) {
                asked.push(self.interrupt(&word.signal));
            } else if word.signal.status == SignalStatus::Resolved {
                self.alerts.remove(&key);
            }
            let is_firing = word.signal.status == SignalStatus::Firing;
            let assessment = is_firing.then(|| Box::new(self.policies.assess(&word.signal)));
            let (request, then) = (word.request(assessment), Then::Nothing);
            asked.push(Asked { request, then });
        }
        self.process(asked)
    }

    /// The sender says the contrary just before the sweep's word is heard.
    fn interrupt(&mut self, sweeps: &Signal) -> Asked {
        let mut signal = sweeps.clone();
        signal.status = match sweeps.status {
            SignalStatus::Resolved => SignalStatus::Firing,
            _ => SignalStatus::Resolved,
        };
        signal.ends_at = Some(self.now.plus_ms(4 * MINUTE_MS));
        self.asked_of(signal, true)
    }

    fn expire(&mut self) -> Result<(), String> {
        let (request, then) = (Request::Expire, Then::Nothing);
        self.process(vec![Asked { request, then }])
    }

    /// Policies are reloaded, break or are mended; a silence begins or ends; a plugin comes or
    /// goes.
    fn change_the_world(&mut self) -> Result<(), String> {
        match self.rng.below(4) {
            0 => self.policies.version += 1,
            1 => self.policies.broken = !self.policies.broken,
            2 => self.policies.silenced = !self.policies.silenced,
            _ => {
                let has_pager = self.subscribers.load().for_contact("pager").is_some();
                self.subscribers
                    .store(Arc::new(cast::subscribers(!has_pager)));
            }
        }
        let policies = self.policies;
        self.trace
            .say(|| format!("the world changes: {policies:?}"));
        Ok(())
    }

    /// Everything in memory is gone; what was committed is not.
    fn crash(&mut self, why: &str) -> Result<(), String> {
        self.lives += 1;
        self.trace.say(|| why.to_owned());
        for underway in std::mem::take(&mut self.underway) {
            self.outside.excuse(underway.page.as_ref());
        }
        self.lanes.clear();
        let (left, bug_turns) = self.store.crash();
        self.store = Arc::new(FaultyStore::new(left, self.bug, bug_turns));
        self.engine = start(&self.store, &self.subscribers, self.lives)?;
        check::whole(&self.store, &self.engine, &self.facts)
    }

    /// The faults stop, and everybody keeps quiet: all that is due must find its end.
    fn calm(&mut self) -> Result<(), String> {
        self.well = true;
        self.trace.say(|| "the faults stop".to_owned());
        for _ in 0..CALM_ROUNDS_MAX {
            self.fire()?;
            let latest = self.bring_all()?;
            self.check()?;
            match latest {
                Some(latest) => self.now = self.now.max(latest),
                None => return Ok(()),
            }
        }
        Err("deliveries do not come to an end once the faults have stopped".to_owned())
    }

    /// Brings out all that is ready, and says until when the rest waits.
    fn bring_all(&mut self) -> Result<Option<Timestamp>, String> {
        for _ in 0..CALM_ROUNDS_MAX {
            self.deliver()?;
            let mut rows = Vec::new();
            for class in Class::ALL {
                rows.extend(self.store.outbox(class, None, 10 * LIMIT).map_err(text)?);
            }
            let is_ready = rows.iter().any(|row| row.not_before <= self.now);
            if !is_ready && self.underway.is_empty() {
                return Ok(rows.into_iter().map(|row| row.not_before).max());
            }
        }
        Err("what is ready is not brought out".to_owned())
    }

    fn arrivals_are_accounted_for(&self) -> Result<(), String> {
        for (page, count) in &self.outside.arrived {
            let excused = self.outside.excused.get(page).copied().unwrap_or(0);
            if *count > 1 + excused {
                return Err(format!(
                    "{page:?} arrived {count} times, {excused} of them excused"
                ));
            }
        }
        Ok(())
    }

    fn arm(&mut self) {
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

    /// Asks the engine, and asks again with a whole assessment where it needs one.
    fn process(&mut self, asked: Vec<Asked>) -> Result<(), String> {
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

fn start(
    store: &Arc<FaultyStore>,
    subscribers: &Arc<ArcSwap<Subscribers>>,
    life: u64,
) -> Result<Engine, String> {
    let mut made = 0;
    let make_id = move |_now| {
        made += 1;
        IncidentId(format!("i{life}-{made}"))
    };
    let (store, subscribers) = (Arc::clone(store) as Arc<dyn Store>, Arc::clone(subscribers));
    Engine::start(store, subscribers, DELAYS, Box::new(make_id)).map_err(text)
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

fn key_of(signal: &Signal) -> String {
    Alert::row_key(&signal.integration, &signal.fingerprint)
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
