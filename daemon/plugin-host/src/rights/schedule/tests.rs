use super::*;
use chrono::TimeZone;

fn ms(text: &str) -> u64 {
    DateTime::parse_from_rfc3339(text)
        .unwrap()
        .timestamp_millis() as u64
}

fn next(expression: &str, timezone: &str, after: &str) -> String {
    let at = Schedule::parse(expression, timezone)
        .unwrap()
        .next_after(ms(after))
        .unwrap();
    Utc.timestamp_millis_opt(at as i64)
        .unwrap()
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[test]
fn five_fields_are_read_as_crontab_does() {
    // 2026-11-23 is a Monday.
    let cases = [
        (
            "*/15 * * * *",
            "2026-11-23T10:01:00Z",
            "2026-11-23T10:15:00Z",
        ),
        ("0 9 * * 1", "2026-11-23T10:00:00Z", "2026-11-30T09:00:00Z"),
        ("0 9 * * 0", "2026-11-23T10:00:00Z", "2026-11-29T09:00:00Z"),
        ("0 9 * * 7", "2026-11-23T10:00:00Z", "2026-11-29T09:00:00Z"),
        (
            "0 9 * * mon-fri",
            "2026-11-27T10:00:00Z",
            "2026-11-30T09:00:00Z",
        ),
        (
            "0 9 * * 5-7",
            "2026-11-28T10:00:00Z",
            "2026-11-29T09:00:00Z",
        ),
        (
            "0 9 * * fri-sun",
            "2026-11-28T10:00:00Z",
            "2026-11-29T09:00:00Z",
        ),
        (
            "0 9 * * */2",
            "2026-11-23T10:00:00Z",
            "2026-11-24T09:00:00Z",
        ),
        ("0 0 13 * 5", "2026-11-23T10:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 25 * 5", "2026-11-23T10:00:00Z", "2026-11-25T00:00:00Z"),
        ("30 4 1 1 *", "2026-11-23T10:00:00Z", "2027-01-01T04:30:00Z"),
    ];
    for (expression, after, want) in cases {
        assert_eq!(next(expression, "UTC", after), want, "{expression}");
    }
}

#[test]
fn six_fields_are_in_the_cron_crates_format() {
    assert_eq!(
        next("30 0 9 * * MON", "UTC", "2026-11-23T10:00:00Z"),
        "2026-11-30T09:00:30Z"
    );
}

#[test]
fn a_time_that_daylight_saving_skips_or_repeats_is_due_once() {
    // Berlin 2026: 29 March 02:00 → 03:00, 25 October 03:00 → 02:00.
    assert_eq!(
        next("0 9 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z"),
        "2026-03-29T07:00:00Z"
    );
    let schedule = Schedule::parse("30 2 * * *", "Europe/Berlin").unwrap();
    let mut at = ms("2026-10-24T12:00:00Z");
    let mut times = Vec::new();
    for _ in 0..3 {
        at = schedule.next_after(at).unwrap();
        times.push(at);
    }
    assert!(times.is_sorted() && times[2] > times[0], "{times:?}");
}

#[test]
fn faults_name_what_is_wrong() {
    let cases = [
        ("* * * *", "UTC", "it has 4 fields"),
        ("0 9 * * 8", "UTC", "`8` is not a weekday"),
        ("0 9 * * 5-1", "UTC", "run backwards"),
        ("0 9 * * 1/0", "UTC", "step"),
        ("61 * * * *", "UTC", "61 * * * *"),
        ("* * * * *", "Mars/Base", "not a time zone"),
    ];
    for (expression, timezone, want) in cases {
        let error = Schedule::parse(expression, timezone)
            .unwrap_err()
            .to_string();
        assert!(error.contains(want), "{expression} {timezone}: {error}");
    }
}

#[test]
fn an_expression_that_is_never_due_has_no_next_time() {
    assert_eq!(
        Schedule::parse("0 0 30 2 *", "UTC").unwrap().next_after(0),
        None
    );
}

/// Compares with croner, an independent implementation, over fields from a fixed sequence.
#[test]
fn due_times_agree_with_another_implementation() {
    let minutes = ["*", "0", "*/7", "5,35", "10-20/3"];
    let hours = ["*", "0", "9-17", "*/5", "23"];
    let days = ["*", "1", "15", "1-7", "31"];
    let months = ["*", "1", "2-4", "12"];
    let weekdays = [
        "*", "0", "1", "7", "1-5", "0,6", "5-7", "MON", "TUE-THU", "1-6/2",
    ];
    let mut seed: usize = 7;
    let mut draw = |from: &[&'static str]| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        from[(seed >> 33) % from.len()]
    };
    for _ in 0..400 {
        let expression = format!(
            "{} {} {} {} {}",
            draw(&minutes),
            draw(&hours),
            draw(&days),
            draw(&months),
            draw(&weekdays)
        );
        let theirs = croner::Cron::from_str(&expression).unwrap();
        let ours = Schedule::parse(&expression, "UTC").unwrap();
        let mut at = Utc.with_ymd_and_hms(2026, 11, 23, 10, 0, 0).unwrap();
        for step in 0..5 {
            let want = theirs.find_next_occurrence(&at, false).unwrap();
            let got = ours.next_after(at.timestamp_millis() as u64).unwrap();
            assert_eq!(
                got as i64,
                want.timestamp_millis(),
                "`{expression}`, step {step}, {want}"
            );
            at = want;
        }
    }
}
