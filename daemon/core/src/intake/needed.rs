//! What must be asked of policies before a signal can be decided. Whoever asks them and whoever
//! decides go by the same answer, so that a verdict is neither asked in vain nor missing.

use crate::incident::{Incident, Tally};
use crate::intake::{Alert, Known, Route, Target};
use crate::outcome::Delays;
use crate::{Signal, SignalStatus, Timestamp, limits};

/// Numbers of firing alerts at which an incident is graded again: many at once mean more than
/// each of them says.
const FIRING_BANDS: [u64; 4] = [10, 50, 100, 1_000];

/// What must be asked of policies.
#[derive(Clone, Copy, Debug)]
pub enum Needed<'a> {
    Nothing,
    /// Where the alert belongs; then ask again what is needed.
    Route,
    /// How bad the incident is that the alert enters so, and whom to page.
    Opening(Entry<'a>),
}

/// Where a firing alert goes, as far as it was asked.
#[derive(Clone, Copy, Debug)]
pub struct Routed<'a> {
    /// The routing policy's answer.
    pub route: &'a Route,
    /// Whether a silence matches it.
    pub is_silenced: bool,
    pub shape: &'a str,
}

/// Says what must be asked of policies. `whole`: everything that a decision could go by, because
/// an earlier one found that something was missing.
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
    let entry = target.map(|target| Entry::of(target, known.target, now, delays));
    match entry.filter(|it| whole || it.needs_opening(routed.shape)) {
        Some(entry) => Needed::Opening(entry),
        None => Needed::Nothing,
    }
}

/// What an alert is to the grading of the incident under its key: a digest of the labels that
/// grading goes by, and in steps how many alerts fire with it. Alerts of one shape are graded
/// once.
#[must_use]
pub fn shape(labels: &str, target: Option<&Tally>) -> String {
    let firing = target.map_or(0, |it| it.counts.firing).saturating_add(1);
    let reached = FIRING_BANDS.iter().rev().find(|least| firing >= **least);
    let band = reached.map_or_else(String::new, |least| format!("+{least}"));
    format!("{labels}{band}")
}

/// How an alert enters the incident of its route's key.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// It joins an active incident.
    Join(&'a Incident, &'a Tally),
    /// It brings back one that was resolved a short while ago.
    Reopen(&'a Incident, &'a Tally),
    Open(&'a Target),
}

impl<'a> Entry<'a> {
    pub(crate) fn of(
        target: &'a Target,
        under_key: Option<(&'a Incident, &'a Tally)>,
        now: Timestamp,
        delays: &Delays,
    ) -> Self {
        match under_key {
            Some((incident, tally)) if incident.is_active() => Self::Join(incident, tally),
            Some((incident, tally)) if incident.may_reopen(now, delays.reopen_within_ms) => {
                Self::Reopen(incident, tally)
            }
            _ => Self::Open(target),
        }
    }

    fn needs_opening(&self, shape: &str) -> bool {
        match self {
            Self::Join(_, tally) => !tally.knows_shape(shape),
            Self::Reopen(..) | Self::Open(_) => true,
        }
    }
}

/// What a signal says, given what is known of its alert.
pub(crate) enum Reading<'a> {
    /// Nothing to act on: unknown, late or overtaken.
    Nothing,
    /// The alert fires on, where it is.
    Repeats(&'a Alert),
    /// It ceases to fire.
    Ends(&'a Alert),
    /// Somebody acknowledged it in the sender's own system.
    Acknowledges(&'a Alert),
    /// It fires and must find its place.
    Fires,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(signal: &Signal, known: &Known<'a>, now: Timestamp, delays: &Delays) -> Self {
        if is_overtaken(known) {
            return Self::Nothing;
        }
        match (signal.status, known.alert) {
            (SignalStatus::Resolved, Some(alert)) if alert.firing => Self::Ends(alert),
            (SignalStatus::Acknowledged, Some(alert)) => Self::Acknowledges(alert),
            (SignalStatus::Resolved | SignalStatus::Acknowledged, _) => Self::Nothing,
            (SignalStatus::Firing, Some(alert)) if is_late(signal, alert, now) => Self::Nothing,
            (SignalStatus::Firing, Some(alert)) if is_repeat(alert, known, now, delays) => {
                Self::Repeats(alert)
            }
            (SignalStatus::Firing, _) => Self::Fires,
        }
    }
}

/// Whether the sweep speaks for a sender that has spoken since. An alert that ended was heard of,
/// also when that was in the same millisecond.
fn is_overtaken(known: &Known<'_>) -> bool {
    let firing = known.alert.filter(|it| it.firing);
    known.unless_observed_since.is_some()
        && firing.map(|it| it.last_seen) != known.unless_observed_since
}

/// Whether a firing signal is an old one that was overtaken by the alert's end: a duplicate of
/// another replica, or a retry. Only for a short while after the end, and only without a lease
/// and with the same beginning: what fires again in earnest must never be taken for late. So no
/// signal is late by a clock that was set back, since then its order is unknown.
fn is_late(signal: &Signal, alert: &Alert, now: Timestamp) -> bool {
    let is_ordered = alert.changed_at <= now && alert.starts_at <= now;
    is_ordered
        && !alert.firing
        && signal.ends_at.is_none()
        && signal.starts_at <= alert.starts_at
        && now.since(alert.changed_at) < limits::LATE_FIRING_MS
}

/// Whether a firing alert only repeats what is known: it is in an active incident, or a person
/// resolved its incident a short while ago and that still stands.
fn is_repeat(alert: &Alert, known: &Known<'_>, now: Timestamp, delays: &Delays) -> bool {
    let is_in = alert.firing && alert.incident().is_some();
    let home = known.home.filter(|_| is_in);
    home.is_some_and(|(incident, _)| {
        incident.is_active() || incident.was_resolved_within(now, delays.reopen_within_ms)
    })
}
