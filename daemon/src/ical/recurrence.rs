//! Expands recurring events. Recurrences are computed in local time, so that a clock change moves
//! none of them.

use chrono::{DateTime, Datelike as _, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use icalendar::rrule::{RRule, RRuleSet, Tz, Unvalidated};
use tocsin_core::Timestamp;

use super::event::{Event, local};
use crate::people::Absence;
use crate::time::{first_instant, local_time};

/// Most recurrences of one event in the window.
const RECURRENCES_MAX: u16 = 400;
/// The first year in which a recurring event may begin, as each recurrence since then is computed.
const FIRST_YEAR: i32 = 1970;

impl Event {
    /// When the event happens in a window.
    pub(super) fn happens(&self, (from, until): (Timestamp, Timestamp)) -> Vec<Absence> {
        // A day more on both sides, as offsets change.
        let day = TimeDelta::days(1);
        let first = local_time(self.zone, from) - self.lasts.max(TimeDelta::zero()) - day;
        let last = local_time(self.zone, until) + day;
        let mut starts = match &self.rule {
            Some(rule) => self.recurrences(rule, (first, last)),
            None => vec![self.start],
        };
        starts.extend(self.more.iter().take(usize::from(RECURRENCES_MAX)));
        starts.retain(|start| !self.except.contains(&first_instant(self.zone, *start)));
        let spans = starts.into_iter().filter_map(|start| {
            let end = start.checked_add_signed(self.lasts)?;
            Some(Absence {
                from: first_instant(self.zone, start),
                until: first_instant(self.zone, end),
            })
        });
        let in_window = spans.filter(|it| it.from < until && from < it.until);
        in_window.collect()
    }

    /// A rule that cannot be read leaves the first.
    fn recurrences(
        &self,
        rule: &str,
        (first, last): (NaiveDateTime, NaiveDateTime),
    ) -> Vec<NaiveDateTime> {
        // In which zone an end is written depends on the start, so it is applied here.
        let is_until = |part: &&str| part.to_ascii_uppercase().starts_with("UNTIL=");
        let end = rule
            .split(';')
            .find(is_until)
            .and_then(|it| it.split_once('='));
        let end = end.and_then(|(_, text)| local(text, self.zone));
        let whole_day = TimeDelta::days(1) - TimeDelta::seconds(1);
        let end = end.map(|(end, is_date)| if is_date { end + whole_day } else { end });
        if !is_of_days(rule) || self.start.year() < FIRST_YEAR {
            return vec![self.start];
        }
        let rest: Vec<&str> = rule.split(';').filter(|it| !is_until(it)).collect();
        let utc = |at: NaiveDateTime| -> DateTime<Tz> { Tz::UTC.from_utc_datetime(&at) };
        let start = utc(self.start);
        let parsed = rest.join(";").parse::<RRule<Unvalidated>>();
        let Some(parsed) = parsed.ok().and_then(|it| it.validate(start).ok()) else {
            return vec![self.start];
        };
        let set = RRuleSet::new(start).rrule(parsed);
        let set = set.after(utc(first)).before(utc(last));
        let all = set.all(RECURRENCES_MAX).dates.into_iter();
        let all = all.map(|at| at.with_timezone(&Utc).naive_utc());
        all.filter(|at| end.is_none_or(|end| *at <= end)).collect()
    }
}

/// Whether a rule repeats an event daily or less often: nobody is out of office every second, and
/// computing that takes minutes.
fn is_of_days(rule: &str) -> bool {
    let mut parts = rule.split(';').filter_map(|part| part.split_once('='));
    let is_coarse = |(name, value): (&str, &str)| match name.to_ascii_uppercase().as_str() {
        "FREQ" => ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]
            .iter()
            .any(|it| value.eq_ignore_ascii_case(it)),
        "BYHOUR" | "BYMINUTE" | "BYSECOND" => false,
        _ => true,
    };
    parts.all(is_coarse)
}
