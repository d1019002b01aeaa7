//! Parses when turns end and how long they are: `monday 09:00` every `1 week`.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveTime, Weekday};
use tocsin_policy::calendar::{parse_time, parse_weekday, weekday_name};

/// Most weeks in one turn.
pub const TURN_WEEKS_MAX: u32 = 52;
/// Most days in one turn.
pub const TURN_DAYS_MAX: u32 = 366;

/// The local wall-clock time at which one person's turn ends and the next one's begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The day, for turns in weeks; `None` for turns in days.
    pub weekday: Option<Weekday>,
    pub time: NaiveTime,
}

/// How long one turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// This many weeks; 1 to [`TURN_WEEKS_MAX`].
    Weeks(u32),
    /// This many days; 1 to [`TURN_DAYS_MAX`].
    Days(u32),
}

/// Text that is not a handover or a length of a turn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}; write {example}")]
pub struct UnknownTurn {
    pub text: String,
    /// What was expected.
    pub wanted: &'static str,
    /// A valid example.
    pub example: &'static str,
}

impl Every {
    /// The turn's length in days.
    #[must_use]
    pub fn days(self) -> u32 {
        match self {
            Self::Weeks(weeks) => weeks * 7,
            Self::Days(days) => days,
        }
    }
}

impl FromStr for Handover {
    type Err = UnknownTurn;

    fn from_str(text: &str) -> Result<Self, UnknownTurn> {
        let unknown = || UnknownTurn {
            text: text.to_owned(),
            wanted: "a handover",
            example: "\"monday 09:00\", or \"09:00\" for turns in days",
        };
        let (weekday, time) = match text.trim().split_once(' ') {
            Some((day, time)) => (Some(parse_weekday(day).ok_or_else(unknown)?), time.trim()),
            None => (None, text.trim()),
        };
        let time = parse_time(time).ok_or_else(unknown)?;
        Ok(Self { weekday, time })
    }
}

impl fmt::Display for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(weekday) = self.weekday {
            write!(f, "{} ", weekday_name(weekday))?;
        }
        write!(f, "{}", self.time.format("%H:%M"))
    }
}

impl FromStr for Every {
    type Err = UnknownTurn;

    fn from_str(text: &str) -> Result<Self, UnknownTurn> {
        let unknown = || UnknownTurn {
            text: text.to_owned(),
            wanted: "the length of a turn",
            example: "\"1 week\" up to \"52 weeks\", or \"1 day\" up to \"366 days\"",
        };
        let (count, unit) = text.trim().split_once(' ').ok_or_else(unknown)?;
        let count: u32 = count.parse().map_err(|_| unknown())?;
        match unit.trim() {
            "week" | "weeks" if (1..=TURN_WEEKS_MAX).contains(&count) => Ok(Self::Weeks(count)),
            "day" | "days" if (1..=TURN_DAYS_MAX).contains(&count) => Ok(Self::Days(count)),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self {
            Self::Weeks(count) => (count, "week"),
            Self::Days(count) => (count, "day"),
        };
        write!(f, "{count} {unit}{}", if *count == 1 { "" } else { "s" })
    }
}
