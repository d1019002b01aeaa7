//! The health of the daemon itself: what an operator must know at 3 a.m.
//!
//! An incident daemon that fails silently is worse than none, since everybody relies on it. So its
//! [`Vitals`] are read often, judged by plain rules, shown by `tocsin doctor` and `/metrics`,
//! logged when they change, and reported to the outside by a heartbeat that stops when they are
//! bad.

mod checks;
mod heartbeat;
mod publish;
mod relay;
mod subject;
mod vitals;
mod watch;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use checks::{
    COMMIT_MS_BAD, COMMIT_MS_WARN, COMMITS_JUDGED_MIN, DISK_BYTES_BAD, DISK_BYTES_WARN,
    PAGE_MS_BAD, PAGE_MS_WARN, SWEEP_LATE_MS_BAD, check_disk, checks,
};
pub use heartbeat::{BEAT_TIMEOUT, BeatState, Heartbeat, HeartbeatError};
pub use relay::{RelayProbe, RelayState};
pub use subject::Subject;
pub use vitals::{OVERDUE_GRACE_MS, PluginVitals, Vitals, disk_free};
pub use watch::{WATCH_EVERY, watch};

/// How a check came out, from best to worst.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ToSchema,
    Hash,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    #[default]
    Ok,
    /// Somebody should look at it by day.
    Warn,
    /// Alerts or pages may not get through.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// What was looked at: one word, and of a plugin `plugin` and its id.
    pub name: String,
    /// How it came out.
    pub level: Level,
    /// What was seen.
    pub says: String,
    /// What to do about it; none when nothing need be done.
    pub remedy: Option<String>,
}

/// The worst of the levels; `Ok` of none.
#[must_use]
pub fn worst(checks: &[Check]) -> Level {
    let levels = checks.iter().map(|check| check.level);
    levels.max().unwrap_or_default()
}

impl Check {
    /// A check that came out well.
    #[must_use]
    pub fn ok(name: impl Into<String>, says: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            level: Level::Ok,
            says: says.into(),
            remedy: None,
        }
    }

    /// A check that did not.
    #[must_use]
    pub fn wrong(
        name: impl Into<String>,
        level: Level,
        says: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            level,
            says: says.into(),
            remedy: Some(remedy.into()),
        }
    }
}

#[cfg(test)]
mod tests;
