//! Twilio's dates: RFC 2822, in UTC.

use tocsin_plugin_sdk::types::Timestamp;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads a date such as `Fri, 02 Jan 2026 12:00:00 +0000`.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let mut words = text.split(&[' ', ','][..]).filter(|it| !it.is_empty());
    let (_weekday, day, month) = (words.next()?, words.next()?, words.next()?);
    let (year, time) = (words.next()?, words.next()?);
    let day: u64 = day.parse().ok().filter(|it| (1..=31).contains(it))?;
    let month = MONTHS.iter().position(|it| *it == month)? as u64 + 1;
    let year: u64 = year.parse().ok().filter(|it| (1970..10_000).contains(it))?;
    let mut time = time.split(':').map(|it| it.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(seconds * 1_000)
}

/// In the Gregorian calendar; a year that begins in March ends with its leap day.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_rfc_2822_are_read() {
        let cases = [
            ("Thu, 01 Jan 1970 00:00:00 +0000", Some(0)),
            ("Fri, 02 Jan 2026 12:00:00 +0000", Some(1_767_355_200_000)),
            ("Thu, 29 Feb 2024 23:59:59 +0000", Some(1_709_251_199_000)),
            ("Fri, 01 Mar 2024 00:00:00 +0000", Some(1_709_251_200_000)),
            ("2026-01-02T12:00:00Z", None),
            ("Fri, 02 Foo 2026 12:00:00 +0000", None),
            ("Fri, 00 Jan 2026 12:00:00 +0000", None),
            ("", None),
        ];
        for (text, want) in cases {
            assert_eq!(parse(text), want, "{text}");
        }
    }
}
