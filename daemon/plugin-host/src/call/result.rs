//! The result of a call.

use crate::capability::{CallStats, EnqueuedJob, HttpTrace, LogLine};
use crate::rights::Denied;
use crate::text::{clean, cut};
use crate::wit::types;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest failure reason from a guest, in bytes.
const REASON_BYTES_MAX: usize = 4 << 10;

/// The outcome of one call, with its side results and statistics.
#[derive(Debug, Clone)]
#[must_use]
pub struct CallResult<T> {
    /// What the guest returned, or why it did not.
    pub outcome: Result<T, Failure>,
    /// Jobs to commit together with the outcome. Empty unless the call succeeded.
    pub jobs: Vec<EnqueuedJob>,
    /// The guest's log, oldest first. Already passed to `tracing`.
    pub log: Vec<LogLine>,
    pub stats: CallStats,
    /// The rights that were denied, without duplicates.
    pub denials: Vec<Denied>,
    /// The requests that it sent, in order.
    pub http: Vec<HttpTrace>,
}

impl<T> CallResult<T> {
    /// A call that never reached the guest.
    pub(crate) fn failed(failure: Failure) -> Self {
        Self {
            outcome: Err(failure),
            jobs: Vec::new(),
            log: Vec::new(),
            stats: CallStats::default(),
            denials: Vec::new(),
            http: Vec::new(),
        }
    }

    pub(super) fn refused(status: u16, reason: String) -> Self {
        Self::failed(Failure::Refused { status, reason })
    }
}

impl<T> CallResult<Result<T, types::Failure>> {
    /// Turns a failure returned by the guest into the call's failure; its jobs are not committed.
    pub(super) fn flatten(self) -> CallResult<T> {
        let outcome = self.outcome.and_then(|it| it.map_err(Failure::from));
        let jobs = if outcome.is_ok() {
            self.jobs
        } else {
            Vec::new()
        };
        CallResult {
            outcome,
            jobs,
            log: self.log,
            stats: self.stats,
            denials: self.denials,
            http: self.http,
        }
    }
}

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Failure {
    /// The plugin requests a retry.
    Retry {
        /// The requested delay, in milliseconds.
        after_ms: Option<u64>,
        reason: String,
    },
    /// According to the plugin, a retry cannot help.
    Permanent { reason: String },
    /// The plugin cannot work with its configuration; the operator must act.
    Misconfigured { reason: String },
    /// The guest trapped.
    Trapped { report: Box<TrapReport> },
    /// The guest was stopped at a limit on time, memory or copying.
    LimitReached { report: Box<TrapReport> },
    /// The host did not make the call: a right is missing or the request was rejected.
    Refused {
        /// The matching HTTP status, for webhooks.
        status: u16,
        /// Includes the remedy.
        reason: String,
    },
    /// The plugin is temporarily not called after too many faults.
    Quarantined {
        /// When to try again, in milliseconds since the Unix epoch.
        until_ms: u64,
    },
    /// The host cannot make the call now.
    Unavailable { reason: String },
}

impl Failure {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Retry { .. } | Self::Quarantined { .. } | Self::Unavailable { .. } => true,
            Self::Trapped { .. } | Self::LimitReached { .. } => true,
            Self::Permanent { .. } | Self::Misconfigured { .. } | Self::Refused { .. } => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry {
                after_ms: Some(ms),
                reason,
            } => write!(f, "retry in {ms} ms: {reason}"),
            Self::Retry { reason, .. } => write!(f, "retry later: {reason}"),
            Self::Permanent { reason } => write!(f, "permanent failure: {reason}"),
            Self::Misconfigured { reason } => write!(f, "misconfigured: {reason}"),
            Self::Trapped { report } | Self::LimitReached { report } => report.fmt(f),
            Self::Refused { reason, .. } | Self::Unavailable { reason } => f.write_str(reason),
            Self::Quarantined { until_ms } => write!(
                f,
                "in quarantine after too many faults; the next attempt is at {until_ms} ms \
                 (`tocsin plugin inspect` shows the last report, a reload ends the quarantine)"
            ),
        }
    }
}

impl From<types::Failure> for Failure {
    fn from(failure: types::Failure) -> Self {
        let short = |text: String| {
            let mut text = clean(&text);
            cut(&mut text, REASON_BYTES_MAX);
            text
        };
        match failure {
            types::Failure::Retry(hint) => Self::Retry {
                after_ms: hint.after_ms,
                reason: short(hint.reason),
            },
            types::Failure::Permanent(reason) => Self::Permanent {
                reason: short(reason),
            },
            types::Failure::Misconfigured(reason) => Self::Misconfigured {
                reason: short(reason),
            },
        }
    }
}

/// Describes for the plugin's author why a guest trapped or was stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrapReport {
    pub plugin: String,
    pub version: String,
    /// The export that was called, such as `on-event`.
    pub export: String,
    /// The delivery's idempotency key.
    pub delivery: String,
    pub cause: String,
    pub remedy: String,
    /// The limit that was reached, by its key in `[limits]` if it has one.
    #[serde(skip_deserializing)]
    pub limit: Option<&'static str>,
    /// Function names, innermost first, if the component includes them.
    pub backtrace: Vec<String>,
    /// The end of its log.
    pub last_lines: Vec<String>,
}

impl fmt::Display for TrapReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            plugin,
            version,
            export,
            cause,
            remedy,
            ..
        } = self;
        write!(
            f,
            "plugin `{plugin}` {version}, in {export}: {cause}; {remedy}"
        )?;
        if let Some(first) = self.backtrace.first() {
            write!(f, " (at {first})")?;
        }
        Ok(())
    }
}
