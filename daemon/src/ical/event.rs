//! The parts of an event that matter here, in its local time.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use icalendar::parser::{Component, Property};
use tocsin_core::Timestamp;

use crate::time::{first_instant, local_time};

/// Longest event: dates have an end, and computing beyond it fails.
const LASTS_MAX: TimeDelta = TimeDelta::days(366 * 100);

/// An event with its local times.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) uid: String,
    pub(super) summary: String,
    /// Whether it is of whole days.
    pub(super) is_all_day: bool,
    /// Where its local times are.
    pub(super) zone: Tz,
    pub(super) start: NaiveDateTime,
    pub(super) lasts: TimeDelta,
    /// Its rule of recurrence.
    pub(super) rule: Option<String>,
    /// Recurrences that do not happen.
    pub(super) except: Vec<Timestamp>,
    /// More recurrences.
    pub(super) more: Vec<NaiveDateTime>,
    /// The recurrence that this event replaces.
    pub(super) replaces: Option<Timestamp>,
    pub(super) is_canceled: bool,
    /// Whether the person is free all the same.
    pub(super) is_free: bool,
    /// Whether it is marked as out of office.
    pub(super) is_out_of_office: bool,
}

impl Event {
    /// Reads an event; `None` if it has no valid start. `zone` is of times that name none.
    pub(super) fn read(event: &Component<'_>, zone: Tz) -> Option<Self> {
        let text = |name: &str| event.find_prop(name).map(|it| it.val.as_str().to_owned());
        let is = |name: &str, value: &str| {
            text(name).is_some_and(|it| it.trim().eq_ignore_ascii_case(value))
        };
        let begins = event.find_prop("DTSTART")?;
        let zone = zone_of(begins).unwrap_or(zone);
        let (start, is_all_day) = local(begins.val.as_str(), zone)?;
        // Each time may name a zone of its own, or be in UTC.
        let instant = |property: &Property<'_>, text: &str| {
            let own = zone_of(property).unwrap_or(zone);
            Some(first_instant(own, local(text, own)?.0))
        };
        let all = |name: &'static str| {
            let named = event.properties.iter();
            let named = named.filter(move |it| it.name.as_str() == name);
            named.flat_map(move |it| {
                let values = it.val.as_str().split(',');
                values.filter_map(move |text| instant(it, text))
            })
        };
        let end = event.find_prop("DTEND").and_then(|it| {
            let text = it.val.as_str();
            match zone_of(it) {
                Some(own) if own != zone => Some(local_time(zone, instant(it, text)?)),
                _ => Some(local(text, zone)?.0),
            }
        });
        let lasts = end
            .map(|end| end - start)
            .or_else(|| duration(&text("DURATION")?));
        let usual = TimeDelta::days(i64::from(is_all_day));
        // Some programs write a day that ends on itself.
        let lasts = lasts.filter(|it| !is_all_day || *it > TimeDelta::zero());
        let busy = text("X-MICROSOFT-CDO-BUSYSTATUS").unwrap_or_default();
        let busy = busy.trim().to_ascii_uppercase();
        Some(Self {
            uid: text("UID").unwrap_or_default(),
            summary: text("SUMMARY").unwrap_or_default(),
            is_all_day,
            zone,
            start,
            lasts: lasts.unwrap_or(usual).min(LASTS_MAX),
            rule: text("RRULE"),
            except: all("EXDATE").collect(),
            more: all("RDATE").map(|at| local_time(zone, at)).collect(),
            replaces: all("RECURRENCE-ID").next(),
            is_canceled: is("STATUS", "CANCELLED"),
            is_free: is("TRANSP", "TRANSPARENT")
                || matches!(busy.as_str(), "FREE" | "TENTATIVE" | "WORKINGELSEWHERE"),
            is_out_of_office: busy == "OOF",
        })
    }
}

/// The time zone that a time names. Names that are not of the IANA are not known.
fn zone_of(property: &Property<'_>) -> Option<Tz> {
    if property.val.as_str().ends_with('Z') {
        return None;
    }
    let named = property
        .params
        .iter()
        .find(|it| it.key.as_str() == "TZID")?;
    let name = named.val.as_ref()?.as_str();
    name.trim_matches('"').parse().ok()
}

/// A date, a local time or an instant, as local time of `zone`; and whether it is a date.
pub(super) fn local(text: &str, zone: Tz) -> Option<(NaiveDateTime, bool)> {
    let text = text.trim();
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y%m%d") {
        return Some((date.and_time(NaiveTime::MIN), true));
    }
    let time = text.strip_suffix('Z');
    let naive = NaiveDateTime::parse_from_str(time.unwrap_or(text), "%Y%m%dT%H%M%S").ok()?;
    Some(match time {
        Some(_) => {
            let at: DateTime<chrono::Utc> = naive.and_utc();
            (local_time(zone, Timestamp(at.timestamp_millis())), false)
        }
        None => (naive, false),
    })
}

/// A duration of RFC 5545: `P1W`, `P2D`, `P1DT4H30M`, `PT15M`.
pub(super) fn duration(text: &str) -> Option<TimeDelta> {
    let mut rest = text.trim().strip_prefix('P')?;
    let (mut total, mut is_time) = (TimeDelta::zero(), false);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            (rest, is_time) = (time, true);
            continue;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: i64 = rest[..digits].parse().ok()?;
        let part = match (&rest[digits..=digits], is_time) {
            ("W", false) => TimeDelta::try_weeks(count)?,
            ("D", false) => TimeDelta::try_days(count)?,
            ("H", true) => TimeDelta::try_hours(count)?,
            ("M", true) => TimeDelta::try_minutes(count)?,
            ("S", true) => TimeDelta::try_seconds(count)?,
            _ => return None,
        };
        total = total.checked_add(&part)?;
        rest = &rest[digits + 1..];
    }
    Some(total)
}
