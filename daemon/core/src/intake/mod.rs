//! `decide_signal`: the outcome of a signal. Routes, silences and grades are evaluated beforehand
//! and passed in; if the state has changed so that one is missing, it returns `NeedsVerdict`.

pub mod alert;
mod firing;
mod fit;
mod history;
mod needed;
mod route;
mod silenced;
mod waiting;

use std::collections::BTreeSet;

use crate::event::Event;
use crate::grading::{Standing, Watch};
use crate::incident::{Incident, Tally, log_tally};
use crate::outcome::{Env, Opening, Outcome};
use crate::refusal::Refusal;
use crate::text::cut;
use crate::{Actor, IncidentId, IncidentKey, Signal, Timestamp, Verdict, lifecycle, limits};

pub use crate::ids::NewIncidentId;
pub use alert::{Alert, Place};
use firing::Firing;
pub use fit::ALERT_BYTES_MAX;
pub use history::{HistoryEntry, HistoryKind};
pub use needed::{AlertGrade, Assignment, Needed, Routed, needed};
use needed::{Reading, is_worse};
pub use route::{Otherwise, Route, Target};
pub use silenced::{EndedSilence, Silencing, decide_silencing};
pub use waiting::{Waiting, joining_alerts};

/// The current state of the alert and of the incidents it concerns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The alert, if it was received before.
    pub alert: Option<&'a Alert>,
    /// The incident that the alert is in.
    pub home: Option<(&'a Incident, &'a Tally)>,
    /// If the alert's incident was merged into another: the active incident that goes on with it.
    pub heir: Option<(&'a Incident, &'a Tally)>,
    /// The incident of the route's key.
    pub target: Option<(&'a Incident, &'a Tally)>,
    /// The alerts that wait under the keys that [`waiting_keys`] lists.
    pub waiting: &'a [(IncidentKey, Waiting)],
    /// The alerts that [`joining_alerts`] lists.
    pub joining: &'a [&'a Alert],
    /// Set by the sweep, which ends alerts of silent senders: when it last saw the alert. The
    /// signal is ignored if the sender has sent something since.
    pub unless_observed_since: Option<Timestamp>,
}

impl<'a> Known<'a> {
    /// Where an alert goes that fires in an incident that was merged, whatever routing and
    /// silences say now. `None` when the incident that goes on is over too.
    pub(crate) fn moves(&self) -> Option<Assignment<'a>> {
        let heir = self.heir.filter(|(heir, _)| heir.is_active());
        let (incident, tally) = heir.filter(|_| self.alert.is_some_and(|it| it.firing))?;
        Some(Assignment::Join(incident, tally))
    }

    pub(crate) fn waiting_under(&self, key: &IncidentKey) -> Option<&'a Waiting> {
        let mut lists = self.waiting.iter();
        lists.find(|(it, _)| it == key).map(|(_, waiting)| waiting)
    }
}

/// The keys of the lists of waiting alerts that a decision may change: the one that the alert waits
/// under, and the one where it is to wait. The caller of `decide_signal` reads them into
/// [`Known::waiting`].
#[must_use]
pub fn waiting_keys(
    alert: Option<&Alert>,
    assessment: Option<&Assessment>,
) -> BTreeSet<IncidentKey> {
    let here = alert.and_then(Alert::waits_under);
    let there = match assessment.map(|it| &it.route.value) {
        Some(Route::Wait { target, .. }) => Some(&target.key),
        _ => None,
    };
    here.into_iter().chain(there).cloned().collect()
}

/// What was evaluated beforehand for a firing alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Where it belongs.
    pub route: Verdict<Route>,
    /// What a decision to ignore the alert depends on, apart from the alert.
    pub watch: Watch,
    /// The silences that match it.
    pub silenced_by: Vec<String>,
    /// The position of the store's feed at which silences were read.
    pub silences_at: Option<u64>,
    /// The revision of the mark that every change of a silence leaves: the engine refuses the
    /// signal if a silence has been changed since.
    pub silences_mark: Option<u64>,
    /// When the next silence begins or ends: the engine refuses the signal from then on.
    pub silences_until: Option<Timestamp>,
    /// What grading says of it, if it enters an incident or is in one.
    pub grade: Option<AlertGrade>,
    /// Used when the incident opens, reopens or is regraded.
    pub opening: Option<Opening>,
}

impl Assessment {
    fn routed(&self) -> Routed<'_> {
        Routed {
            route: &self.route.value,
            is_silenced: !self.silenced_by.is_empty(),
            grade: self.grade.as_ref(),
        }
    }
}

