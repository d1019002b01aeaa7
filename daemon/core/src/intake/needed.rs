//! Which policies must be evaluated before a signal can be decided. Evaluation and decision use
//! the same function, so that no verdict is superfluous or missing.

use crate::grading::Standing;
use crate::incident::{Incident, Tally};
use crate::intake::{Alert, Known, Route, Target};
use crate::outcome::Delays;
use crate::{Grading, Signal, SignalStatus, Timestamp, limits};

/// Which policies must be evaluated next.
#[derive(Clone, Copy, Debug)]
pub enum Needed<'a> {
    Nothing,
    /// The routing policy; then call [`needed`] again.
    Route,
    /// The grading policy, for the incident that the alert enters or is in; then call [`needed`]
    /// again.
    Grade(Assignment<'a>),
    /// The escalation policy too, since the grade may change something.
    Opening(Assignment<'a>),
}

/// What has been evaluated so far for a firing alert.
#[derive(Clone, Copy, Debug)]
pub struct Routed<'a> {
    pub route: &'a Route,
    /// Whether a silence matches it.
    pub is_silenced: bool,
    pub grade: Option<&'a AlertGrade>,
}

/// What the grading policy says of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertGrade {
    /// A digest of what the policy read of the alert: alerts with the same have the same verdict in
    /// the same incident.
    pub shape: String,
    pub grading: Grading,
}

/// Returns which policies must be evaluated. `whole`: everything that a decision could need,
/// because an earlier decision found a verdict missing.
#[must_use]
pub fn needed<'a>(
    signal: &Signal,
    known: &Known<'a>,
    routed: Option<Routed<'a>>,
    whole: bool,
    now: Timestamp,
    delays: &Delays,
) -> Needed<'a> {
    let reading = Reading::of(signal, known, now, delays);
    let is_asked = match reading {
        Reading::Fires | Reading::Changes(_) | Reading::StandsChanged(_) => true,
        _ => whole && signal.status == SignalStatus::Firing,
    };
    let Some(routed) = routed.filter(|_| is_asked) else {
        return match is_asked {
            true => Needed::Route,
            false => Needed::Nothing,
        };
    };
    let assignment = match (reading, known.home) {
        (Reading::Changes(_), Some((incident, tally))) => Some(Assignment::Stay(incident, tally)),
        _ => known.moves().or_else(|| {
            let target = routed.route.target().filter(|_| !routed.is_silenced);
            target.map(|target| Assignment::of(target, known.target, now, delays))
        }),
    };
    match (assignment, routed.grade) {
        (None, _) => Needed::Nothing,
        (Some(_), Some(grade)) if stands(reading) && !whole && !is_worse(grade, known) => {
            Needed::Nothing
        }
        (Some(assignment), None) => Needed::Grade(assignment),
        (Some(assignment), Some(grade)) if whole || assignment.needs_opening(grade) => {
            Needed::Opening(assignment)
        }
        (Some(_), Some(_)) => Needed::Nothing,
    }
}

/// How an alert is assigned to the incident under its route's key.
#[derive(Clone, Copy, Debug)]
pub enum Assignment<'a> {
    /// It is in an active incident, and has changed.
    Stay(&'a Incident, &'a Tally),
    /// It joins an active incident.
    Join(&'a Incident, &'a Tally),
    /// It reopens one that was recently resolved.
    Reopen(&'a Incident, &'a Tally),
    Open(&'a Target),
}

impl<'a> Assignment<'a> {
    pub(crate) fn of(
        target: &'a Target,
        under_key: Option<(&'a Incident, &'a Tally)>,
        now: Timestamp,
        delays: &Delays,
    ) -> Self {
        match under_key {
            Some((incident, tally)) if incident.is_active() => Self::Join(incident, tally),
            Some((incident, tally)) if incident.may_reopen(tally, now, delays.reopen_within_ms) => {
                Self::Reopen(incident, tally)
            }
            _ => Self::Open(target),
        }
    }

    fn needs_opening(&self, grade: &AlertGrade) -> bool {
        match self {
            Self::Stay(_, tally) | Self::Join(_, tally) => {
                !is_included(tally.standing.as_ref(), grade)
            }
            Self::Reopen(..) | Self::Open(_) => true,
        }
    }
}

fn stands(reading: Reading<'_>) -> bool {
    matches!(reading, Reading::StandsChanged(_))
}

/// Whether an alert is graded higher than the incident that it was in.
pub(crate) fn is_worse(grade: &AlertGrade, known: &Known<'_>) -> bool {
    let (new, home) = (grade.grading, known.home.map(|it| &it.0.grading));
    home.is_some_and(|it| new.grade > it.grade || new.security && !it.security)
}

/// Whether a verdict on an alert changes nothing in the incident.
pub(crate) fn is_included(standing: Option<&Standing>, grade: &AlertGrade) -> bool {
    standing.is_some_and(|it| it.includes(&grade.shape, grade.grading))
}

