//! Hours on certain days, in local time: working hours, nights, weekends.

use chrono::{Datelike, Days, NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use tocsin_core::Timestamp;

use super::week::parse_time;
use super::{first_instant, local_time};

/// How many days ahead to look for the next edge: the same weekday of next week, with a margin.
pub(super) const EDGE_DAYS_MAX: u64 = 9;

/// Hours of a day, in local time. An end at or before the start is on the
/// next day; the window belongs to the day on which it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    /// When the window begins.
    pub from: NaiveTime,
    /// When it ends, exclusive.
    pub until: NaiveTime,
}

impl Hours {
    /// From midnight to midnight.
    pub const WHOLE_DAY: Self = Self {
        from: NaiveTime::MIN,
        until: NaiveTime::MIN,
    };
}

/// Hours on certain days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// The days on which a window begins.
    pub days: Vec<Weekday>,
    pub hours: Hours,
}

impl Restriction {
    /// Whether `at` is in a window.
    #[must_use]
    pub fn covers(&self, zone: Tz, at: Timestamp) -> bool {
        let today = local_time(zone, at).date();
        near(today, 1, 1)
            .filter_map(|date| self.window(zone, date))
            .any(|(from, until)| from <= at && at < until)
    }

    /// The next beginning or end of a window after `at`.
    #[must_use]
    pub fn next_edge(&self, zone: Tz, at: Timestamp) -> Option<Timestamp> {
        let today = local_time(zone, at).date();
        near(today, 2, EDGE_DAYS_MAX)
            .filter_map(|date| self.window(zone, date))
            .flat_map(|(from, until)| [from, until])
            .filter(|edge| *edge > at)
            .min()
    }

    /// The window that begins on `date`, if one does.
    fn window(&self, zone: Tz, date: NaiveDate) -> Option<(Timestamp, Timestamp)> {
        if !self.days.contains(&date.weekday()) {
            return None;
        }
        let last = match self.hours.until <= self.hours.from {
            true => date.checked_add_days(Days::new(1))?,
            false => date,
        };
        let from = first_instant(zone, date.and_time(self.hours.from));
        let until = first_instant(zone, last.and_time(self.hours.until));
        Some((from, until))
    }
}

/// Text that is not a range of hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a range of hours; write \"09:00-17:00\", or \"22:00-06:00\" for a night")]
pub struct UnknownHours(pub String);

impl FromStr for Hours {
    type Err = UnknownHours;

    fn from_str(text: &str) -> Result<Self, UnknownHours> {
        let unknown = || UnknownHours(text.to_owned());
        let (from, until) = text.trim().split_once('-').ok_or_else(unknown)?;
        let from = parse_time(from.trim()).ok_or_else(unknown)?;
        let until = match until.trim() {
            "24:00" => NaiveTime::MIN,
            until => parse_time(until).ok_or_else(unknown)?,
        };
        Ok(Self { from, until })
    }
}

impl TryFrom<String> for Hours {
    type Error = UnknownHours;

    fn try_from(text: String) -> Result<Self, UnknownHours> {
        text.parse()
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = match self.until {
            NaiveTime::MIN => "24:00".to_owned(),
            until => until.format("%H:%M").to_string(),
        };
        write!(f, "{}-{until}", self.from.format("%H:%M"))
    }
}

/// The dates from `back` days before `today` to `ahead` days after it.
pub(super) fn near(today: NaiveDate, back: u64, ahead: u64) -> impl Iterator<Item = NaiveDate> {
    let first = today.checked_sub_days(Days::new(back)).unwrap_or(today);
    (0..=back + ahead).filter_map(move |days| first.checked_add_days(Days::new(days)))
}
