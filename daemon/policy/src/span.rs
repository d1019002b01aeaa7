//! Durations in policies, such as `minutes(5)`: a separate type, because a bare `5` could be taken
//! for seconds or minutes.

use std::fmt;

use tocsin_core::time::{HOUR_MS, MINUTE_MS, SECOND_MS, span_in_words};

/// A duration, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(pub(crate) u64);

impl Span {
    /// Parses the format of [`Display`](fmt::Display): `90s`, `5m`, `2h`, `1h30m`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut total: u64 = 0;
        let mut rest = text.trim();
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit())?;
            let number: u64 = rest.get(..digits)?.parse().ok()?;
            rest = rest.get(digits..)?;
            let end = rest
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(rest.len());
            let unit = match rest.get(..end)? {
                "ms" => 1,
                "s" => SECOND_MS,
                "m" => MINUTE_MS,
                "h" => HOUR_MS,
                "d" => 24 * HOUR_MS,
                _ => return None,
            };
            total = total.checked_add(number.checked_mul(unit)?)?;
            rest = rest.get(end..)?;
        }
        Some(Self(total))
    }
}

impl Span {
    /// For people: whole minutes from an hour on, else whole seconds from a second on.
    pub(crate) fn rounded(self) -> Self {
        let unit_ms = match self.0 {
            HOUR_MS.. => MINUTE_MS,
            SECOND_MS.. => SECOND_MS,
            _ => 1,
        };
        Self(self.0 - self.0 % unit_ms)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&span_in_words(self.0))
    }
}
