//! Values that are written as text, such as `"5m"`, `"monday 09:00"` or `"Europe/Berlin"`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tocsin_core::Timestamp;
use tocsin_core::time::{HOUR_MS, MINUTE_MS, SECOND_MS};

use crate::time::first_instant;

/// Longest duration in a configuration, in milliseconds: 366 days.
pub const SPAN_MS_MAX: u64 = 366 * 24 * HOUR_MS;

/// `serde` for a type that reads and prints itself as text.
macro_rules! as_text {
    ($($name:ty),*) => { $(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
                into.collect_str(self)
            }
        }
    )* };
}

/// A duration, written as `"90s"`, `"5m"`, `"1h30m"` or `"2d"`; units ms, s, m, h, d.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

impl Span {
    /// A duration of this many seconds.
    #[must_use]
    pub const fn from_s(seconds: u64) -> Self {
        Self(seconds * SECOND_MS)
    }

    /// In milliseconds; at most [`SPAN_MS_MAX`].
    #[must_use]
    pub fn as_ms(self) -> u64 {
        self.0
    }

    /// As a standard [`Duration`].
    #[must_use]
    pub fn as_std(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

/// Text that cannot be parsed as a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}; write {example}")]
pub struct Unreadable {
    text: String,
    wanted: &'static str,
    example: &'static str,
}

const UNITS: [(&str, u64); 5] = [
    ("d", 24 * HOUR_MS),
    ("h", HOUR_MS),
    ("ms", 1),
    ("m", MINUTE_MS),
    ("s", SECOND_MS),
];

impl FromStr for Span {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let unreadable = || Unreadable {
            text: text.to_owned(),
            wanted: "a duration of up to 366 days",
            example: "a number with its unit, such as \"90s\", \"5m\", \"1h30m\" or \"2d\"",
        };
        let (mut rest, mut total) = (text, 0_u64);
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .ok_or_else(unreadable)?;
            let count: u64 = rest[..digits].parse().map_err(|_| unreadable())?;
            rest = &rest[digits..];
            let (unit, ms) = UNITS
                .iter()
                .find(|(unit, _)| rest.starts_with(unit))
                .ok_or_else(unreadable)?;
            rest = &rest[unit.len()..];
            let part = count.checked_mul(*ms).ok_or_else(unreadable)?;
            total = total.checked_add(part).ok_or_else(unreadable)?;
        }
        match text.is_empty() || total > SPAN_MS_MAX {
            true => Err(unreadable()),
            false => Ok(Self(total)),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, ms) in [UNITS[0], UNITS[1], UNITS[3], UNITS[4], UNITS[2]] {
            if rest >= ms {
                write!(f, "{}{unit}", rest / ms)?;
                rest %= ms;
            }
        }
        Ok(())
    }
}

/// A date or time: TOML's own, or the same as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Toml(toml::value::Datetime),
}

impl Written {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Toml(time) => time.to_string(),
        }
    }
}

/// A local date, `2026-01-05`, with or without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Date(pub NaiveDate);

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wanted = "a date; write it as \"2026-01-05\"";
        let text = Written::deserialize(from)
            .map_err(|_| serde::de::Error::custom(format!("not {wanted}")))?
            .text();
        let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d");
        date.map(Self)
            .map_err(|_| serde::de::Error::custom(format!("`{text}` is not {wanted}")))
    }
}

/// A date and time: an instant if it has an offset from UTC, otherwise local to the rotation's
/// time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// `2026-12-24T18:00:00Z`, `2026-12-24T18:00:00+01:00`.
    Instant(Timestamp),
    /// `2026-12-24T18:00`, `2026-12-24 18:00:00`.
    Local(NaiveDateTime),
}

impl Moment {
    /// The instant; a local time is one of `zone`.
    #[must_use]
    pub fn instant(self, zone: chrono_tz::Tz) -> Timestamp {
        match self {
            Self::Instant(at) => at,
            Self::Local(local) => first_instant(zone, local),
        }
    }
}

impl FromStr for Moment {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::Instant(Timestamp(at.timestamp_millis())));
        }
        let text = text.replacen(' ', "T", 1);
        ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]
            .into_iter()
            .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
            .map(Self::Local)
            .ok_or_else(|| Unreadable {
                text: text.clone(),
                wanted: "a date and time",
                example: "\"2026-12-24T18:00\" for local time, or \"2026-12-24T18:00:00Z\"",
            })
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(from).map_err(|_| {
            serde::de::Error::custom("not a date and time; write it as \"2026-12-24T18:00\"")
        })?;
        written.text().parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Instant(at) => {
                let at = DateTime::from_timestamp_millis(at.0).unwrap_or_default();
                into.serialize_str(&at.to_rfc3339())
            }
            Self::Local(at) => into.collect_str(&at.format("%Y-%m-%dT%H:%M:%S")),
        }
    }
}

/// An IANA time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(pub chrono_tz::Tz);

impl FromStr for Zone {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        text.parse().map(Self).map_err(|_| Unreadable {
            text: text.to_owned(),
            wanted: "a known time zone",
            example: "an IANA name such as \"Europe/Berlin\", \"America/New_York\" or \"UTC\"",
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(chrono_tz::UTC)
    }
}

as_text!(Span, Zone, crate::people::Handover, crate::people::Every);
