//! When an override begins and ends, as people write it.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tocsin_core::Timestamp;

use crate::config::{Moment, Span, Unreadable};
use crate::people::OverrideRefusal;

/// The end of an override: a time, or how long it lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    At(Moment),
    After(Span),
}

impl End {
    /// The given end; `None` without one.
    ///
    /// # Errors
    /// When both are given.
    pub(super) fn of(
        until: Option<Moment>,
        lasts: Option<Span>,
    ) -> Result<Option<Self>, OverrideRefusal> {
        match (until, lasts) {
            (Some(_), Some(_)) => Err(OverrideRefusal::Other(
                "`until` and `for` are two ends; give one".to_owned(),
            )),
            (until, lasts) => Ok(until.map(Self::At).or(lasts.map(Self::After))),
        }
    }

    /// Parses `4h` or `2026-12-24T18:00`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let span = text.parse().map(Self::After);
        span.or_else(|_| text.parse().map(Self::At)).ok()
    }

    pub(super) fn instant(self, zone: Tz, from: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment.instant(zone),
            Self::After(span) => from.plus_ms(span.as_ms()),
        }
    }

    /// As the two fields of a request.
    pub(super) fn fields(self) -> (Option<Moment>, Option<Span>) {
        match self {
            Self::At(moment) => (Some(moment), None),
            Self::After(span) => (None, Some(span)),
        }
    }
}

/// Names a shift: the date on which it begins, or an instant that it covers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ShiftAt {
    Date(NaiveDate),
    Moment(Moment),
}

impl FromStr for ShiftAt {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(date) => Ok(Self::Date(date)),
            Err(_) => text.parse().map(Self::Moment),
        }
    }
}

impl fmt::Display for ShiftAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => write!(f, "{date}"),
            Self::Moment(Moment::Local(local)) => {
                write!(f, "{}", local.format("%Y-%m-%dT%H:%M:%S"))
            }
            Self::Moment(Moment::Instant(at)) => f.write_str(&crate::time::format_time(*at)),
        }
    }
}

impl<'de> Deserialize<'de> for ShiftAt {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for ShiftAt {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.collect_str(self)
    }
}

/// A person's name in chat: with or without the `@` of a mention.
pub(super) fn person(word: &str) -> tocsin_core::PersonId {
    word.trim_start_matches('@').into()
}
