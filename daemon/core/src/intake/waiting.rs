//! Alerts that wait because a routing policy requires several within a window before an incident
//! opens. A wait ends: with an incident, or as the policy says when its window is over.

use serde::{Deserialize, Serialize};

use crate::intake::{Alert, Assessment, Known, Otherwise, Place, Route};
use crate::{IncidentKey, Signal, Timestamp, limits};

/// Alerts that wait under a key until there are enough. One that ends meanwhile still counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Row keys of distinct alerts, each with when it started to wait; at most
    /// [`WAIT_COUNT_MAX`](limits::WAIT_COUNT_MAX).
    pub members: Vec<(String, Timestamp)>,
}

/// How the wait that a routing policy asked for goes on, now that an alert fires.
pub(crate) enum Wait {
    /// There are as many alerts as the policy requires.
    Enough,
    /// There are as many as a row can hold, which is fewer.
    Full,
    /// The alert's window is over.
    InVain,
    /// The alert waits.
    Until(Timestamp),
}

impl Waiting {
    /// The waiting alerts including this one, except those whose window is over.
    pub(crate) fn with(
        signal: &Signal,
        known: &Known<'_>,
        (key, window_ms): (&IncidentKey, u64),
        now: Timestamp,
    ) -> Self {
        let mut waiting = known.waiting_under(key).cloned().unwrap_or_default();
        let own = Alert::row_key(&signal.integration, &signal.fingerprint);
        let waits_on = known.alert.is_some_and(|it| has_waited_under(it, key));
        for (_, since) in &mut waiting.members {
            // A later time is of a clock that was set back since.
            *since = now.min(*since);
        }
        waiting.members.retain(|(member, since)| {
            now < since.plus_ms(window_ms) && (waits_on || *member != own)
        });
        if !waits_on {
            waiting.members.push((own, now));
        }
        waiting
    }

    /// The list without an alert that waits no longer.
    pub(crate) fn without(mut self, key: &str) -> Self {
        self.members.retain(|(member, _)| member != key);
        self
    }

    pub(crate) fn of(&self, signal: &Signal, count: u32, window_ms: u64) -> Wait {
        let own = Alert::row_key(&signal.integration, &signal.fingerprint);
        let bytes: usize = self.members.iter().map(|(key, _)| key.len() + 32).sum();
        if self.members.len() >= count.clamp(2, limits::WAIT_COUNT_MAX) as usize {
            return Wait::Enough;
        }
        if bytes >= limits::WAIT_BYTES_MAX {
            return Wait::Full;
        }
        match self.members.iter().find(|(member, _)| *member == own) {
            Some((_, since)) => Wait::Until(since.plus_ms(window_ms)),
            None => Wait::InVain,
        }
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
        target,
        count,
        window_ms,
        otherwise,
    }) = assessment.map(|it| &it.route.value)
    else {
        return Vec::new();
    };
    let waiting = Waiting::with(signal, known, (&target.key, *window_ms), now);
    let opens = match waiting.of(signal, *count, *window_ms) {
        Wait::Enough | Wait::Full => true,
        Wait::InVain => *otherwise == Otherwise::Open,
        Wait::Until(_) => false,
    };
    if !opens {
        return Vec::new();
    }
    let key = Alert::row_key(&signal.integration, &signal.fingerprint);
    let members = waiting.members.into_iter().map(|(member, _)| member);
    members.filter(|member| *member != key).collect()
}

/// Whether an alert waits under a key, or has waited there in vain since it fires.
fn has_waited_under(alert: &Alert, key: &IncidentKey) -> bool {
    let waited_under = match &alert.place {
        Place::Ignored { waited_under, .. } if alert.firing => waited_under.as_ref(),
        _ => alert.waits_under(),
    };
    waited_under == Some(key)
}
