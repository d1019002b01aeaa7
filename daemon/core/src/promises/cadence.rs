//! How soon each audience of an incident hears more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::grading::Grade;
use crate::lifecycle::Status;
use crate::limits;
use crate::promises::audience::Audience;
use crate::time::{HOUR_MS, MINUTE_MS};

/// The result of `cadence(incident)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cadence {
    /// How long after an update each audience hears more, in milliseconds, between
    /// [`PROMISE_MS_MIN`](crate::limits::PROMISE_MS_MIN) and
    /// [`PROMISE_MS_MAX`](crate::limits::PROMISE_MS_MAX). An update to an audience that is
    /// missing must name its next time.
    pub every_ms: BTreeMap<Audience, u64>,
}

impl Cadence {
    /// What applies until a policy or an update says otherwise.
    #[must_use]
    pub fn usual(grade: Grade) -> Self {
        let (engineering, others) = match grade {
            Grade::Critical => (15 * MINUTE_MS, 30 * MINUTE_MS),
            Grade::Major => (30 * MINUTE_MS, HOUR_MS),
            Grade::Minor => (4 * HOUR_MS, 4 * HOUR_MS),
        };
        let every = |audience| match audience {
            Audience::Engineering => engineering,
            Audience::Company | Audience::Public => others,
        };
        Self {
            every_ms: Audience::ALL.map(|it| (it, every(it))).into(),
        }
    }

    /// Half as often once the impact is mitigated, as there is less to tell.
    #[must_use]
    pub fn given(mut self, status: Status) -> Self {
        if status == Status::Mitigated {
            let all = self.every_ms.values_mut();
            all.for_each(|ms| *ms = ms.saturating_mul(2).min(limits::PROMISE_MS_MAX));
        }
        self
    }
}
