//! `log`: log lines, bounded, cleaned and passed on to `tracing`.

use super::context::Context;
use super::rate::RateBucket;
use crate::text::{clean, cut};
use crate::wit::LogLevel;
use crate::wit::log::{Field, Host, Level};
use std::sync::atomic::{AtomicU64, Ordering};

/// Most log lines of one plugin in the daemon's log per minute; the rest is counted.
pub(crate) const LOG_LINES_PER_MIN: u32 = 1_200;
/// Most log lines per call.
pub(crate) const LOG_LINES_MAX: usize = 1_000;
/// Longest log line with its fields, in bytes.
const LOG_LINE_BYTES_MAX: usize = 4 << 10;

/// One line of a guest's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// In milliseconds since the Unix epoch.
    pub at_ms: u64,
    pub level: LogLevel,
    /// Cleaned of control characters and secrets, at most 4 KiB.
    pub text: String,
}

/// The lines of one call, oldest first.
pub(crate) type LogLines = Vec<LogLine>;

/// Limits what a plugin writes to the daemon's log.
pub(crate) struct LogBudget {
    rate: RateBucket,
    /// Lines dropped since the last one that was written.
    left_out: AtomicU64,
}

impl Default for LogBudget {
    fn default() -> Self {
        Self {
            rate: RateBucket::new(LOG_LINES_PER_MIN),
            left_out: AtomicU64::new(0),
        }
    }
}

impl LogBudget {
    #[cfg(test)]
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// Writes a line to the daemon's log unless the plugin exceeds its rate; logs the number of
    /// dropped lines once the rate allows it again.
    fn spend(&self, plugin: &str, now_ms: u64, emit: impl FnOnce()) {
        if self.rate.take(now_ms).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            tracing::warn!(
                plugin,
                left_out,
                "a plugin logs more than {LOG_LINES_PER_MIN} lines per minute, and some of \
                its lines were dropped; make it log less"
            );
        }
        emit();
    }
}

impl Host for Context {
    fn write(&mut self, level: Level, message: String, fields: Vec<Field>) -> wasmtime::Result<()> {
        let _pause = self.pause();
        self.log_line(level, &message, &fields);
        Ok(())
    }
}

impl Context {
    /// Truncates, cleans and stores a line of the guest's log.
    fn log_line(&mut self, level: LogLevel, message: &str, fields: &[Field]) {
        if self.log.len() >= LOG_LINES_MAX {
            self.stats.log_lines_dropped += 1;
            return;
        }
        let mut text = clean(message);
        for Field { key, value } in fields {
            text.push_str(&format!(" {}={}", clean(key), clean(value)));
            if text.len() > LOG_LINE_BYTES_MAX {
                break;
            }
        }
        cut(&mut text, LOG_LINE_BYTES_MAX);
        let secrets = self.secrets();
        let (text, redacted) = secrets.redact_text(&text);
        self.stats.redactions += redacted as u32;
        let at_ms = self.shared.services.now_ms();
        self.shared.log.spend(self.plugin(), at_ms, || {
            emit(
                level,
                self.plugin(),
                self.facts.export,
                &self.facts.delivery,
                &text,
            );
        });
        self.log.push(LogLine { at_ms, level, text });
    }
}

fn emit(level: LogLevel, plugin: &str, export: &str, delivery: &str, text: &str) {
    match level {
        LogLevel::Trace => tracing::trace!(target: "plugin", plugin, export, delivery, "{text}"),
        LogLevel::Debug => tracing::debug!(target: "plugin", plugin, export, delivery, "{text}"),
        LogLevel::Info => tracing::info!(target: "plugin", plugin, export, delivery, "{text}"),
        LogLevel::Warn => tracing::warn!(target: "plugin", plugin, export, delivery, "{text}"),
        LogLevel::Error => tracing::error!(target: "plugin", plugin, export, delivery, "{text}"),
    }
}
