//! The history of alerts: an entry for each signal that changed one, for people and for running
//! other policies over the past. Repeats that say nothing new leave no entry.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::intake::{Alert, Intake, Known, Place};
use crate::{Fingerprint, IntegrationId, Labels, Timestamp};

/// How an alert changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HistoryKind {
    /// It began to fire.
    Began,
    /// Its sender said something new, or it went to another place.
    Changed,
    /// It stopped firing: its sender said so or fell silent, or somebody ended it.
    Ended,
    /// Somebody acknowledged it in its sender's own system.
    Acknowledged,
}

impl fmt::Display for HistoryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Began => "began",
            Self::Changed => "changed",
            Self::Ended => "ended",
            Self::Acknowledged => "acknowledged",
        })
    }
}

/// An alert as a signal left it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// When the daemon received the signal. If the clock was set back, or the alert changed twice
    /// in a millisecond: a millisecond after the entry before, so that an alert's entries are
    /// distinct and in order.
    pub at: Timestamp,
    pub kind: HistoryKind,
    pub integration: IntegrationId,
    pub fingerprint: Fingerprint,
    pub firing: bool,
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    pub labels: Labels,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Since when it fires, according to its sender.
    pub starts_at: Timestamp,
    /// What was decided; without what a decision to ignore the alert depends on.
    pub place: Place,
}

impl HistoryEntry {
    #[must_use]
    pub fn alert_key(&self) -> String {
        Alert::row_key(&self.integration, &self.fingerprint)
    }

    /// The entry of an alert that has just been changed, which gets its time.
    pub(super) fn of(alert: &mut Alert, kind: HistoryKind, now: Timestamp) -> Self {
        let at = alert.noted_at.map_or(now, |last| now.max(last.plus_ms(1)));
        alert.noted_at = Some(at);
        Self {
            at,
            kind,
            integration: alert.integration.clone(),
            fingerprint: alert.fingerprint.clone(),
            firing: alert.firing,
            title: alert.title.clone(),
            summary: alert.summary.clone(),
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
            link: alert.link.clone(),
            starts_at: alert.starts_at,
            place: match &alert.place {
                Place::Ignored { reason, .. } => Place::Ignored {
                    reason: reason.clone(),
                    waited_under: None,
                    watch: None,
                },
                Place::Waiting { key, until, .. } => Place::Waiting {
                    key: key.clone(),
                    until: *until,
                    watch: None,
                },
                place => place.clone(),
            },
        }
    }
}

/// Completes an outcome: every alert that it changes gets its entry, both as the store has room for
/// them.
pub(super) fn note(intake: &mut Intake, known: &Known<'_>, now: Timestamp) {
    let fitted = std::mem::take(&mut intake.alerts)
        .into_iter()
        .map(Alert::fitted);
    intake.alerts = fitted.collect();
    for after in &mut intake.alerts {
        let is_it = |it: &&Alert| {
            it.fingerprint == after.fingerprint && it.integration == after.integration
        };
        let mut all = known.alert.into_iter().chain(known.joining.iter().copied());
        if let Some(kind) = kind_of(all.find(is_it), after) {
            intake.history.push(HistoryEntry::of(after, kind, now));
        }
    }
}

fn kind_of(before: Option<&Alert>, after: &Alert) -> Option<HistoryKind> {
    let Some(before) = before else {
        return Some(match after.firing {
            true => HistoryKind::Began,
            false => HistoryKind::Changed,
        });
    };
    let has_begun = after.firing && (!before.firing || before.changed_at != after.changed_at);
    match (before.firing, after.firing) {
        _ if has_begun => Some(HistoryKind::Began),
        (true, false) => Some(HistoryKind::Ended),
        _ if !is_same(before, after) => Some(HistoryKind::Changed),
        _ => None,
    }
}

/// The start does not count while it does not fire: a dead man's switch starts whenever it is heard
/// of.
fn is_same(before: &Alert, after: &Alert) -> bool {
    before.labels == after.labels
        && before.annotations == after.annotations
        && before.title == after.title
        && before.summary == after.summary
        && before.link == after.link
        && (before.starts_at == after.starts_at || !after.firing)
        && is_same_place(&before.place, &after.place)
}

/// Reasons do not count: a policy may put counts into them.
fn is_same_place(before: &Place, after: &Place) -> bool {
    match (before, after) {
        (Place::Incident { id: before }, Place::Incident { id: after }) => before == after,
        (Place::Waiting { key: before, .. }, Place::Waiting { key: after, .. }) => before == after,
        _ => std::mem::discriminant(before) == std::mem::discriminant(after),
    }
}
