//! Which policies must be evaluated before a signal can be decided. Evaluation and decision use
//! the same function, so that no verdict is superfluous or missing.

use crate::incident::{Incident, Tally};
use crate::intake::{Alert, Known, Route, Target};
use crate::outcome::Delays;
use crate::{Signal, SignalStatus, Timestamp, limits};

/// Numbers of firing alerts at which an incident is graded again, since many alerts together can
/// be worse than each by itself.
const FIRING_BANDS: [u64; 4] = [10, 50, 100, 1_000];

/// Which policies must be evaluated next.
#[derive(Clone, Copy, Debug)]
pub enum Needed<'a> {
    Nothing,
    /// The routing policy; then call [`needed`] again.
    Route,
    /// The grading and escalation policies, for the incident that the alert enters.
    Opening(Assignment<'a>),
}

/// The routing result for a firing alert.
#[derive(Clone, Copy, Debug)]
pub struct Routed<'a> {
    pub route: &'a Route,
    /// Whether a silence matches it.
    pub is_silenced: bool,
    pub shape: &'a str,
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
    let is_asked = match Reading::of(signal, known, now, delays) {
        Reading::Fires => true,
        _ => whole && signal.status == SignalStatus::Firing,
    };
    let Some(routed) = routed.filter(|_| is_asked) else {
        return match is_asked {
            true => Needed::Route,
            false => Needed::Nothing,
        };
    };
    let target = routed.route.target().filter(|_| !routed.is_silenced);
    let assignment = target.map(|target| Assignment::of(target, known.target, now, delays));
    match assignment.filter(|it| whole || it.needs_opening(routed.shape)) {
        Some(assignment) => Needed::Opening(assignment),
        None => Needed::Nothing,
    }
}

/// The cache key of grading: a digest of the labels that grading uses, and a band for the number
/// of firing alerts. Alerts of the same shape are graded once.
#[must_use]
pub fn shape(labels: &str, target: Option<&Tally>) -> String {
    let firing = target.map_or(0, |it| it.counts.firing).saturating_add(1);
    let reached = FIRING_BANDS.iter().rev().find(|least| firing >= **least);
    let band = reached.map_or_else(String::new, |least| format!("+{least}"));
    format!("{labels}{band}")
}

/// How an alert is assigned to the incident under its route's key.
#[derive(Clone, Copy, Debug)]
pub enum Assignment<'a> {
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

    fn needs_opening(&self, shape: &str) -> bool {
        match self {
            Self::Join(_, tally) => !tally.is_shape_graded(shape),
            Self::Reopen(..) | Self::Open(_) => true,
        }
    }
}

/// How a signal is interpreted, given the state of its alert.
pub(crate) enum Reading<'a> {
    /// Nothing to do: unknown alert, or a late or outdated signal.
    Nothing,
    /// The alert keeps firing, in its current place.
    Repeats(&'a Alert),
    /// It fires although a person resolved its incident, and their word stands for now.
    Stands(&'a Alert),
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
            (SignalStatus::Firing, Some(alert)) if is_repeat(alert, known) => Self::Repeats(alert),
            (SignalStatus::Firing, Some(alert)) if is_stood(signal, alert, known, now, delays) => {
                Self::Stands(alert)
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
/// sent something in the millisecond in which the sweep looked.
fn is_not_due(signal: &Signal, known: &Known<'_>, now: Timestamp) -> bool {
    let is_past = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    let is_due = |it: &Alert| {
        let home = known.home;
        let is_ended = home.is_some_and(|(incident, _)| it.is_ended_by(incident));
        match signal.status {
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
            !incident.is_active() && incident.was_resolved_within(now, delays.reopen_within_ms)
        })
}
