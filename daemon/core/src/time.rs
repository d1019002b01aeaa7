//! Time as a value. The core never reads a clock: callers pass the time in, so that a scenario
//! runs a night in milliseconds and a replay is deterministic.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The instant `ms` milliseconds later; saturates at the largest representable time.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// The instant `ms` milliseconds earlier.
    #[must_use]
    pub fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// Milliseconds since `earlier`; 0 if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// One second in milliseconds.
pub const SECOND_MS: u64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE_MS: u64 = 60 * SECOND_MS;
/// One hour in milliseconds.
pub const HOUR_MS: u64 = 60 * MINUTE_MS;
const TWO_HOURS_MS: u64 = 2 * HOUR_MS;

/// A duration for people: `1h30m`, `90ms`.
#[must_use]
pub fn span_in_words(ms: u64) -> String {
    let units = [
        (HOUR_MS, "h"),
        (MINUTE_MS, "m"),
        (SECOND_MS, "s"),
        (1, "ms"),
    ];
    let (mut text, mut left) = (String::new(), ms);
    for (unit, name) in units {
        if left >= unit {
            text.push_str(&format!("{}{name}", left / unit));
            left %= unit;
        }
    }
    match text.is_empty() {
        true => "0s".to_owned(),
        false => text,
    }
}

/// A duration for people, rounded down: `40 s`, `12 min` or `3 h`.
#[must_use]
pub fn in_words(ms: u64) -> String {
    match ms {
        ..MINUTE_MS => format!("{} s", ms / SECOND_MS),
        MINUTE_MS..TWO_HOURS_MS => format!("{} min", ms / MINUTE_MS),
        _ => format!("{} h", ms / HOUR_MS),
    }
}
