//! A test harness: one integration, a few people, and an engine made of only `decide`,
//! `decide_signal` and `fold`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]
#![allow(dead_code, unreachable_pub)]

mod made;
mod timers;

use std::collections::BTreeMap;

use tocsin_core::alert::{Alert, Tally, Waiting};
use tocsin_core::command::{
    Channels, Command, Delays, Env, Named, Opening, Outcome, Refusal, Responders,
};
use tocsin_core::consequences::{Notice, Timer, notices, wanted_timers, with_review_due};
use tocsin_core::incident::Incident;
use tocsin_core::intake::{
    AlertGrade, Assessment, EndedSilence, Intake, Known, NewIncidentId, Silencing,
    decide_silencing, joining_alerts, waiting_keys,
};
use tocsin_core::standing::{Review, Watch};
use tocsin_core::{
    Actor, Event, Grade, Grading, IncidentKey, Labels, PageTarget, Person, Plan, Recorded,
    Response, Route, Sender, Signal, SignalStatus, SilenceRef, Target, Timestamp, Verdict, decide,
    decide_signal,
};

pub use made::*;

/// The state of one incident and its surroundings.
#[derive(Default)]
pub struct World {
    pub now: Timestamp,
    pub incident: Option<Incident>,
    pub tally: Tally,
    pub alerts: BTreeMap<String, Alert>,
    pub waiting: BTreeMap<IncidentKey, Waiting>,
    pub stream: Vec<Recorded>,
    pub notices: Vec<Notice>,
    pub grade: Option<Grade>,
    pub security: bool,
    pub unsure: bool,
    /// The report of a failed grading policy.
    pub fallback: Option<String>,
    /// What the verdicts depend on.
    pub watch: Watch,
    /// Instead of [`plan`].
    pub plan: Option<Plan>,
    pub route: Option<Route>,
    pub delays: Delays,
    pub silenced_by: Vec<String>,
    pub opened: u64,
    pub starts_at: Option<Timestamp>,
    pub sender: Sender,
    pub unserved: Vec<&'static str>,
    /// Kinds of contacts through which nothing can be asked.
    pub silent: Vec<&'static str>,
    /// Until when pages and questions wait to be bundled.
    pub held_until: Option<Timestamp>,
    /// Who is paged when nobody of a step can be reached.
    pub fallback_people: Vec<&'static str>,
    /// Whom the policy chooses to respond.
    pub response: Response,
    /// The contacts and ladders of people that differ from [`person`].
    pub people: Vec<Person>,
}

pub const MINUTE: u64 = 60_000;

impl World {
    pub fn at(&mut self, ms: u64) -> &mut Self {
        self.now = Timestamp(i64::try_from(ms).unwrap());
        self
    }

    pub fn fire(&mut self, name: &str) -> Intake {
        self.say(name, SignalStatus::Firing).unwrap()
    }

    pub fn end(&mut self, name: &str) -> Intake {
        self.say(name, SignalStatus::Resolved).unwrap()
    }

    pub fn say(&mut self, name: &str, status: SignalStatus) -> Result<Intake, Refusal> {
        let mut signal = signal(name, status, self.now);
        signal.starts_at = self.starts_at.unwrap_or(self.now);
        signal.sender = self.sender;
        self.send(signal)
    }

    /// Ends the alerts that a person's resolve has ended, as the sweep does.
    pub fn sweep(&mut self) {
        let is_ended = |it: &&Alert| it.is_ended_by(self.incident());
        let ended: Vec<Alert> = self.alerts.values().filter(is_ended).cloned().collect();
        for alert in ended {
            let mut signal = alert.as_signal();
            signal.status = SignalStatus::Resolved;
            self.send_unless(signal, Some(alert.last_seen)).unwrap();
        }
    }

    pub fn send(&mut self, signal: Signal) -> Result<Intake, Refusal> {
        self.send_unless(signal, None)
    }