/// The outcome of a signal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intake {
    /// The changed alerts: the signal's own, and those that join with it.
    pub alerts: Vec<Alert>,
    /// The changed incidents: the one that the alert leaves, and then the one that it enters.
    pub incidents: Vec<IncidentChange>,
    /// The changed lists of waiting alerts, by key; an empty list is removed.
    pub waiting: Vec<(IncidentKey, Waiting)>,
    /// What the history of alerts gets.
    pub history: Vec<HistoryEntry>,
}

/// The outcome for one incident.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentChange {
    pub id: IncidentId,
    /// Whether it opens now.
    pub opens: bool,
    pub outcome: Outcome,
}

impl IncidentChange {
    fn of(incident: &Incident, outcome: Outcome) -> Self {
        Self {
            id: incident.id.clone(),
            opens: false,
            outcome,
        }
    }

    fn counted(incident: &Incident, tally: Tally) -> Self {
        let outcome = Outcome {
            tally: Some(tally),
            ..Outcome::default()
        };
        Self::of(incident, outcome)
    }
}

/// Decides the outcome of a signal.
///
/// # Errors
/// [`Refusal::NeedsVerdict`] when a policy must be evaluated first.
pub fn decide_signal(
    signal: &Signal,
    known: Known<'_>,
    assessment: Option<&Assessment>,
    new_id: &NewIncidentId,
    env: Env<'_>,
) -> Result<Intake, Refusal> {
    let (now, routed) = (env.now, assessment.map(Assessment::routed));
    let is_missing = match needed(signal, &known, routed, false, now, env.delays) {
        Needed::Nothing => false,
        Needed::Route | Needed::Grade(_) => true,
        Needed::Opening(_) => assessment.is_none_or(|it| it.opening.is_none()),
    };
    if is_missing {
        return Err(Refusal::NeedsVerdict);
    }
    let mut intake = match Reading::of(signal, &known, now, env.delays) {
        Reading::Nothing => Intake::default(),
        Reading::Repeats(alert) => repeat(alert, known.home, signal, env),
        Reading::Stands(alert) => stand(alert, known.home, signal, env),
        Reading::Ends(alert) => end(alert, &known, env),
        Reading::Heard(alert) => hear(alert, &known, signal, env),
        Reading::Acknowledges(alert) => acknowledge(alert, known.home, signal, env)?,
        Reading::StandsChanged(alert) if !is_worse_now(assessment, &known) => {
            stand(alert, known.home, signal, env)
        }
        reading @ (Reading::Fires | Reading::Changes(_) | Reading::StandsChanged(_)) => {
            let firing = Firing {
                signal,
                known,
                assessment: assessment.ok_or(Refusal::NeedsVerdict)?,
                new_id,
                env,
            };
            match reading {
                Reading::Changes(alert) => {
                    firing.graded_anew(repeat(alert, known.home, signal, env))?
                }
                _ => firing.place()?,
            }
        }
    };
    silenced::follow_signal(&mut intake, signal, &known, assessment, env);
    history::note(&mut intake, &known, now);
    Ok(intake)
}

/// Whether an alert is assessed as worse than the incident that a person resolved, and nothing
/// keeps it out of an incident.
fn is_worse_now(assessment: Option<&Assessment>, known: &Known<'_>) -> bool {
    let heard = assessment.filter(|it| it.silenced_by.is_empty());
    let routed = heard.filter(|it| it.route.value.target().is_some());
    let grade = routed.and_then(|it| it.grade.as_ref());
    grade.is_some_and(|it| is_worse(it, known))
}

/// Decides that somebody ends an alert by hand.
///
/// # Errors
/// [`Refusal::Unseen`] when its incident has the security flag and they may not see it.
pub fn end_by_hand(
    alert: &Alert,
    home: Option<(&Incident, &Tally)>,
    may_see: bool,
    reason: String,
    env: Env<'_>,
) -> Result<Intake, Refusal> {
    if home.is_some_and(|(incident, _)| incident.grading.security && !may_see) {
        return Err(Refusal::Unseen);
    }
    if !alert.firing {
        return Ok(Intake::default());
    }
    let known = Known {
        alert: Some(alert),
        home,
        ..Known::default()
    };
    let mut intake = end(alert, &known, env);
    silenced::follow_end(&mut intake, alert, &known, env);
    history::note(&mut intake, &known, env.now);
    for change in &mut intake.incidents {
        let title = alert.title.clone();
        let reason = cut(reason.clone(), limits::REASON_BYTES_MAX);
        let events = &mut change.outcome.events;
        events.insert(0, Event::AlertEnded { title, reason });
    }
    Ok(intake)
}

