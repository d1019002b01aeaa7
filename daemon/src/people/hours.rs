//! How long people were on call in a month, and how much of that was at night or on a weekend: by
//! the rotations as they are configured now, with the overrides that are kept.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use chrono::{Datelike, Months, NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tocsin_core::time::HOUR_MS;
use tocsin_core::{PersonId, Timestamp};
use tocsin_policy::calendar::{Hours, Restriction};

use super::roster::Roster;
use crate::time::first_instant;

/// The hours of night, by the clock of where the person is: from 22:00 to 06:00.
static NIGHT: LazyLock<Restriction> = LazyLock::new(|| Restriction {
    days: [
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
        Weekday::Thu,
        Weekday::Fri,
    ]
    .into_iter()
    .chain(WEEKEND_DAYS)
    .collect(),
    hours: Hours {
        from: hour(22),
        until: hour(6),
    },
});
/// Saturday and Sunday, by the clock of where the person is.
static WEEKEND: LazyLock<Restriction> = LazyLock::new(|| Restriction {
    days: WEEKEND_DAYS.to_vec(),
    hours: Hours::WHOLE_DAY,
});
const WEEKEND_DAYS: [Weekday; 2] = [Weekday::Sat, Weekday::Sun];
/// How far before and after a month of UTC a month somewhere may reach, in milliseconds.
const ZONES_MS: u64 = 24 * HOUR_MS;
/// Most edges of nights or weekends that one time span is cut at.
const EDGES_MAX: usize = 1_024;

/// A time from one instant until another, which it does not include.
pub type Window = (Timestamp, Timestamp);

/// A calendar month, written as `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(NaiveDate);

/// Text that is not a month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a month; write it as 2026-11")]
pub struct UnknownMonth(String);

/// How long a person was on call, in milliseconds. An hour at night on a weekend is in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnCallTime {
    pub total_ms: u64,
    pub night_ms: u64,
    pub weekend_ms: u64,
}

impl Month {
    /// From its first instant on the clock of a zone until the first of the next month.
    #[must_use]
    pub fn window(self, zone: Tz) -> Window {
        let begins = |first: NaiveDate| first_instant(zone, first.and_time(NaiveTime::MIN));
        let next = self.0.checked_add_months(Months::new(1));
        (begins(self.0), begins(next.unwrap_or(self.0)))
    }
}

impl FromStr for Month {
    type Err = UnknownMonth;

    fn from_str(text: &str) -> Result<Self, UnknownMonth> {
        let first = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d");
        let first = first.ok().filter(|_| text.len() == "2026-11".len());
        first.map(Self).ok_or_else(|| UnknownMonth(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.collect_str(self)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl Roster {
    /// Whether it is night where a person is.
    #[must_use]
    pub fn is_night(&self, person: &PersonId, at: Timestamp) -> bool {
        NIGHT.covers(self.zone(person), at)
    }

    /// How long each person of the configuration was on call in a month of their zone, up to `now`.
    /// Time in which they were on call in several rotations counts once.
    #[must_use]
    pub fn on_call_in(&self, month: Month, now: Timestamp) -> BTreeMap<PersonId, OnCallTime> {
        let (from, until) = month.window(Tz::UTC);
        let around = (from.minus_ms(ZONES_MS), until.plus_ms(ZONES_MS));
        let on_call = self.on_call_between(around);
        let time = |id: &PersonId| {
            let zone = self.zone(id);
            let (from, until) = month.window(zone);
            let mut time = OnCallTime::default();
            for (begin, end) in on_call.get(id).into_iter().flatten() {
                let span = (from.max(*begin), until.min(*end).min(now));
                time.total_ms += span.1.since(span.0);
                time.night_ms += covered_ms(&NIGHT, zone, span);
                time.weekend_ms += covered_ms(&WEEKEND, zone, span);
            }
            (id.clone(), time)
        };
        self.people.keys().map(time).collect()
    }

    /// When people are on call in any rotation between two times, in order and without overlaps.
    fn on_call_between(&self, (from, until): Window) -> BTreeMap<PersonId, Vec<Window>> {
        let mut all: BTreeMap<PersonId, Vec<Window>> = BTreeMap::new();
        for rotation in self.rotations.values() {
            for shift in rotation.schedule(from, until) {
                for person in shift.people {
                    let spans = all.entry(person).or_default();
                    spans.push((shift.from, shift.until));
                }
            }
        }
        all.into_iter()
            .map(|(person, spans)| (person, united(spans)))
            .collect()
    }
}

/// Spans in order; those that overlap or touch become one.
fn united(mut spans: Vec<Window>) -> Vec<Window> {
    spans.sort_unstable();
    let mut united: Vec<Window> = Vec::new();
    for (from, until) in spans {
        match united.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => united.push((from, until)),
        }
    }
    united
}

/// How much of a span certain hours cover, in milliseconds.
fn covered_ms(hours: &Restriction, zone: Tz, (from, until): Window) -> u64 {
    let next = |at: &Timestamp| hours.next_edge(zone, *at).filter(|edge| *edge < until);
    let edges = std::iter::successors(Some(from).filter(|it| *it < until), next);
    let parts = edges.take(EDGES_MAX).map(|at| {
        let end = next(&at).unwrap_or(until);
        if hours.covers(zone, at) {
            end.since(at)
        } else {
            0
        }
    });
    parts.sum()
}

fn hour(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default()
}
