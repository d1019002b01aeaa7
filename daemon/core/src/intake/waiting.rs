//! Alerts that wait because a routing policy requires several within a window before an incident
//! opens.

use serde::{Deserialize, Serialize};

use crate::intake::{Alert, Assessment, Known, Place, Route};
use crate::{Signal, Timestamp, limits};

/// Alerts that wait under a key until there are enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Row keys of distinct alerts, each with when it started to wait; at most
    /// [`WAIT_COUNT_MAX`](limits::WAIT_COUNT_MAX).
    pub members: Vec<(String, Timestamp)>,
}

impl Waiting {
    /// The waiting alerts including this one, except those that waited longer than the window.
    pub(crate) fn with(signal: &Signal, known: &Known<'_>, window_ms: u64, now: Timestamp) -> Self {
        let oldest = now.minus_ms(window_ms);
        let mut waiting = known.waiting.cloned().unwrap_or_default();
        waiting.members.retain(|(_, since)| *since >= oldest);
        let key = Alert::row_key(&signal.integration, &signal.fingerprint);
        let is_member = waiting.members.iter().any(|(member, _)| *member == key);
        let fires_on = known.alert.is_some_and(|alert| alert.firing);
        if !is_member && !fires_on {
            waiting.members.push((key, now));
        }
        waiting
    }

    /// Whether there are as many as the policy requires, or as many as a row can hold.
    pub(crate) fn is_complete(&self, count: u32) -> bool {
        let count = count.clamp(2, limits::WAIT_COUNT_MAX) as usize;
        let bytes: usize = self.members.iter().map(|(key, _)| key.len() + 32).sum();
        self.members.len() >= count || bytes >= limits::WAIT_BYTES_MAX
    }
}

/// Row keys of the alerts that join together with this one if they still wait. The caller of
/// `decide_signal` reads them into [`Known::joining`].
#[must_use]
pub fn joining_alerts(
    signal: &Signal,
    known: &Known<'_>,
    assessment: Option<&Assessment>,
    now: Timestamp,
) -> Vec<String> {
    let Some(Route::Wait {
        count, window_ms, ..
    }) = assessment.map(|it| &it.route.value)
    else {
        return Vec::new();
    };
    let waiting = Waiting::with(signal, known, *window_ms, now);
    if !waiting.is_complete(*count) {
        return Vec::new();
    }
    let key = Alert::row_key(&signal.integration, &signal.fingerprint);
    let members = waiting.members.into_iter().map(|(member, _)| member);
    members.filter(|member| *member != key).collect()
}

/// Whether an alert still waits under a key.
pub(crate) fn waits_under(alert: &Alert, key: &crate::IncidentKey) -> bool {
    alert.firing && matches!(&alert.place, Place::Waiting { key: it } if it == key)
}