    pub fn send_unless(
        &mut self,
        signal: Signal,
        unless_observed_since: Option<Timestamp>,
    ) -> Result<Intake, Refusal> {
        let name = signal.fingerprint.as_str();
        let assessment = self.assessment(&signal);
        let alert = self.alerts.get(name).cloned();
        let incident = self.incident.clone();
        let current = incident.as_ref().map(|it| (it, &self.tally));
        let home =
            current.filter(|(it, _)| alert.as_ref().and_then(Alert::incident) == Some(&it.id));
        let lists = waiting_keys(alert.as_ref(), Some(&assessment)).into_iter();
        let list = |key: IncidentKey| {
            let list = self.waiting.get(&key).cloned().unwrap_or_default();
            (key, list)
        };
        let waiting: Vec<_> = lists.map(list).collect();
        let mut known = Known {
            alert: alert.as_ref(),
            home,
            target: current,
            waiting: &waiting,
            unless_observed_since,
            ..Known::default()
        };
        let waits = joining_alerts(&signal, &known, Some(&assessment), self.now);
        let names = waits.iter().filter_map(|key| key.strip_prefix("prom/"));
        let joins: Vec<Alert> = names
            .filter_map(|name| self.alerts.get(name).cloned())
            .collect();
        let joins: Vec<&Alert> = joins.iter().collect();
        known.joining = &joins;
        let new_id = NewIncidentId {
            id: format!("i{}", self.opened + 1).into(),
            number: self.opened + 1,
        };
        let intake = decide_signal(
            &signal,
            known,
            Some(&assessment),
            &new_id,
            self.env(&self.channels()),
        )?;
        self.take_intake(&intake, &Actor::Integration("prom".into()));
        Ok(intake)
    }

    /// These silences match an alert now; `had_ended` names those that did before, and what they
    /// hid.
    pub fn silence(
        &mut self,
        name: &str,
        by: &[&str],
        had_ended: &[(&str, u64)],
    ) -> Result<Intake, Refusal> {
        let labels = self.alerts[name].labels.clone();
        self.silence_of(name, (by, had_ended), labels)
    }

    /// As [`silence`](Self::silence), with silences that match these labels.
    pub fn silence_of(
        &mut self,
        name: &str,
        (by, had_ended): (&[&str], &[(&str, u64)]),
        labels: Labels,
    ) -> Result<Intake, Refusal> {
        let alert = self.alerts[name].clone();
        let silence = |id: &&str| SilenceRef::new(id, "ada", id);
        let ended = had_ended.iter().map(|(id, alerts)| EndedSilence {
            silence: silence(id),
            alerts: *alerts,
        });
        let silencing = Silencing {
            labels,
            by: by.iter().map(silence).collect(),
            ended: ended.collect(),
            ..Silencing::default()
        };
        let incident = self.incident.clone();
        let home = incident.as_ref().map(|it| (it, &self.tally));
        let home = home.filter(|(it, _)| alert.incident() == Some(&it.id));
        let intake = decide_silencing(&alert, home, &silencing, self.env(&self.channels()))?;
        self.take_intake(&intake, &Actor::Tocsin);
        Ok(intake)
    }

    pub fn command(&mut self, command: Command, by: &Actor) -> Result<Outcome, Refusal> {
        let incident = self.incident.clone().expect("an incident");
        let outcome = decide(
            &incident,
            &self.tally,
            command,
            by,
            self.env(&self.channels()),
        )?;
        self.take(&incident.id, outcome.clone(), by);
        Ok(outcome)
    }

    /// Every group is graded anew, as `grade` and `security` are now.
    pub fn review(&mut self) -> Result<Outcome, Refusal> {
        let review = Command::Review(Box::new(self.asked_again()));
        self.command(review, &Actor::Tocsin)
    }

    /// What a review that begins now finds.
    pub fn asked_again(&self) -> Review {
        let grading = Grading {
            grade: self.grade.unwrap_or(Grade::Major),
            security: self.security,
            unsure: self.unsure,
        };
        let mut groups = self.tally.standing.clone().unwrap_or_default().groups;
        for group in &mut groups {
            group.grading = grading;
        }
        Review {
            version: self.incident().version,
            before: self.tally.standing.clone(),
            changes: self.tally.changes,
            groups,
            opening: Opening {
                grading: self.graded(grading),
                plan: verdict(self.plan()),
                responders: self.responders(0),
                watch: self.watch.clone(),
            },
        }
    }

    pub fn timers(&self) -> Vec<Timer> {
        let wanted = self
            .incident
            .as_ref()
            .map(|it| wanted_timers(it, &self.tally));
        wanted.unwrap_or_default().into_iter().collect()
    }

    /// Resolves the incident in Ada's name.
    pub fn resolve(&mut self) -> &mut Self {
        let reason = "known".to_owned();
        self.command(Command::Resolve { reason }, &ada()).unwrap();
        self
    }

    pub fn incident(&self) -> &Incident {
        self.incident.as_ref().expect("an incident")
    }

    /// Who was paged, in order, each with the number of the step.
    pub fn paged(&self) -> Vec<(String, u32)> {
        let paged = self.stream.iter().filter_map(|it| match &it.event {
            Event::Paged { person, step, .. } => Some((person.to_string(), *step)),
            _ => None,
        });
        paged.collect()
    }

    pub fn count(&self, is: impl Fn(&Event) -> bool) -> usize {
        self.stream.iter().filter(|it| is(&it.event)).count()
    }