fn repeat(
    alert: &Alert,
    home: Option<(&Incident, &Tally)>,
    signal: &Signal,
    env: Env<'_>,
) -> Intake {
    let mut after = alert.clone().repeated(signal, env.now);
    after.after_resolves = home.map_or(0, |(incident, _)| incident.lifecycle.resolves);
    let ends = (alert.ends_when_resolved, after.ends_when_resolved);
    let change = home.filter(|_| ends.0 != ends.1);
    let change = change.map(|(incident, tally)| {
        let mut tally = tally.clone();
        tally.recount(ends.0, ends.1);
        IncidentChange::counted(incident, tally)
    });
    Intake {
        alerts: vec![after],
        incidents: change.into_iter().collect(),
        ..Intake::default()
    }
}

/// The alert fires in an incident that a person resolved. If it had ended with it, then the
/// incident now reopens unless the alert ends.
fn stand(
    alert: &Alert,
    home: Option<(&Incident, &Tally)>,
    signal: &Signal,
    env: Env<'_>,
) -> Intake {
    let mut after = match alert.firing {
        true => alert.clone().repeated(signal, env.now),
        false => alert.again(signal, alert.place.clone(), env.now),
    };
    after.ends_when_resolved = false;
    let is_changed = alert.differs_from(signal);
    let change = home.filter(|_| alert.ends_when_resolved || is_changed);
    let change = change.map(|(incident, tally)| {
        let mut tally = tally.clone();
        if alert.ends_when_resolved {
            match alert.firing {
                true => tally.recount(true, false),
                false => tally.begin(after.counted(), false, env.now),
            }
            tally.reopen_due = incident.reopens_at(env.delays.reopen_within_ms);
        }
        if is_changed {
            // Once it is open again, the policies are asked about what the alert says now.
            tally.standing.iter_mut().for_each(Standing::ask_again);
        }
        IncidentChange::counted(incident, tally)
    });
    Intake {
        alerts: vec![after],
        incidents: change.into_iter().collect(),
        ..Intake::default()
    }
}

fn end(alert: &Alert, known: &Known<'_>, env: Env<'_>) -> Intake {
    let home = known.home;
    let mut after = alert.clone().ended(env.now);
    // The sweep ends what a person's resolve has ended.
    after.ends_when_resolved = known.unless_observed_since.is_some()
        && home.is_some_and(|(incident, _)| alert.is_ended_by(incident));
    let mut intake = Intake {
        alerts: vec![after],
        ..Intake::default()
    };
    if let Some((incident, tally)) = home.filter(|_| alert.firing) {
        let mut tally = tally.clone();
        tally.end(alert.counted(), env.delays.resolve_after_ms, env.now);
        let outcome = Outcome {
            events: log_tally(incident, &mut tally, env.now)
                .into_iter()
                .collect(),
            tally: Some(tally),
            ..Outcome::default()
        };
        intake.incidents = vec![IncidentChange::of(incident, outcome)];
    }
    intake
}

fn hear(alert: Option<&Alert>, known: &Known<'_>, signal: &Signal, env: Env<'_>) -> Intake {
    let mut heard = Alert::heard(alert, signal, env.now);
    let silent = alert.filter(|it| it.firing);
    let ended = silent.map(|it| end(it, known, env));
    if ended.is_some() {
        heard.changed_at = env.now;
    }
    Intake {
        alerts: vec![heard],
        ..ended.unwrap_or_default()
    }
}

fn acknowledge(
    alert: &Alert,
    home: Option<(&Incident, &Tally)>,
    signal: &Signal,
    env: Env<'_>,
) -> Result<Intake, Refusal> {
    let Some((incident, _)) = home.filter(|(incident, _)| incident.is_unanswered()) else {
        return Ok(Intake::default());
    };
    let by = Actor::Integration(alert.integration.clone());
    let outcome =
        lifecycle::decide::acknowledge(incident, signal.integration.to_string(), &by, env)?;
    let mut noted = alert.clone();
    let entry = HistoryEntry::of(&mut noted, HistoryKind::Acknowledged, env.now);
    Ok(Intake {
        alerts: vec![noted],
        incidents: vec![IncidentChange::of(incident, outcome)],
        history: vec![entry],
        ..Intake::default()
    })
}
