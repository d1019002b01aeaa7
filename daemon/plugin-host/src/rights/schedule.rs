//! Cron schedules of plugins.
//!
//! The `cron` crate expects six or seven fields, numbers weekdays from 1 = Sunday and combines day
//! of month and day of week with *and*. POSIX crontab(5), which people know, has five fields,
//! weekdays 0-7 with 0 and 7 = Sunday, and combines the two days with *or*. Parsed naively,
//! "0 9 * * 1" fires on Sundays, a common bug. So five-field expressions are rewritten here, and a
//! test compares them with another implementation.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::str::FromStr;

/// Longest cron expression, in bytes.
const CRON_BYTES_MAX: usize = 256;

/// Why a schedule is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("`{expression}` is not a cron expression: {reason}")]
    Cron {
        /// As it was written.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
    #[error("`{0}` is not a time zone; use an IANA name such as `Europe/Berlin` or `UTC`")]
    Timezone(String),
}

/// A parsed schedule.
#[derive(Debug, Clone)]
pub struct Schedule {
    expression: String,
    timezone: Tz,
    /// Due at the earliest of these; two if POSIX combines the days with *or*.
    any_of: Vec<cron::Schedule>,
}

impl Schedule {
    /// Parses five POSIX fields, or six or seven in the `cron` crate's format (seconds first,
    /// weekdays by name or 1 = Sunday).
    ///
    /// # Errors
    /// When the expression or the time zone is invalid.
    pub fn parse(expression: &str, timezone: &str) -> Result<Self, ScheduleError> {
        let fault = |reason: String| ScheduleError::Cron {
            expression: expression.into(),
            reason,
        };
        if expression.len() > CRON_BYTES_MAX {
            return Err(fault(format!("it is longer than {CRON_BYTES_MAX} bytes")));
        }
        let timezone =
            Tz::from_str(timezone).map_err(|_| ScheduleError::Timezone(timezone.into()))?;
        let any_of = rewrite(expression)
            .map_err(fault)?
            .iter()
            .map(|text| cron::Schedule::from_str(text).map_err(|error| fault(error.to_string())))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            expression: expression.into(),
            timezone,
            any_of,
        })
    }

    /// The first due time after `after_ms`, both in milliseconds since the Unix epoch. None if the
    /// schedule is never due again.
    pub fn next_after(&self, after_ms: u64) -> Option<u64> {
        let after: DateTime<Utc> = DateTime::from_timestamp_millis(i64::try_from(after_ms).ok()?)?;
        let local = after.with_timezone(&self.timezone);
        let next = self
            .any_of
            .iter()
            .filter_map(|one| one.after(&local).next())
            .min()?;
        u64::try_from(next.timestamp_millis()).ok()
    }

    /// The expression as it was written.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The IANA name of the time zone.
    pub fn timezone(&self) -> &'static str {
        self.timezone.name()
    }
}

/// An expression in the `cron` crate's format; two if POSIX combines both day fields with *or*.
fn rewrite(expression: &str) -> Result<Vec<String>, String> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        return match fields.len() {
            6 | 7 => Ok(vec![fields.join(" ")]),
            n => Err(format!(
                "it has {n} fields; write five: minute hour day month weekday"
            )),
        };
    };
    let names = weekday_names(weekday)?;
    let line = |day: &str, weekday: &str| format!("0 {minute} {hour} {day} {month} {weekday}");
    // crontab(5): a field is restricted unless it starts with `*`.
    if day.starts_with('*') || weekday.starts_with('*') {
        return Ok(vec![line(day, &names)]);
    }
    Ok(vec![line(day, "*"), line("*", &names)])
}

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Converts POSIX weekdays (numbers 0-7, names, ranges, steps, lists) to a list of names.
fn weekday_names(field: &str) -> Result<String, String> {
    if field == "*" || field == "?" {
        return Ok("*".into());
    }
    let mut chosen = [false; 7];
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, number(step).filter(|step| *step > 0)),
            None => (part, Some(1)),
        };
        let step = step.ok_or_else(|| format!("`{part}` has a step that is not a number"))?;
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (weekday(first)?, weekday_last(last)?),
            None if range == "*" => (0, 6),
            None if part.contains('/') => (weekday(range)?, 6),
            None => (weekday(range)?, weekday(range)?),
        };
        if first > last {
            return Err(format!("the weekdays `{range}` run backwards"));
        }
        for day in (first..=last).step_by(step) {
            chosen[day % 7] = true;
        }
    }
    let names: Vec<_> = WEEKDAYS
        .iter()
        .zip(chosen)
        .filter(|(_, on)| *on)
        .map(|(name, _)| *name)
        .collect();
    Ok(names.join(","))
}

fn weekday(text: &str) -> Result<usize, String> {
    let upper = text.to_ascii_uppercase();
    let by_name = WEEKDAYS
        .iter()
        .position(|name| upper.starts_with(name) && upper.len() == 3);
    by_name
        .or_else(|| number(text).filter(|day| *day <= 7))
        .ok_or_else(|| format!("`{text}` is not a weekday; use 0-7 or SUN-SAT"))
}

/// The end of a range: `FRI-SUN` means up to the following Sunday.
fn weekday_last(text: &str) -> Result<usize, String> {
    Ok(if text.eq_ignore_ascii_case("sun") {
        7
    } else {
        weekday(text)?
    })
}

fn number(text: &str) -> Option<usize> {
    text.parse().ok()
}

#[cfg(test)]
mod tests;
