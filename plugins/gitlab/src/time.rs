//! Times as GitLab writes them, in three formats, and as it reads them.

use tocsin_plugin_sdk::types::Timestamp;

const DAY_MS: i64 = 24 * 3_600_000;
/// Days from the beginning of a year 0 that begins in March to 1970.
const DAYS_TO_1970: i64 = 719_468;
/// In 400 years.
const ERA_DAYS: i64 = 146_097;

/// Reads `2021-04-28 21:50:00 +0200`, `2016-08-12 15:23:28 UTC` or `2021-02-23T02:41:37.886Z`.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (date, rest) = text.split_once(['T', ' '])?;
    let mut date = date.split('-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let end = rest.find(|it: char| !it.is_ascii_digit() && it != ':');
    let (clock, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let mut clock = clock.split(':').map(number);
    let (hour, minute) = (clock.next()??, clock.next()??);
    let second = clock.next().unwrap_or(Some(0))?;
    let (millis, zone) = fraction(rest);
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !fits || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = (hour * 60 + minute - offset_min(zone.trim())?) * 60 + second;
    let at = days(year, month, day) * DAY_MS + seconds * 1000 + millis;
    u64::try_from(at).ok()
}

/// As RFC 3339, which is what GitLab and the engine read.
pub(crate) fn format(at: Timestamp) -> String {
    let (date, clock) = parts(at);
    format!("{date}T{clock}:{:02}Z", at / 1000 % 60)
}

/// For people: `2026-01-02 12:00 UTC`.
pub(crate) fn shown(at: Timestamp) -> String {
    let (date, clock) = parts(at);
    format!("{date} {clock} UTC")
}

fn number(text: &str) -> Option<i64> {
    let is_short = text.len() <= 4 && text.bytes().all(|it| it.is_ascii_digit());
    text.parse().ok().filter(|_| is_short)
}

/// Milliseconds, and what follows.
fn fraction(text: &str) -> (i64, &str) {
    let Some(rest) = text.strip_prefix('.') else {
        return (0, text);
    };
    let end = rest.find(|it: char| !it.is_ascii_digit());
    let (digits, zone) = rest.split_at(end.unwrap_or(rest.len()));
    let padded = format!("{digits:0<3}");
    let millis = padded.get(..3).and_then(|it| it.parse().ok());
    (millis.unwrap_or(0), zone)
}

/// East of UTC.
fn offset_min(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "UTC") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = zone[1..].replace(':', "");
    let (hours, minutes) = digits.split_at_checked(2)?;
    Some(sign * (number(hours)? * 60 + number(minutes)?))
}

/// Days since 1970 of a date in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // A year that begins in March ends with the leap day.
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let era = year.div_euclid(400);
    let year = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * ERA_DAYS + year * 365 + year / 4 - year / 100 + day_of_year - DAYS_TO_1970
}

/// Date, and hour with minute.
fn parts(at: Timestamp) -> (String, String) {
    let at = i64::try_from(at).unwrap_or(i64::MAX / 2);
    let since = at / DAY_MS + DAYS_TO_1970;
    let (era, day) = (since / ERA_DAYS, since % ERA_DAYS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, ends) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = year + era * 400 + ends;
    let minute = at / 60_000;
    let clock = format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
    (format!("{year:04}-{month:02}-{day:02}"), clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_formats_that_gitlab_sends_are_read() {
        let cases = [
            ("2021-04-28 21:50:00 +0200", "2021-04-28T19:50:00Z"),
            ("2016-08-12 15:23:28 UTC", "2016-08-12T15:23:28Z"),
            ("2017-09-15T16:50:55Z", "2017-09-15T16:50:55Z"),
            ("2021-02-23T02:41:37.886Z", "2021-02-23T02:41:37Z"),
            ("2012-01-03T23:36:29+02:00", "2012-01-03T21:36:29Z"),
            ("2020-10-31T14:58:32+11:00", "2020-10-31T03:58:32Z"),
            ("2024-02-29 23:59:59 -0030", "2024-03-01T00:29:59Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("2000-03-01T00:00:00Z", "2000-03-01T00:00:00Z"),
        ];
        for (text, want) in cases {
            assert_eq!(parse(text).map(format).as_deref(), Some(want), "{text}");
        }
        assert_eq!(parse("2021-02-23T02:41:37.886Z").unwrap() % 1000, 886);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let cases = [
            "",
            "now",
            "2021-04-28",
            "2021-13-01 00:00:00 UTC",
            "2021-04-28 25:00:00 UTC",
            "2021-04-28 21:50:00 CEST",
            "1969-12-31T23:59:59Z",
        ];
        for text in cases {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_is_the_same_after_it_was_written_and_read() {
        for day in 0..60_000 {
            let at = day * 86_400_000 + 3_723_000;
            assert_eq!(parse(&format(at)), Some(at));
        }
        assert_eq!(shown(1_767_355_200_000), "2026-01-02 12:00 UTC");
    }
}
