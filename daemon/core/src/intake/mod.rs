//! `decide_signal`: the outcome of a signal. Routes, silences and grades are evaluated beforehand
//! and passed in; if the state has changed so that one is missing, it returns `NeedsVerdict`.

pub mod alert;
mod firing;
mod needed;
mod route;
mod silenced;
mod waiting;

use crate::incident::{Incident, Tally, log_tally};
use crate::outcome::{Env, Opening, Outcome};
use crate::refusal::Refusal;
use crate::{Actor, IncidentId, Signal, Timestamp, Verdict, lifecycle};

pub use crate::ids::NewIncidentId;
pub use alert::{Alert, Place};
use firing::Firing;
use needed::Reading;
pub use needed::{Assignment, Needed, Routed, needed, shape};
pub use route::{Route, Target};
pub use silenced::{EndedSilence, Silencing, decide_silencing};
pub use waiting::{Waiting, joining_alerts};

/// The current state of the alert and of the incidents it concerns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// The alert, if it was received before.
    pub alert: Option<&'a Alert>,
    /// The incident that the alert is in.
    pub home: Option<(&'a Incident, &'a Tally)>,
    /// The incident of the route's key.
    pub target: Option<(&'a Incident, &'a Tally)>,
    /// The alerts that wait under the route's key.
    pub waiting: Option<&'a Waiting>,
    /// The alerts that [`joining_alerts`] lists.
    pub joining: &'a [&'a Alert],
    /// Set by the sweep, which ends alerts of silent senders: when it last saw the alert. The
    /// signal is ignored if the sender has sent something since.
    pub unless_observed_since: Option<Timestamp>,
}

/// What was evaluated beforehand for a firing alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Where it belongs.
    pub route: Verdict<Route>,
    /// The silences that match it.
    pub silenced_by: Vec<String>,
    /// The position of the store's feed at which silences were read.
    pub silences_at: Option<u64>,
    /// The revision of the mark that every change of a silence leaves: the engine refuses the
    /// signal if a silence has been changed since.
    pub silences_mark: Option<u64>,
    /// When the next silence begins or ends: the engine refuses the signal from then on.
    pub silences_until: Option<Timestamp>,
    pub shape: String,
    /// Used when the incident opens, reopens or is regraded.
    pub opening: Option<Opening>,
}

impl Assessment {
    fn routed(&self) -> Routed<'_> {
        Routed {
            route: &self.route.value,
            is_silenced: !self.silenced_by.is_empty(),
            shape: &self.shape,
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
    /// The alerts that wait under the target's key, if that changes; an empty list removes them.
    pub waiting: Option<Waiting>,
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
        Needed::Route => true,
        Needed::Opening(_) => assessment.is_none_or(|it| it.opening.is_none()),
    };
    if is_missing {
        return Err(Refusal::NeedsVerdict);
    }
    let mut intake = match Reading::of(signal, &known, now, env.delays) {
        Reading::Nothing => Intake::default(),
        Reading::Repeats(alert) => Intake {
            alerts: vec![alert.clone().repeated(signal, now)],
            ..Intake::default()
        },
        Reading::Ends(alert) => end(alert, known.home, env),
        Reading::Acknowledges(alert) => acknowledge(alert, known.home, signal)?,
        Reading::Fires => Firing {
            signal,
            known,
            assessment: assessment.ok_or(Refusal::NeedsVerdict)?,
            new_id,
            env,
        }
        .place()?,
    };
    silenced::follow_signal(&mut intake, signal, &known, assessment, env);
    Ok(intake)
}

fn end(alert: &Alert, home: Option<(&Incident, &Tally)>, env: Env<'_>) -> Intake {
    let mut intake = Intake {
        alerts: vec![alert.clone().ended(env.now)],
        ..Intake::default()
    };
    if let Some((incident, tally)) = home {
        let mut tally = tally.clone();
        tally.end(env.delays.resolve_after_ms, env.now);
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

fn acknowledge(
    alert: &Alert,
    home: Option<(&Incident, &Tally)>,
    signal: &Signal,
) -> Result<Intake, Refusal> {
    let Some((incident, _)) = home.filter(|(incident, _)| incident.is_unanswered()) else {
        return Ok(Intake::default());
    };
    let by = Actor::Integration(alert.integration.clone());
    let outcome = lifecycle::decide::acknowledge(incident, signal.integration.to_string(), &by)?;
    Ok(Intake {
        incidents: vec![IncidentChange::of(incident, outcome)],
        ..Intake::default()
    })
}
