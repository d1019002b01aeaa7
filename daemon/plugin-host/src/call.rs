//! What a call gives back.

use crate::grant::Denied;
use crate::wit::LogLevel;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The result of one call with everything that was seen on the way.
#[derive(Debug, Clone)]
#[must_use]
pub struct CallResult<T> {
    /// What the guest answered, or why it did not.
    pub outcome: Result<T, Failure>,
    /// Jobs to commit together with the outcome. Empty unless the call succeeded.
    pub jobs: Vec<EnqueuedJob>,
    /// The guest's log, oldest first. It has been given to `tracing` already.
    pub log: Vec<LogLine>,
    /// What it took.
    pub stats: CallStats,
    /// What was refused on the way, each once.
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
}

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Failure {
    /// The plugin wants to be called again.
    Retry {
        /// Not before so many milliseconds, if it says.
        after_ms: Option<u64>,
        /// Why.
        reason: String,
    },
    /// The plugin says that trying again is no use.
    Permanent {
        /// Why.
        reason: String,
    },
    /// The plugin cannot work as it is set up; the operator must act.
    Misconfigured {
        /// What is wrong.
        reason: String,
    },
    /// The guest broke.
    Trapped {
        /// What is known.
        report: Box<TrapReport>,
    },
    /// The guest was stopped at a limit of time, memory or copying.
    LimitReached {
        /// Which, and what is known.
        report: Box<TrapReport>,
    },
    /// The host does not make this call: a right is missing or the request is not believed.
    Refused {
        /// The HTTP status that fits, for webhooks.
        status: u16,
        /// Why, with the remedy.
        reason: String,
    },
    /// The plugin is left alone for a while after too many faults.
    Quarantined {
        /// When to try again, in milliseconds since the Unix epoch.
        until_ms: u64,
    },
    /// The host cannot make the call now.
    Unavailable {
        /// Why.
        reason: String,
    },
}

impl Failure {
    /// Is it worth trying the same call again later, without anybody doing anything?
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
            } => write!(f, "again in {ms} ms: {reason}"),
            Self::Retry { reason, .. } => write!(f, "again later: {reason}"),
            Self::Permanent { reason } => write!(f, "for good: {reason}"),
            Self::Misconfigured { reason } => write!(f, "misconfigured: {reason}"),
            Self::Trapped { report } | Self::LimitReached { report } => report.fmt(f),
            Self::Refused { reason, .. } | Self::Unavailable { reason } => f.write_str(reason),
            Self::Quarantined { until_ms } => write!(
                f,
                "in quarantine after too many faults; the next try is at {until_ms} ms \
                 (`tocsin plugin inspect` shows the last report, a reload ends the quarantine)"
            ),
        }
    }
}

/// A guest that broke or was stopped, for its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrapReport {
    /// The plugin and its version.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// The export that was called, such as `on-event`.
    pub export: String,
    /// The delivery's idempotency key.
    pub delivery: String,
    /// What happened, in words.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
    /// The limit that was reached, as `[limits]` calls it where it has a name there.
    #[serde(skip_deserializing)]
    pub limit: Option<&'static str>,
    /// Function names, innermost first, where the component has kept them.
    pub backtrace: Vec<String>,
    /// The last lines of its log.
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

/// A job that the plugin queued for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnqueuedJob {
    /// Stable over retries of the call.
    pub id: String,
    /// For the plugin.
    pub topic: String,
    /// JSON.
    pub payload: String,
    /// Not before so many milliseconds from now.
    pub delay_ms: u64,
    /// A waiting job with the same key is replaced by this one.
    pub dedup_key: Option<String>,
}

/// One outgoing request, for dead letters and `tocsin plugin inspect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpTrace {
    /// In capitals.
    pub method: String,
    /// Without its query, which may carry what nobody should read.
    pub url: String,
    /// The answer's status, or why there was none.
    pub outcome: Result<u16, String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// One line of a guest's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// In milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// How serious.
    pub level: LogLevel,
    /// Cleaned of control characters and secrets, at most 4 KiB.
    pub text: String,
}

/// What a call took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CallStats {
    /// Guest CPU time, in microseconds.
    pub cpu_us: u64,
    /// Ticks of the guest's clock seen inside the guest, 10 ms apart.
    pub ticks: u32,
    /// Time on the clock, in microseconds, without waiting for a slot.
    pub wall_us: u64,
    /// Linear memory at its largest, in bytes.
    pub memory_bytes: u64,
    /// Calls to the host.
    pub host_calls: u32,
    /// HTTP requests sent, redirects not counted.
    pub http_requests: u32,
    /// Answers given back from memory.
    pub effects_replayed: u32,
    /// Secrets taken out of answers and log lines.
    pub redactions: u32,
    /// Rights that were refused.
    pub denials: u32,
    /// Log lines above the limit.
    pub log_lines_dropped: u32,
}