/// How a signal is interpreted, given the state of its alert.
#[derive(Clone, Copy)]
pub(crate) enum Reading<'a> {
    /// Nothing to do: unknown alert, or a late or outdated signal.
    Nothing,
    /// The alert keeps firing, in its current place.
    Repeats(&'a Alert),
    /// The alert keeps firing in an active incident, and its sender says something new of it.
    Changes(&'a Alert),
    /// It fires although a person resolved its incident, and their word stands for now.
    Stands(&'a Alert),
    /// As [`Stands`](Self::Stands), and its sender says something new of it: if that makes it worse
    /// than what the person resolved, their word does not stand.
    StandsChanged(&'a Alert),
    /// It stops firing.
    Ends(&'a Alert),
    /// A dead man's switch is heard of.
    Heard(Option<&'a Alert>),
    /// Somebody acknowledged it in the sender's own system.
    Acknowledges(&'a Alert),
    /// It fires and must be placed.
    Fires,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(signal: &Signal, known: &Known<'a>, now: Timestamp, delays: &Delays) -> Self {
        if is_overtaken(known) || is_not_due(signal, known, now) {
            return Self::Nothing;
        }
        if signal.fires_at.is_some() {
            return Self::Heard(known.alert);
        }
        match (signal.status, known.alert) {
            (SignalStatus::Resolved, Some(alert)) if alert.may_end() => Self::Ends(alert),
            (SignalStatus::Acknowledged, Some(alert)) => Self::Acknowledges(alert),
            (SignalStatus::Resolved | SignalStatus::Acknowledged, _) => Self::Nothing,
            (SignalStatus::Firing, Some(alert)) if is_late(signal, alert, now) => Self::Nothing,
            (SignalStatus::Firing, Some(alert)) if is_repeat(alert, known) => {
                match alert.differs_from(signal) {
                    true => Self::Changes(alert),
                    false => Self::Repeats(alert),
                }
            }
            (SignalStatus::Firing, Some(alert)) if is_stood(signal, alert, known, now, delays) => {
                match alert.differs_from(signal) {
                    true => Self::StandsChanged(alert),
                    false => Self::Stands(alert),
                }
            }
            (SignalStatus::Firing, _) => Self::Fires,
        }
    }
}

/// Whether the sender has sent something since the sweep looked. An alert that has ended counts,
/// even if it ended in the same millisecond.
fn is_overtaken(known: &Known<'_>) -> bool {
    let is_swept = |it: &&Alert| it.firing || it.fires_at.is_some();
    let swept = known.alert.filter(is_swept);
    known.unless_observed_since.is_some()
        && swept.map(|it| it.last_seen) != known.unless_observed_since
}

/// Whether the sweep would end an alert whose lease has not ended and whose incident nobody has
/// resolved since, or a dead man's switch would fire although it was heard of: the sender may have
/// sent something in the millisecond in which the sweep looked. The sweep also sets a switch anew
/// that was heard of before the clock was set back.
fn is_not_due(signal: &Signal, known: &Known<'_>, now: Timestamp) -> bool {
    let is_past = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    let is_due = |it: &Alert| {
        let home = known.home;
        let is_ended = home.is_some_and(|(incident, _)| it.is_ended_by(incident));
        match signal.status {
            _ if signal.fires_at.is_some() => it.last_seen > now,
            SignalStatus::Resolved => is_ended || is_past(it.lease_until),
            _ => it.firing || is_past(it.fires_at),
        }
    };
    known.unless_observed_since.is_some() && !known.alert.is_some_and(is_due)
}

/// Whether a firing signal was sent before the alert's end but arrived after it: a duplicate from
/// another replica, or a retry. Only for a short while after the end, and only without a lease and
/// with the same start time, from a sender that says it again: an alert that really fires again
/// must never count as late. If the clock was set back, the order is unknown and no signal is late.
fn is_late(signal: &Signal, alert: &Alert, now: Timestamp) -> bool {
    let is_ordered = alert.changed_at <= now && alert.starts_at <= now;
    is_ordered
        && signal.sender.repeats
        && !alert.firing
        && !alert.ends_when_resolved
        && signal.ends_at.is_none()
        && signal.starts_at <= alert.starts_at
        && now.since(alert.changed_at) < limits::LATE_FIRING_MS
}

/// Whether a firing signal is only a repeat: its alert fires in an active incident.
fn is_repeat(alert: &Alert, known: &Known<'_>) -> bool {
    let home = known.home.filter(|_| alert.firing);
    home.is_some_and(|(incident, _)| incident.is_active())
}

/// Whether a person's resolve stands against a firing signal: for a while, if its sender repeats
/// what it has already said. Another sender means that the problem is back.
fn is_stood(
    signal: &Signal,
    alert: &Alert,
    known: &Known<'_>,
    now: Timestamp,
    delays: &Delays,
) -> bool {
    let says_it_again = signal.sender.repeats || alert.repeats > 0;
    let home = known
        .home
        .filter(|_| alert.firing || alert.ends_when_resolved);
    says_it_again
        && home.is_some_and(|(incident, _)| {
            !incident.is_active()
                && incident.lifecycle.merged_into.is_none()
                && incident.was_resolved_within(now, delays.reopen_within_ms)
        })
}
