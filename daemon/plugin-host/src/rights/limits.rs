//! The limits that a manifest and a grant can change, and their bounds.

use serde::{Deserialize, Serialize};

/// Guest CPU time per call, in milliseconds.
pub(crate) const CPU_MS: u64 = 250;
/// Most CPU time per call that a grant may allow, in milliseconds.
pub(crate) const CPU_MS_MAX: u64 = 10_000;
/// Wall-clock time per call, in milliseconds, including host calls.
pub(crate) const WALL_MS: u64 = 10_000;
/// Longest wall-clock time per call that a grant may allow, in milliseconds.
pub(crate) const WALL_MS_MAX: u64 = 60_000;
/// Wall-clock time per webhook, in milliseconds, unless its route specifies another.
pub(crate) const WEBHOOK_WALL_MS: u64 = 2_500;
/// Total linear memory of one instance, in bytes.
pub(crate) const MEMORY_BYTES: u64 = 32 << 20;
/// Most linear memory that a grant may allow, in bytes.
pub(crate) const MEMORY_BYTES_MAX: u64 = 512 << 20;
/// HTTP requests per minute for each plugin and lane, unless the limits specify another number.
pub(crate) const HTTP_PER_MIN: u32 = 60;
/// Most HTTP requests per minute that a grant may allow.
pub(crate) const HTTP_PER_MIN_MAX: u32 = 6_000;
/// How often a running guest's budget is checked, in milliseconds: no time limit is shorter.
pub(crate) const TICK_MS: u64 = 10;

/// Limits that a manifest asks for or a grant allows; absent ones keep the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitRequest {
    /// Linear memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Guest CPU time per call, in milliseconds.
    pub cpu_ms: Option<u64>,
    /// Wall-clock time per call, in milliseconds.
    pub wall_ms: Option<u64>,
    /// HTTP requests per minute.
    pub http_per_min: Option<u32>,
}

/// The effective limits of one plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Limits {
    /// Linear memory, in bytes.
    pub memory_bytes: u64,
    /// Guest CPU time per call, in milliseconds.
    pub cpu_ms: u64,
    /// Wall-clock time per call, in milliseconds.
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
