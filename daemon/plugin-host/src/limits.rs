//! Every limit on a plugin, each with its unit, and how a manifest and a grant move some of them.
//!
//! They are in one place because a limit that nobody can find is a limit that nobody can explain
//! to the author whose plugin was stopped by it.

use serde::{Deserialize, Serialize};

/// Guest CPU time per call, in milliseconds.
pub const CPU_MS: u64 = 250;
/// The most CPU time a grant may give to one call, in milliseconds.
pub const CPU_MS_MAX: u64 = 10_000;
/// Time on the clock per call, in milliseconds, host calls included.
pub const WALL_MS: u64 = 10_000;
/// The longest a grant may let one call last, in milliseconds.
pub const WALL_MS_MAX: u64 = 60_000;
/// Time on the clock per webhook, in milliseconds, unless its route says less.
pub const WEBHOOK_WALL_MS: u64 = 2_500;
/// Linear memory of one instance, in bytes, all memories together.
pub const MEMORY_BYTES: u64 = 32 << 20;
/// The most linear memory that a grant may give, in bytes.
pub const MEMORY_BYTES_MAX: u64 = 512 << 20;
/// Elements of all tables of one instance together.
pub const TABLE_ELEMENTS_MAX: usize = 10_000;
/// Core instances, memories and tables in one store, each.
pub const STORE_ITEMS_MAX: usize = 10;
/// Bytes that one host call may copy out of the guest.
pub const HOSTCALL_BYTES_MAX: usize = 4 << 20;
/// Stack of the guest, in bytes.
pub const STACK_BYTES_MAX: usize = 512 << 10;
/// Stack of the fiber that the guest and its host calls run on, in bytes.
pub const FIBER_STACK_BYTES: usize = 1 << 20;
/// Size of a component file, in bytes.
pub const COMPONENT_BYTES_MAX: u64 = 32 << 20;
/// Size of a manifest, in bytes.
pub const MANIFEST_BYTES_MAX: u64 = 256 << 10;
/// How often the guest's clock is looked at, in milliseconds.
pub const TICK_MS: u64 = 10;
/// Calls that run at the same time per plugin and lane.
pub const CALLS_PER_LANE: usize = 4;
/// Calls that wait for a slot per plugin and lane; more are told to retry.
pub const WAITING_CALLS_MAX: usize = 256;
/// How long a call may wait for a slot, in milliseconds.
pub const SLOT_WAIT_MS_MAX: u64 = 10_000;
/// How long a chore may wait for a slot, in milliseconds: what waits keeps a slot of the daemon
/// from other plugins, and comes again anyway.
pub const CHORE_SLOT_WAIT_MS_MAX: u64 = 3_000;
/// How long calls of a replaced generation may go on, in milliseconds.
pub const DRAIN_MS: u64 = 30_000;

/// HTTP requests per call, redirects not counted.
pub const HTTP_REQUESTS_PER_CALL: u32 = 30;
/// HTTP requests per plugin and lane in a minute, unless the limits say otherwise.
pub const HTTP_PER_MIN: u32 = 60;
/// The most HTTP requests per minute that a grant may give.
pub const HTTP_PER_MIN_MAX: u32 = 6_000;
/// Body of an outgoing request, in bytes.
pub const HTTP_UP_BYTES_MAX: usize = 1 << 20;
/// Body of an answer after decompression, in bytes.
pub const HTTP_DOWN_BYTES_MAX: usize = 4 << 20;
/// Redirects followed for one request.
pub const HTTP_REDIRECTS_MAX: u32 = 3;
/// Time for one request unless the guest says less, in milliseconds.
pub const HTTP_TIMEOUT_MS: u64 = 10_000;
/// Time to connect, in milliseconds.
pub const HTTP_CONNECT_MS: u64 = 5_000;
/// Headers of one outgoing request.
pub const HTTP_HEADERS_MAX: usize = 64;
/// Names and values of an outgoing request's headers together, in bytes.
pub const HTTP_HEADER_BYTES_MAX: usize = 16 << 10;
/// Length of a URL, in bytes.
pub const URL_BYTES_MAX: usize = 8 << 10;
/// A remembered answer (status, headers and body), in bytes. Longer bodies are left out.
pub const EFFECT_BYTES_MAX: usize = 256 << 10;
/// Length of a `once` key, in bytes.
pub const ONCE_BYTES_MAX: usize = 256;