    /// Whoever has the incident.
    pub fn operator(&self) -> Option<Person> {
        let operator = self.incident().roles.operator.as_ref();
        operator.map(|it| self.reached(it.as_str()))
    }

    /// Something happened that no command of the test's made.
    pub fn happened(&mut self, event: Event) {
        let id = self.incident().id.clone();
        let (at, by) = (self.now, Actor::Tocsin);
        self.stream.push(Recorded { at, by, event });
        self.incident = Some(Incident::replay(&id, &self.stream).unwrap());
    }

    /// A person, as they are looked up.
    pub fn reached(&self, id: &str) -> Person {
        let own = self.people.iter().find(|it| it.id.as_str() == id);
        own.cloned().unwrap_or_else(|| person(id))
    }

    /// A person, looked up for a command.
    pub fn named(&self, id: &str) -> Named {
        Named {
            id: id.into(),
            person: Some(Box::new(self.reached(id))),
        }
    }

    pub fn responders(&self, step: u32) -> Responders {
        let steps = self.plan().steps;
        let step = steps.get(step as usize).or(steps.last());
        let page = step.into_iter().flat_map(|it| &it.page);
        let people = page.map(|target| match target {
            PageTarget::Person(id) => self.reached(id.as_str()),
            other => panic!("{other}"),
        });
        Responders {
            people: people.collect(),
            note: None,
        }
    }

    fn graded(&self, grading: Grading) -> Verdict<Grading> {
        let mut verdict = verdict(grading);
        verdict.source.fallback.clone_from(&self.fallback);
        verdict
    }

    fn plan(&self) -> Plan {
        self.plan.clone().unwrap_or_else(plan)
    }

    pub fn assessment(&self, signal: &Signal) -> Assessment {
        let target = Target {
            key: IncidentKey("checkout".to_owned()),
            service: "checkout".to_owned(),
            team: None,
            title: None,
            merges: tocsin_core::Labels::new(),
        };
        let route = self.route.clone().unwrap_or(Route::Incident(target));
        let grade = self.grade.unwrap_or(Grade::Major);
        Assessment {
            route: verdict(route),
            watch: Watch::default(),
            silenced_by: self.silenced_by.clone(),
            silences_at: None,
            silences_mark: None,
            silences_until: None,
            grade: Some(AlertGrade {
                shape: format!("{:?}-{grade}", signal.labels.get("severity")),
                grading: Grading {
                    grade,
                    security: self.security,
                    unsure: self.unsure,
                },
            }),
            opening: Some(self.opening()),
        }
    }

    /// What the policies say now.
    pub fn opening(&self) -> Opening {
        Opening {
            grading: self.graded(Grading {
                grade: self.grade.unwrap_or(Grade::Major),
                security: self.security,
                unsure: self.unsure,
            }),
            plan: verdict(self.plan()),
            responders: self.responders(0),
            watch: self.watch.clone(),
        }
    }

    pub fn channels(&self) -> Channels {
        let all = ["slack", "mail", "ntfy", "phone"].into_iter();
        let served: Channels = all.filter(|it| !self.unserved.contains(it)).collect();
        let asking = ["slack", "mail"].into_iter();
        let left = |it: &&str| !self.unserved.contains(it) && !self.silent.contains(it);
        served.asking(asking.filter(left))
    }

    pub fn env<'a>(&'a self, channels: &'a Channels) -> Env<'a> {
        Env {
            now: self.now,
            delays: &self.delays,
            channels,
        }
    }

    fn take_intake(&mut self, intake: &Intake, by: &Actor) {
        for after in &intake.alerts {
            self.alerts
                .insert(after.fingerprint.to_string(), after.clone());
        }
        self.waiting.extend(intake.waiting.iter().cloned());
        self.waiting.retain(|_, list| !list.members.is_empty());
        for change in &intake.incidents {
            if change.opens {
                self.incident = None;
                self.stream.clear();
                self.opened += 1;
            }
            self.take(&change.id, change.outcome.clone(), by);
        }
    }

    fn take(&mut self, id: &tocsin_core::IncidentId, mut outcome: Outcome, by: &Actor) {
        let before = self.incident.clone();
        let start = self.stream.len();
        self.stream.extend(outcome.recorded(by, self.now));
        let after = Incident::replay(id, &self.stream).unwrap();
        let tally = outcome.tally.unwrap_or_else(|| self.tally.clone());
        self.tally = with_review_due(&after, tally, self.now);
        let told = notices(
            before.as_ref(),
            &after,
            &self.stream[start..],
            &outcome.settle_pages,
        );
        self.notices.extend(told);
        self.incident = Some(after);
    }
}
