//! Silences that begin or end while their alerts are in incidents or wait: such an alert stays
//! where it is, and its incident counts how many of its firing alerts are silenced.

use crate::incident::{Incident, Tally};
use crate::intake::{Alert, Assessment, IncidentChange, Intake, Known, Place};
use crate::outcome::{Env, Outcome};
use crate::refusal::Refusal;
use crate::{IncidentId, Labels, Signal, SignalStatus, SilenceRef, Timestamp, escalation};

/// The silences that match a firing alert in an incident, or one that waits, read beforehand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Silencing {
    /// The labels that were matched.
    pub labels: Labels,
    pub by: Vec<SilenceRef>,
    /// Those that matched it before and have ended.
    pub ended: Vec<EndedSilence>,
    /// The position of the store's feed at which silences were read.
    pub silences_at: Option<u64>,
    /// The revision of the mark that every change of a silence leaves.
    pub silences_mark: Option<u64>,
    /// When the next silence begins or ends.
    pub silences_until: Option<Timestamp>,
}

/// A silence that has ended, and what it hid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedSilence {
    pub silence: SilenceRef,
    /// How many alerts, in this incident or not.
    pub alerts: u64,
}

/// Decides what follows from the silences that match an alert now. `home`: its incident.
///
/// # Errors
/// [`Refusal::NeedsVerdict`] when its labels have changed since they were matched.
pub fn decide_silencing(
    alert: &Alert,
    home: Option<(&Incident, &Tally)>,
    silencing: &Silencing,
    env: Env<'_>,
) -> Result<Intake, Refusal> {
    let by: Vec<String> = silencing.by.iter().map(|it| it.id.clone()).collect();
    if !may_be_silenced(alert) || alert.silenced_by == by {
        return Ok(Intake::default());
    }
    if alert.labels != silencing.labels {
        return Err(Refusal::NeedsVerdict);
    }
    let mut intake = Intake {
        alerts: vec![Alert {
            silenced_by: by,
            silences_at: silencing.silences_at,
            ..alert.clone()
        }],
        ..Intake::default()
    };
    let known = Known {
        alert: Some(alert),
        home,
        ..Known::default()
    };
    let why = || why_heard(alert, &silencing.ended);
    count(&mut intake, &known, &silencing.by, why, env);
    Ok(intake)
}

/// Completes the outcome of a signal: its alert is silenced as it was assessed, and the incidents
/// that it changes count their silenced alerts.
pub(super) fn follow_signal(
    intake: &mut Intake,
    signal: &Signal,
    known: &Known<'_>,
    assessment: Option<&Assessment>,
    env: Env<'_>,
) {
    let mut by = Vec::new();
    let is_its = |it: &&mut Alert| {
        it.fingerprint == signal.fingerprint && it.integration == signal.integration
    };
    if let Some(alert) = intake.alerts.iter_mut().find(is_its) {
        match assessment {
            Some(assessment) if may_be_silenced(alert) => {
                alert.silenced_by.clone_from(&assessment.silenced_by);
                alert.silences_at = assessment.silences_at;
                by.extend(
                    alert
                        .silenced_by
                        .iter()
                        .map(|id| SilenceRef::new(id, "", "")),
                );
            }
            _ if may_be_silenced(alert) => {}
            _ => alert.silenced_by.clear(),
        }
    }
    let why = || match signal.status {
        SignalStatus::Firing => format!("`{}` fires and is not silenced", signal.title),
        _ => format!("`{}` is over", signal.title),
    };
    count(intake, known, &by, why, env);
}

/// Completes the outcome of an alert that somebody ended.
pub(super) fn follow_end(intake: &mut Intake, alert: &Alert, known: &Known<'_>, env: Env<'_>) {
    count(
        intake,
        known,
        &[],
        || format!("`{}` is over", alert.title),
        env,
    );
}

/// Whether an alert stays in its place when a silence matches it.
fn may_be_silenced(alert: &Alert) -> bool {
    alert.firing && matches!(alert.place, Place::Incident { .. })
}

/// Counts the changed alerts that are silenced in an incident, before and after, and pauses or
/// resumes the escalations of the changed incidents.
fn count(
    intake: &mut Intake,
    known: &Known<'_>,
    by: &[SilenceRef],
    why: impl Fn() -> String,
    env: Env<'_>,
) {
    let mut tallies = std::mem::take(&mut intake.incidents);
    for after in &intake.alerts {
        let is_it = |it: &&Alert| {
            it.fingerprint == after.fingerprint && it.integration == after.integration
        };
        let mut all = known.alert.into_iter().chain(known.joining.iter().copied());
        let before = all.find(is_it);
        let (was, is) = (before.and_then(Alert::silenced_in), after.silenced_in());
        let had = before
            .map(|it| it.silenced_by.as_slice())
            .unwrap_or_default();
        if was == is && had == after.silenced_by {
            continue;
        }
        if let Some(tally) = was.and_then(|id| tally_of(&mut tallies, known, id)) {
            let stays = was == is || after.incident() == was && after.firing;
            let gone = had
                .iter()
                .filter(|it| stays && !after.silenced_by.contains(it));
            tally.end_silence(&gone.collect::<Vec<_>>());
        }
        if let Some(tally) = is.and_then(|id| tally_of(&mut tallies, known, id)) {
            tally.begin_silence(by);
        }
    }
    intake.incidents = tallies;
    for change in intake.incidents.iter_mut().filter(|it| !it.opens) {
        if let Some(before) = known_parts(known, &change.id) {
            escalation::pause_or_resume(before, &mut change.outcome, &why(), env);
        }
    }
}

/// The tally of a changed incident; one that does not change otherwise changes by its tally.
fn tally_of<'a>(
    changes: &'a mut Vec<IncidentChange>,
    known: &Known<'_>,
    id: &IncidentId,
) -> Option<&'a mut Tally> {
    let before = known_parts(known, id);
    if !changes.iter().any(|it| it.id == *id) {
        changes.push(IncidentChange::of(before?.0, Outcome::default()));
    }
    let outcome = &mut changes.iter_mut().find(|it| it.id == *id)?.outcome;
    let tally = before.map(|it| it.1.clone()).unwrap_or_default();
    Some(outcome.tally.get_or_insert(tally))
}

fn known_parts<'a>(known: &Known<'a>, id: &IncidentId) -> Option<(&'a Incident, &'a Tally)> {
    let mut all = known.home.into_iter().chain(known.target).chain(known.heir);
    all.find(|it| it.0.id == *id)
}

/// Why an alert is no longer silenced.
fn why_heard(alert: &Alert, ended: &[EndedSilence]) -> String {
    let Some(EndedSilence { silence, alerts }) = ended.last() else {
        return format!("`{}` is no longer silenced", alert.title);
    };
    let hid = match alerts {
        1 => "1 alert".to_owned(),
        alerts => format!("{alerts} alerts"),
    };
    format!("the silence by {silence} has ended; it hid {hid}")
}