/// Calls to the host per call. Each is short, and its time is not the guest's: without a limit
/// a guest would spin in them.
pub const HOST_CALLS_MAX: u32 = 100_000;
/// Log lines of one plugin that reach the daemon's log in a minute; the rest is counted.
pub const LOG_LINES_PER_MIN: u32 = 1_200;
/// Log lines per call.
pub const LOG_LINES_MAX: usize = 1_000;
/// One log line with its fields, in bytes.
pub const LOG_LINE_BYTES_MAX: usize = 4 << 10;
/// Random bytes per request.
pub const RANDOM_BYTES_MAX: u32 = 4_096;
/// Commands per call.
pub const COMMANDS_PER_CALL: u32 = 100;
/// Messages per call.
pub const MAILS_PER_CALL: u32 = 50;
/// Recipients of one message.
pub const MAIL_RECIPIENTS_MAX: usize = 50;
/// Look-ups of people per call.
pub const PEOPLE_PER_CALL: u32 = 100;
/// Jobs enqueued per call.
pub const JOBS_PER_CALL: usize = 100;
/// Jobs of one plugin that wait to be delivered, about: more are refused until some are done.
pub const JOBS_WAITING_MAX: usize = 1_000;
/// Payload of one job, in bytes, written as a JSON string: quotes in it count twice. A store takes
/// values of 8 KiB, which must hold the job's topic and names besides.
pub const JOB_BYTES_MAX: usize = 6 << 10;
/// The longest delay of a job, in milliseconds: 30 days.
pub const JOB_DELAY_MS_MAX: u64 = 30 * 24 * 3_600_000;
/// Topics and deduplication keys of jobs, in bytes.
pub const JOB_KEY_BYTES_MAX: usize = 256;

/// What a manifest asks for, or a grant allows, beside the defaults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitRequest {
    /// Linear memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Guest CPU time per call, in milliseconds.
    pub cpu_ms: Option<u64>,
    /// Time on the clock per call, in milliseconds.
    pub wall_ms: Option<u64>,
    /// HTTP requests per minute.
    pub http_per_min: Option<u32>,
}

/// The limits that hold for one plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Limits {
    /// Linear memory, in bytes.
    pub memory_bytes: u64,
    /// Guest CPU time per call, in milliseconds.
    pub cpu_ms: u64,
    /// Time on the clock per call, in milliseconds.
    pub wall_ms: u64,
    /// HTTP requests per minute and lane.
    pub http_per_min: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self::effective(LimitRequest::default(), LimitRequest::default())
    }
}

impl Limits {
    /// A manifest alone may only lower a default; the operator's grant may also raise it.
    pub fn effective(asked: LimitRequest, granted: LimitRequest) -> Self {
        Self {
            memory_bytes: pick(asked.memory_bytes, granted.memory_bytes, MEMORY_BYTES)
                .min(MEMORY_BYTES_MAX),
            cpu_ms: pick(asked.cpu_ms, granted.cpu_ms, CPU_MS).clamp(TICK_MS, CPU_MS_MAX),
            wall_ms: pick(asked.wall_ms, granted.wall_ms, WALL_MS).clamp(TICK_MS, WALL_MS_MAX),
            http_per_min: pick(asked.http_per_min, granted.http_per_min, HTTP_PER_MIN)
                .min(HTTP_PER_MIN_MAX),
        }
    }
}

fn pick<T: Ord + Copy>(asked: Option<T>, granted: Option<T>, default: T) -> T {
    match (asked, granted) {
        (Some(asked), Some(granted)) => asked.min(granted),
        (Some(asked), None) => asked.min(default),
        (None, Some(granted)) => granted,
        (None, None) => default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(ms: Option<u64>) -> LimitRequest {
        LimitRequest {
            cpu_ms: ms,
            ..LimitRequest::default()
        }
    }

    #[test]
    fn a_manifest_lowers_a_limit_and_only_a_grant_raises_it() {
        let cases = [
            (None, None, CPU_MS),
            (Some(100), None, 100),
            (Some(1_000), None, CPU_MS),
            (Some(1_000), Some(800), 800),
            (Some(100), Some(800), 100),
            (None, Some(800), 800),
            (Some(u64::MAX), Some(u64::MAX), CPU_MS_MAX),
        ];
        for (asked, granted, want) in cases {
            let got = Limits::effective(cpu(asked), cpu(granted)).cpu_ms;
            assert_eq!(got, want, "asked {asked:?}, granted {granted:?}");
        }
    }
}
