//! The health of the daemon itself.
//!
//! An incident daemon that fails silently is worse than none. So its [`Vitals`] are read often and
//! checked by simple rules; the results are shown by `tocsin doctor` and `/metrics`, logged when
//! they change, and reported to the outside by a heartbeat that stops when a check is bad.

mod checks;
mod foresight;
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
    PAGE_MS_BAD, PAGE_MS_WARN, SWEEP_LATE_MS_BAD, check_disk, check_waking, check_warnings, checks,
};
pub use foresight::Foresight;
pub use heartbeat::{BEAT_TIMEOUT, BeatState, Heartbeat, HeartbeatError};
pub use relay::{RelayProbe, RelayState};
pub use subject::Subject;
pub use vitals::{OVERDUE_GRACE_MS, PluginVitals, Vitals, disk_free};
pub use watch::{WATCH_EVERY, watch};

/// The result of a check, from best to worst.
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
    /// Healthy.
    #[default]
    Ok,
    /// Needs attention during working hours.
    Warn,
    /// Alerts or pages may not get through.
    Bad,
}

/// A health check's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// The check's name; for a plugin, `plugin` and its ID.
    pub name: String,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub says: String,
    /// What to do about it; null when nothing needs to be done.
    pub remedy: Option<String>,
}

/// The worst level; `Ok` if there are no checks.
#[must_use]
pub fn worst(checks: &[Check]) -> Level {
    let levels = checks.iter().map(|check| check.level);
    levels.max().unwrap_or_default()
}

impl Check {
    /// A healthy result.
    #[must_use]
    pub fn ok(name: impl Into<String>, says: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            level: Level::Ok,
            says: says.into(),
            remedy: None,
        }
    }

    /// A result that needs attention.
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
