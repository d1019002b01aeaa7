//! Requests from senders and people.

use std::sync::Arc;

use tocsin::runtime::{Cause, IncidentState, Observed, Request};
use tocsin_core::command::{Command, Merge, Named, Opening};
use tocsin_core::event::{LogDraft, LogKind};
use tocsin_core::intake::{Assessment, Known, Needed, needed};
use tocsin_core::time::MINUTE_MS;
use tocsin_core::{
    Actor, Alert, Change, Draft, Grade, IncidentId, IncidentKey, Signal, SignalStatus, Step,
};
use tocsin_store::CommandKey;

use super::asked::{Asked, Then};
use super::{DELAYS, World};
use crate::sim::cast;
use crate::sim::check::Fact;

/// How many of 100 requests change who is on call.
const ON_CALL_OF_100: u64 = 8;
/// How many of 100 requests report a change of a service.
const CHANGES_OF_100: u64 = 6;

impl World {
    /// Sends several requests from senders and people.
    pub(super) fn speak(&mut self) -> Result<(), String> {
        let count = 1 + self.rng.below(5);
        let asked = (0..count).map(|_| self.utter()).collect();
        self.process(asked)
    }

    pub(super) fn utter(&mut self) -> Asked {
        let place = self.draw_node();
        if self.rng.chance(ON_CALL_OF_100)
            && let Some(asked) = self.change_on_call(place)
        {
            return asked;
        }
        if self.rng.chance(CHANGES_OF_100) {
            return self.change();
        }
        let state = self.nodes[place].view.in_memory();
        let mut ids: Vec<IncidentId> = state.iter().map(|it| it.incident.id.clone()).collect();
        ids.sort();
        if ids.is_empty() || self.rng.chance(65) {
            let signal = cast::signal(&mut self.rng, self.now);
            return self.asked_of(signal, false);
        }
        if self.rng.chance(8) {
            return self.open();
        }
        if self.rng.chance(6) {
            return self.end_alert();
        }
        let id = self.rng.pick(&ids).clone();
        self.words += 1;
        let said = format!("word {}", self.words);
        let is_acknowledged = state
            .iter()
            .any(|it| it.incident.id == id && it.incident.lifecycle.acknowledged_at.is_some());
        let (command, then) = match self.rng.below(17) {
            0 if is_acknowledged => {
                let reason = Some(said);
                (Command::Unacknowledge { reason }, Then::Nothing)
            }
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
                    may_declassify: false,
                    reason: said.clone(),
                    replan: self.rng.chance(50).then(|| Box::new(self.opening(2))),
                },
                Then::Fact(Fact::Said(id.clone(), said)),
            ),
            10 => {
                let mut numbers: Vec<u64> = state.iter().map(|it| it.incident.number).collect();
                numbers.sort_unstable();
                let merge = Merge {
                    into: *self.rng.pick(&numbers),
                    may_see: true,
                    reason: said,
                    target: None,
                };
                (Command::Merge(Box::new(merge)), Then::Nothing)
            }
            11..14 => (self.about_paging(), Then::Nothing),
            _ => (
                Command::Log(LogDraft::of(LogKind::Note, said.clone())),
                Then::Fact(Fact::Said(id.clone(), said)),
            ),
        };
        // Some repeat a command under another's key: that is answered but not carried out.
        let key = CommandKey(format!("command-{}", self.rng.below(40)));
        let key = self.rng.chance(30).then_some(key);
        let cause = Cause {
            key,
            ..Cause::default()
        };
        let by = Actor::Person("ada".into());
        let mut request = Request::Command {
            incident: id,
            by,
            command,
            cause,
        };
        cast::look_up(&mut request);
        Asked { request, then }
    }

    /// Somebody snoozes an incident, pages a person, passes it on or answers a question.
    fn about_paging(&mut self) -> Command {
        let who = *self.rng.pick(&["ada", "bob", "eve", "ned"]);
        let to = Named::of(who.into());
        let via = "slack".to_owned();
        match self.rng.below(4) {
            0 => Command::Snooze {
                for_ms: MINUTE_MS * (1 + self.rng.below(90)),
                via,
            },
            1 => Command::Page { to },
            2 => Command::Reassign { to },
            _ => Command::Answer {
                prompt: 1 + u32::try_from(self.rng.below(3)).unwrap_or(0),
                choice: (*self.rng.pick(&["yes", "no", "broken", "resolve"])).to_owned(),
                via,
                replan: None,
                to: None,
            },
        }
    }

    /// Somebody ends an alert by hand.
    fn end_alert(&mut self) -> Asked {
        let integration = *self.rng.pick(&["am", "pd"]);
        let number = self.rng.below(cast::FINGERPRINTS);
        let signal = cast::signal_of(integration, number, SignalStatus::Resolved, self.now);
        let alert = key_of(&signal);
        let request = Request::EndAlert {
            alert: alert.clone(),
            by: Actor::Person("ada".into()),
            may_see: true,
            reason: "it is over".to_owned(),
        };
        Asked {
            request,
            then: Then::Alert(alert, false),
        }
    }

    /// A sender reports a change; some report it again.
    fn change(&mut self) -> Asked {
        self.words += u64::from(self.rng.chance(80));
        let change = Change {
            id: format!("change-{}", self.words).as_str().into(),
            integration: "ci".into(),
            summary: "a deployment".to_owned(),
            timestamp: self.now,
            source: None,
            services: vec![(*self.rng.pick(&["api", "db", "web"])).to_owned()],
            environment: None,
            outcome: None,
            revision: None,
            links: Vec::new(),
        };
        Asked {
            request: Request::Change(Box::new(change)),
            then: Then::Nothing,
        }
    }

    fn open(&mut self) -> Asked {
        let key = self.rng.chance(50).then(|| "api/0".into());
        let draft = Draft {
            title: "it is slow".to_owned(),
            service: "api".to_owned(),
            key,
            ..Draft::default()
        };
        let request = Request::Open {
            draft,
            opening: Box::new(self.opening(0)),
            by: Actor::Person("eve".into()),
            key: None,
        };
        Asked {
            request,
            then: Then::Opened,
        }
    }

    /// What the policies say of an incident of one alert with this weight.
    fn opening(&mut self, weight: u64) -> Opening {
        let place = self.draw_node();
        let desk = &self.nodes[place].desk;
        let pages = |step: Option<&Step>| desk.of_step(step, self.now);
        self.policies.opening(weight, 1, &pages)
    }

    /// A request for a signal with its assessment, as intake makes it.
    pub(super) fn asked_of(&mut self, mut signal: Signal, whole: bool) -> Asked {
        // Every signal is newer than the one before, even within one millisecond.
        self.words += 1;
        signal.starts_at = self.now.plus_ms(self.words);
        signal.sender.repeats |= self.policies.swallows_triggers;
        let then = match signal.status {
            SignalStatus::Firing => Then::Alert(key_of(&signal), true),
            SignalStatus::Resolved => Then::Alert(key_of(&signal), false),
            SignalStatus::Acknowledged => Then::Nothing,
        };
        let needs = self.needs_verdict(&signal, whole);
        let assessment = needs.then(|| self.assess(&signal));
        let word = Observed {
            signal: Arc::new(signal),
            last_seen: None,
        };
        Asked {
            request: word.request(assessment),
            then,
        }
    }

    /// What one of the engines finds out about a firing alert.
    pub(super) fn assess(&mut self, signal: &Signal) -> Box<Assessment> {
        let place = self.draw_node();
        let silences = &self.nodes[place].silences;
        let view = &self.nodes[place].view;
        let firing = |key: &IncidentKey| {
            let state = view
                .snapshot(self.now)
                .and_then(|it| it.incident_of_key(key));
            let state = state.ok().flatten();
            state.map_or(0, |it| it.tally.counts.firing) + 1
        };
        let desk = &self.nodes[place].desk;
        let pages = |step: Option<&Step>| desk.of_step(step, self.now);
        let assessment = self.policies.assess(signal, firing, (self.now, &pages));
        let mut assessment = Box::new(assessment);
        // A store that fails is noticed by the next commit.
        if let Ok((matching, read_at)) = silences.matching_now(&signal.labels, self.now) {
            assessment.silenced_by = matching;
            assessment.silences_at = Some(read_at.position.0);
            assessment.silences_mark = Some(read_at.mark);
            assessment.silences_until = silences.next_change(self.now);
        }
        assessment
    }

    fn needs_verdict(&mut self, signal: &Signal, whole: bool) -> bool {
        let place = self.draw_node();
        let view = &self.nodes[place].view;
        let snapshot = view.snapshot(self.now);
        let standing = snapshot.and_then(|it| it.alert_and_home(signal));
        let standing = standing.unwrap_or_default();
        let known = Known {
            alert: standing.0.as_ref(),
            home: standing.1.as_deref().map(IncidentState::parts),
            ..Known::default()
        };
        let needed = needed(signal, &known, None, whole, self.now, &DELAYS);
        !matches!(needed, Needed::Nothing)
    }

    /// Every alert at once. Two engines may get alerts of the same services at the same time.
    pub(super) fn storm(&mut self) -> Result<(), String> {
        let mut asked = Vec::new();
        let mut others = Vec::new();
        let is_shared = self.are_two() && self.rng.chance(70);
        for integration in ["am", "pd"] {
            for number in 0..7 {
                let status = match self.rng.chance(70) {
                    true => SignalStatus::Firing,
                    false => SignalStatus::Resolved,
                };
                let signal = cast::signal_of(integration, number, status, self.now);
                let one = self.asked_of(signal, false);
                match is_shared && number % 2 == 0 {
                    true => others.push(one),
                    false => asked.push(one),
                }
            }
        }
        if others.is_empty() {
            return self.process(asked);
        }
        self.arm();
        let place = self.draw_node();
        let again = self.process_beside(place, asked, others)?;
        self.process(again)
    }

    /// A signal with the opposite status, just before the sweep's signal is processed.
    pub(super) fn interrupt(&mut self, sweeps: &Signal) -> Asked {
        let mut signal = sweeps.clone();
        signal.status = match sweeps.status {
            SignalStatus::Resolved => SignalStatus::Firing,
            _ => SignalStatus::Resolved,
        };
        signal.ends_at = Some(self.now.plus_ms(4 * MINUTE_MS));
        signal.fires_at = None;
        self.asked_of(signal, true)
    }
}

pub(super) fn key_of(signal: &Signal) -> String {
    Alert::row_key(&signal.integration, &signal.fingerprint)
}
