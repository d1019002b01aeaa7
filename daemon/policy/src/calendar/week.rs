//! Times of the week as policies write them: `weekdays 09:00`, `weekend 22:00-06:00`.

use std::str::FromStr;

use chrono::{Datelike, NaiveTime, Weekday};
use chrono_tz::Tz;
use tocsin_core::Timestamp;

use super::hours::{EDGE_DAYS_MAX, near};
use super::{Hours, Restriction, first_instant, local_time};

/// Edges of windows within a week, two a day.
const EDGES_MAX: usize = 16;

/// A time on certain days of the week, or hours of which any time will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Vec<Weekday>, NaiveTime),
    Within(Window),
}

/// Hours on certain days of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window(Restriction);

/// Text that is not a time of the week.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}; write {examples}")]
pub(crate) struct UnknownMoment {
    pub(crate) text: String,
    pub(crate) wanted: &'static str,
    /// Valid examples.
    pub(crate) examples: &'static str,
}

impl Moment {
    /// When it is next after `at`, on the clock of `zone`; `at` itself if it is within the hours.
    #[must_use]
    pub(crate) fn next(&self, zone: Tz, at: Timestamp) -> Option<Timestamp> {
        let (days, time) = match self {
            Self::At(days, time) => (days, time),
            Self::Within(window) => return window.begins(zone, at),
        };
        let today = local_time(zone, at).date();
        near(today, 1, EDGE_DAYS_MAX)
            .filter(|date| days.contains(&date.weekday()))
            .map(|date| first_instant(zone, date.and_time(*time)))
            .filter(|moment| *moment > at)
            .min()
    }
}

impl Window {
    /// Whether `at` is in it, on the clock of `zone`.
    #[must_use]
    pub(crate) fn covers(&self, zone: Tz, at: Timestamp) -> bool {
        self.0.covers(zone, at)
    }

    /// When it next begins or ends after `at`. Never early; if it is always so, a later edge of
    /// adjacent windows.
    #[must_use]
    pub(crate) fn flips_at(&self, zone: Tz, at: Timestamp) -> Option<Timestamp> {
        let now = self.covers(zone, at);
        let mut last = None;
        for edge in self.edges(zone, at) {
            last = Some(edge);
            if self.covers(zone, edge) != now {
                break;
            }
        }
        last
    }

    /// The hours, as `22:00-06:00`, on these days; the whole days if there are none.
    fn on(days: Vec<Weekday>, hours: &str) -> Option<Self> {
        let hours = match hours {
            "" => Hours::WHOLE_DAY,
            hours => hours.parse().ok()?,
        };
        Some(Self(Restriction { days, hours }))
    }

    /// The first instant from `at` on that is in it.
    fn begins(&self, zone: Tz, at: Timestamp) -> Option<Timestamp> {
        let mut instants = std::iter::once(at).chain(self.edges(zone, at));
        instants.find(|it| self.covers(zone, *it))
    }

    fn edges(&self, zone: Tz, at: Timestamp) -> impl Iterator<Item = Timestamp> {
        let next = move |edge: &Timestamp| self.0.next_edge(zone, *edge);
        std::iter::successors(next(&at), next).take(EDGES_MAX)
    }
}

impl FromStr for Moment {
    type Err = UnknownMoment;

    fn from_str(text: &str) -> Result<Self, UnknownMoment> {
        let parsed = days_and_rest(text).and_then(|(days, rest)| match parse_time(rest) {
            Some(time) => Some(Self::At(days, time)),
            None => Some(Self::Within(Window::on(days, rest)?)),
        });
        parsed.ok_or_else(|| UnknownMoment {
            text: text.to_owned(),
            wanted: "a time of the week",
            examples: "\"09:00\", \"monday 09:00\", \"weekdays 09:00\" or \"weekdays 09:00-18:00\"",
        })
    }
}

impl FromStr for Window {
    type Err = UnknownMoment;

    fn from_str(text: &str) -> Result<Self, UnknownMoment> {
        let parsed = days_and_rest(text).and_then(|(days, rest)| Self::on(days, rest));
        parsed.ok_or_else(|| UnknownMoment {
            text: text.to_owned(),
            wanted: "a range of hours",
            examples: "\"22:00-06:00\", \"weekdays 09:00-17:00\" or \"saturday\"",
        })
    }
}

/// The days that a text begins with, all if it names none, and the rest of it.
fn days_and_rest(text: &str) -> Option<(Vec<Weekday>, &str)> {
    let text = text.trim();
    let all = || WEEKDAYS.map(|(day, _)| day).to_vec();
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return Some((all(), text));
    }
    let (days, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut named = Vec::new();
    for day in days.split(',') {
        match day.to_ascii_lowercase().as_str() {
            "weekdays" => named.extend(all().into_iter().take(WORKDAYS)),
            "weekend" => named.extend(all().into_iter().skip(WORKDAYS)),
            day => named.push(parse_weekday(day)?),
        }
    }
    Some((named, rest.trim()))
}

/// `HH:MM` on a 24-hour clock.
#[must_use]
pub fn parse_time(text: &str) -> Option<NaiveTime> {
    (text.len() == 5)
        .then(|| NaiveTime::parse_from_str(text, "%H:%M").ok())
        .flatten()
}

/// An English weekday or its first three letters, case-insensitive.
#[must_use]
pub fn parse_weekday(text: &str) -> Option<Weekday> {
    let text = text.to_ascii_lowercase();
    WEEKDAYS
        .into_iter()
        .find(|(_, name)| text == *name || text == name[..3])
        .map(|(weekday, _)| weekday)
}

/// The English name, in lower case.
#[must_use]
pub fn weekday_name(weekday: Weekday) -> &'static str {
    WEEKDAYS[weekday.num_days_from_monday() as usize].1
}

const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Mon, "monday"),
    (Weekday::Tue, "tuesday"),
    (Weekday::Wed, "wednesday"),
    (Weekday::Thu, "thursday"),
    (Weekday::Fri, "friday"),
    (Weekday::Sat, "saturday"),
    (Weekday::Sun, "sunday"),
];
/// How many of them are not on the weekend.
const WORKDAYS: usize = 5;
