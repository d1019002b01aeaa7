//! How long people were on call in a month, and what they had to do in it.

use serde::{Deserialize, Serialize};
use tocsin_core::time::HOUR_MS;
use tocsin_core::{PersonId, Timestamp};
use utoipa::{IntoParams, ToSchema};

use crate::people::{Load, Month, OVERRIDE_KEPT_MS, OnCallTime, Roster};

/// The first line of the text.
const COLUMNS: &str = "person,name,hours,night_hours,weekend_hours,pages,night_pages,incidents,\
                       operator_minutes,spokesperson_minutes";

/// Which month to show.
#[derive(Debug, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoursQuery {
    /// Such as 2026-11: one that has begun, at most 400 days ago.
    #[schema(value_type = String)]
    #[param(value_type = String)]
    pub(crate) month: Month,
    /// A token, for programs that cannot send headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
}

/// How long people were on call in a month, and what they had to do in it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct HoursReport {
    #[schema(value_type = String)]
    pub(crate) month: Month,
    /// Everybody in the configuration, by ID.
    pub(crate) people: Vec<HoursLine>,
}

/// A person's month, from its beginning on their clock until its end or now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct HoursLine {
    pub(crate) person: String,
    pub(crate) name: String,
    /// On call, in any rotation; rounded to two digits, as are those below.
    pub(crate) hours: f64,
    /// From 22:00 to 06:00 on their clock.
    pub(crate) night_hours: f64,
    /// On Saturdays and Sundays; those at night are in both.
    pub(crate) weekend_hours: f64,
    /// How often they were paged; what went out together counts once.
    pub(crate) pages: u64,
    pub(crate) night_pages: u64,
    /// In which they had a role.
    pub(crate) incidents: u64,
    pub(crate) operator_minutes: u64,
    pub(crate) spokesperson_minutes: u64,
}

impl HoursQuery {
    /// The month.
    ///
    /// # Errors
    /// When it has not begun, or not all of it is kept any more.
    pub(crate) fn checked(&self, now: Timestamp) -> Result<Month, String> {
        let (month, (from, _)) = (self.month, self.month.window(chrono_tz::UTC));
        if now < from {
            return Err(format!("{month} has not begun; choose an earlier month"));
        }
        if from < now.minus_ms(OVERRIDE_KEPT_MS) {
            return Err(format!(
                "{month} began more than 400 days ago, which is longer than is kept; choose a \
                 later month"
            ));
        }
        Ok(month)
    }
}

impl HoursLine {
    pub(crate) fn of(roster: &Roster, person: &PersonId, time: OnCallTime, load: Load) -> Self {
        Self {
            person: person.to_string(),
            name: roster.name(person),
            hours: hours(time.total_ms),
            night_hours: hours(time.night_ms),
            weekend_hours: hours(time.weekend_ms),
            pages: load.pages,
            night_pages: load.night_pages,
            incidents: load.incidents,
            operator_minutes: load.operator_minutes(),
            spokesperson_minutes: load.spokesperson_minutes(),
        }
    }
}

impl HoursReport {
    /// As comma-separated values with a header, as RFC 4180 has them.
    pub(crate) fn csv(&self) -> String {
        let mut csv = format!("{COLUMNS}\r\n");
        for line in &self.people {
            let texts = [&line.person, &line.name].map(|it| field(it));
            let hours = [line.hours, line.night_hours, line.weekend_hours];
            let hours = hours.map(|it| format!("{it:.2}"));
            let counts = [
                line.pages,
                line.night_pages,
                line.incidents,
                line.operator_minutes,
                line.spokesperson_minutes,
            ];
            let counts = counts.map(|it| it.to_string());
            let fields: Vec<String> = texts.into_iter().chain(hours).chain(counts).collect();
            csv.push_str(&format!("{}\r\n", fields.join(",")));
        }
        csv
    }
}

/// In quotes if the text has a character that has a meaning there.
fn field(text: &str) -> String {
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// Hours are at most a month's, which a float tells apart.
#[allow(clippy::cast_precision_loss)]
fn hours(ms: u64) -> f64 {
    (ms as f64 / HOUR_MS as f64 * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use tocsin_core::time::MINUTE_MS;

    use super::*;

    #[test]
    fn the_text_has_a_header_and_quotes_names_that_need_it() {
        let line = |person: &str, name: &str, ms| {
            let time = OnCallTime {
                total_ms: ms,
                night_ms: ms / 2,
                weekend_ms: 0,
            };
            let load = Load {
                incidents: 4,
                pages: 3,
                night_pages: 1,
                operator_ms: 90 * MINUTE_MS,
                spokesperson_ms: 0,
            };
            HoursLine {
                name: name.to_owned(),
                ..HoursLine::of(&Roster::default(), &person.into(), time, load)
            }
        };
        let report = HoursReport {
            month: "2026-11".parse().unwrap(),
            people: vec![
                line("ada", "Ada", 40 * HOUR_MS),
                line("bob", "Builder, \"Bob\"", 20 * MINUTE_MS),
            ],
        };
        assert_eq!(
            report.csv(),
            "person,name,hours,night_hours,weekend_hours,pages,night_pages,incidents,\
             operator_minutes,spokesperson_minutes\r\n\
             ada,Ada,40.00,20.00,0.00,3,1,4,90,0\r\n\
             bob,\"Builder, \"\"Bob\"\"\",0.33,0.17,0.00,3,1,4,90,0\r\n"
        );
    }

    #[test]
    fn only_months_of_which_something_is_known_can_be_asked_for() {
        let now = crate::time::parse_time("2026-12-05T12:00:00Z");
        let checked = |month: &str| {
            let month = month.parse().unwrap();
            HoursQuery { month, key: None }.checked(now.flatten().unwrap())
        };
        for month in ["2026-12", "2026-11", "2025-11"] {
            assert!(checked(month).is_ok(), "{month}");
        }
        let ahead = checked("2027-01").unwrap_err();
        assert_eq!(ahead, "2027-01 has not begun; choose an earlier month");
        let old = checked("2025-10").unwrap_err();
        assert!(old.contains("more than 400 days ago"), "{old}");
    }
}
