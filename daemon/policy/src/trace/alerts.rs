//! What the alerts around a question are, for its counts of them.

use tocsin_core::{Alert, Labels, Timestamp};

use super::{Facts, Quantity};
use crate::alerts::{Starts, has_labels};
use crate::limits::COUNT_MAX;
use crate::view::AlertView;

impl Quantity {
    /// Whether two answers may differ although the facts are the same.
    pub(crate) fn is_live(&self) -> bool {
        matches!(
            self,
            Self::Firing(_) | Self::Began(..) | Self::Distinct(..) | Self::Flaps(_)
        )
    }
}

/// How many alerts with these labels fire. The alert that is asked about does, even if it has only
/// just arrived.
pub(super) fn firing(facts: Facts<'_>, labels: &Labels) -> Option<u64> {
    let own = facts.alert.map(key);
    let index = facts.context?.alerts();
    let others = index.map_or(0, |it| it.firing(labels, own.as_deref()));
    let is_one = facts
        .alert
        .is_some_and(|it| has_labels(&it.0.labels, labels));
    Some(others.saturating_add(u64::from(is_one)))
}

/// When the alerts with these labels that began to fire within a window last did, the newest
/// first, at most [`COUNT_MAX`].
pub(super) fn began(facts: Facts<'_>, labels: &Labels, within_ms: u64) -> Option<Vec<Timestamp>> {
    let own = facts.alert.map(key);
    let context = facts.context?;
    let since = context.0.now.utc.minus_ms(within_ms);
    let index = context.alerts();
    let mut times = index.map_or_else(Vec::new, |it| {
        it.began(labels, since, own.as_deref(), COUNT_MAX)
    });
    let is_one = |it: &&AlertView| has_labels(&it.0.labels, labels);
    if let Some(alert) = facts.alert.filter(is_one) {
        times.extend(starts_of(facts, alert)?.times.first());
        times.retain(|at| *at >= since);
        times.sort_by(|a, b| b.cmp(a));
        times.truncate(COUNT_MAX);
    }
    Some(times)
}

/// For each value of a label among the alerts that [`began`] is about, when the newest began.
pub(super) fn began_by(
    facts: Facts<'_>,
    of: &str,
    labels: &Labels,
    within_ms: u64,
) -> Option<Vec<Timestamp>> {
    let except = facts.alert.map(key);
    let context = facts.context?;
    let since = context.0.now.utc.minus_ms(within_ms);
    let own = facts.alert.and_then(|alert| {
        let own = &alert.0.labels;
        let value = own.get(of).filter(|it| !it.is_empty())?;
        let began = starts_of(facts, alert)?.times.first().copied()?;
        let is_one = has_labels(own, labels) && began >= since;
        is_one.then_some((value.as_str(), began))
    });
    Some(match context.alerts() {
        Some(index) => index.began_by(of, labels, since, except.as_deref(), own, COUNT_MAX),
        None => own.map(|(_, began)| began).into_iter().collect(),
    })
}

/// When the alert began to fire within a window, the newest first.
pub(super) fn flaps(facts: Facts<'_>, within_ms: u64) -> Option<Vec<Timestamp>> {
    let since = facts.context?.0.now.utc.minus_ms(within_ms);
    let mut times = starts_of(facts, facts.alert?)?.times;
    times.retain(|at| *at >= since);
    times.sort_by(|a, b| b.cmp(a));
    Some(times)
}

/// When the alert began to fire; now, if it did not fire as far as is known.
fn starts_of(facts: Facts<'_>, alert: &AlertView) -> Option<Starts> {
    let context = facts.context?;
    let index = context.alerts();
    let mut starts = index.map(|it| it.starts(&key(alert))).unwrap_or_default();
    if !starts.firing {
        starts.firing = true;
        starts.times.insert(0, context.0.now.utc);
    }
    Some(starts)
}

/// When there are fewer than `count`, which there are now: `leaving` is when each leaves the
/// window, the newest first.
pub(super) fn shrinks_below(leaving: &[Timestamp], count: i64) -> Option<Timestamp> {
    let at = usize::try_from(count).ok()?.checked_sub(1)?;
    leaving.get(at).copied()
}

fn key(alert: &AlertView) -> String {
    Alert::row_key(&alert.0.integration, &alert.0.fingerprint)
}
