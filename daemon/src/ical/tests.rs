//! Calendars of people, as their programs write them, and exported shifts.

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use tocsin_core::Timestamp;

use super::event::duration;
use super::*;

fn utc(text: &str) -> Timestamp {
    let at = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    Timestamp(at.and_utc().timestamp_millis())
}

fn calendar(events: &[&str]) -> String {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n".to_owned();
    for (number, event) in events.iter().enumerate() {
        let event = event.trim().lines().map(str::trim).collect::<Vec<_>>();
        let uid = match event.iter().any(|it| it.starts_with("UID:")) {
            true => String::new(),
            false => format!("UID:{number}\r\n"),
        };
        let event = event.join("\r\n");
        text.push_str(&format!("BEGIN:VEVENT\r\n{uid}{event}\r\nEND:VEVENT\r\n"));
    }
    text + "END:VCALENDAR\r\n"
}

/// When somebody in Berlin is out of office in June and July of 2026, in UTC.
fn away(events: &[&str]) -> Vec<(Timestamp, Timestamp)> {
    let words = WORDS_USUAL.map(str::to_owned);
    let window = (utc("2026-06-01 00:00"), utc("2026-08-01 00:00"));
    let text = calendar(events);
    let away = out_of_office(&text, Tz::Europe__Berlin, &words, window).unwrap();
    away.iter().map(|it| (it.from, it.until)).collect()
}

#[test]
fn only_whole_days_and_what_is_marked_as_out_of_office_count() {
    let timed =
        "DTSTART;TZID=Europe/Berlin:20260603T100000\nDTEND;TZID=Europe/Berlin:20260603T110000";
    let whole = "DTSTART;VALUE=DATE:20260603\nDTEND;VALUE=DATE:20260605";
    let hour = (utc("2026-06-03 08:00"), utc("2026-06-03 09:00"));
    let days = (utc("2026-06-02 22:00"), utc("2026-06-04 22:00"));
    for (times, rest, expected) in [
        (timed, "SUMMARY:Stand-up", None),
        (timed, "SUMMARY:Cryptography and cleavers", None),
        (
            timed,
            "SUMMARY:At the dentist\nX-MICROSOFT-CDO-BUSYSTATUS:OOF",
            Some(hour),
        ),
        (timed, "SUMMARY:PTO (half day)", Some(hour)),
        (timed, "SUMMARY:Ada: Out of Office", Some(hour)),
        (
            timed,
            "SUMMARY:Stand-up\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY",
            None,
        ),
        (whole, "SUMMARY:Lisbon", Some(days)),
        (whole, "SUMMARY:Birthday of bob\nTRANSP:TRANSPARENT", None),
        (
            whole,
            "SUMMARY:Release\nX-MICROSOFT-CDO-BUSYSTATUS:FREE",
            None,
        ),
        (
            whole,
            "SUMMARY:From home\nX-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE",
            None,
        ),
        // Google marks whole days as free unless it is told otherwise.
        (whole, "SUMMARY:Vacation\nTRANSP:TRANSPARENT", Some(days)),
        (whole, "SUMMARY:Vacation\nSTATUS:CANCELLED", None),
    ] {
        let event = format!("{times}\n{rest}");
        assert_eq!(
            away(&[&event]),
            expected.into_iter().collect::<Vec<_>>(),
            "{event}"
        );
    }
}

#[test]
fn times_are_read_in_their_zone_and_lengths_of_every_kind() {
    for (event, from, until) in [
        (
            "DTSTART:20260603T100000Z\nDURATION:PT2H30M",
            "2026-06-03 10:00",
            "2026-06-03 12:30",
        ),
        (
            "DTSTART:20260603T100000\nDTEND:20260603T120000",
            "2026-06-03 08:00",
            "2026-06-03 10:00",
        ),
        (
            "DTSTART;TZID=America/New_York:20260603T100000\n\
             DTEND;TZID=Europe/Berlin:20260603T200000",
            "2026-06-03 14:00",
            "2026-06-03 18:00",
        ),
        // A name of Microsoft's: the person's own zone is the best guess.
        (
            "DTSTART;TZID=W. Europe Standard Time:20260603T100000\nDURATION:PT1H",
            "2026-06-03 08:00",
            "2026-06-03 09:00",
        ),
        // Some programs write the last day, and not the day after.
        (
            "DTSTART;VALUE=DATE:20260603\nDTEND;VALUE=DATE:20260603",
            "2026-06-02 22:00",
            "2026-06-03 22:00",
        ),
        (
            "DTSTART;VALUE=DATE:20260603",
            "2026-06-02 22:00",
            "2026-06-03 22:00",
        ),
    ] {
        let event = format!("{event}\nSUMMARY:Sick");
        assert_eq!(away(&[&event]), [(utc(from), utc(until))], "{event}");
    }
    for (text, minutes) in [("P1W", 10_080), ("P1DT1H", 1_500), ("PT90S", 1)] {
        assert_eq!(duration(text).unwrap().num_minutes(), minutes, "{text}");
    }
    for text in ["", "1D", "P1H", "PT1D", "P1", "PT99999999999999999H"] {
        assert!(duration(text).is_none(), "{text}");
    }
}

#[test]
fn recurring_events_are_expanded_with_their_exceptions() {
    // Every Friday since long ago, in local time across a clock change.
    let fridays = "UID:f\nSUMMARY:Day off\nDTSTART;TZID=Europe/Berlin:20200103T080000\n\
                   DTEND;TZID=Europe/Berlin:20200103T180000\nRRULE:FREQ=WEEKLY;BYDAY=FR";
    let all = away(&[fridays]);
    assert_eq!(all.len(), 9, "{all:?}");
    assert_eq!(all[0], (utc("2026-06-05 06:00"), utc("2026-06-05 16:00")));
    let except = format!("{fridays}\nEXDATE;TZID=Europe/Berlin:20260605T080000,20260612T080000");
    assert_eq!(away(&[&except]).len(), 7);
    let ended = fridays.replace("BYDAY=FR", "BYDAY=FR;UNTIL=20260612T060000Z");
    assert_eq!(away(&[&ended]).len(), 2);
    let counted = fridays.replace("BYDAY=FR", "BYDAY=FR;COUNT=3");
    assert_eq!(away(&[&counted]), []);
    // One is moved to Thursday, and one is canceled.
    let moved = "UID:f\nSUMMARY:Day off\nRECURRENCE-ID;TZID=Europe/Berlin:20260605T080000\n\
                 DTSTART;TZID=Europe/Berlin:20260604T080000\n\
                 DTEND;TZID=Europe/Berlin:20260604T180000";
    let gone = "UID:f\nSUMMARY:Day off\nRECURRENCE-ID;TZID=Europe/Berlin:20260612T080000\n\
                DTSTART;TZID=Europe/Berlin:20260612T080000\nSTATUS:CANCELLED";
    let all = away(&[fridays, moved, gone]);
    assert_eq!(all.len(), 8, "{all:?}");
    assert_eq!(all[0].0, utc("2026-06-04 06:00"));
    assert_eq!(all[1].0, utc("2026-06-19 06:00"));
    // The exception and what replaces a recurrence name other zones than the event.
    let except = format!("{fridays}\nEXDATE:20260605T060000Z\nEXDATE;TZID=UTC:20260612T060000");
    assert_eq!(away(&[&except]).len(), 7);
    let moved = moved
        .replace(";TZID=Europe/Berlin:20260605T080000", ":20260605T060000Z")
        .replace(
            "DTSTART;TZID=Europe/Berlin:20260604T08",
            "DTSTART;TZID=America/New_York:20260604T02",
        );
    let all = away(&[fridays, &moved]);
    assert_eq!(all.len(), 9, "{all:?}");
    assert_eq!(all[0], (utc("2026-06-04 06:00"), utc("2026-06-04 16:00")));
    // The last day is the last day.
    let days = "SUMMARY:Lisbon\nDTSTART;VALUE=DATE:20260608\nRRULE:FREQ=DAILY;UNTIL=20260612";
    assert_eq!(
        away(&[days]),
        [(utc("2026-06-07 22:00"), utc("2026-06-12 22:00"))]
    );
    let yearly = "SUMMARY:Holiday\nDTSTART;VALUE=DATE:20100706\nRRULE:FREQ=YEARLY";
    assert_eq!(
        away(&[yearly]),
        [(utc("2026-07-05 22:00"), utc("2026-07-06 22:00"))]
    );
}

#[test]
fn what_is_no_calendar_or_hostile_is_refused_without_showing_it() {
    let window = (utc("2026-06-01 00:00"), utc("2026-08-01 00:00"));
    let read = |text: &str| out_of_office(text, Tz::UTC, &[], window);
    let deep = "BEGIN:A\n".repeat(100_000);
    for (text, fault) in [
        ("", CalendarFault::NoCalendar),
        ("<html>secret</html>", CalendarFault::NoCalendar),
        ("BEGIN:VEVENT\nEND:VEVENT\n", CalendarFault::NoCalendar),
        (deep.as_str(), CalendarFault::TooDeep),
    ] {
        assert_eq!(read(text).unwrap_err(), fault);
    }
    let large = " ".repeat(CALENDAR_BYTES_MAX + 1);
    assert_eq!(read(&large).unwrap_err(), CalendarFault::TooLarge);
    // Every second since 1970, and more than fits.
    let every = calendar(&["DTSTART:19700101T000000Z\nRRULE:FREQ=SECONDLY\nSUMMARY:sick"]);
    let words = ["sick".to_owned()];
    let found = out_of_office(&every, Tz::UTC, &words, window).unwrap();
    assert!(found.iter().count() <= crate::people::ABSENCES_MAX);
    // An old calendar: what matters may stand at the end.
    let old = "DTSTART:20010101T100000Z\nSUMMARY:Stand-up";
    let mut many = vec![old; 30_000];
    many.push("DTSTART;VALUE=DATE:20260603\nSUMMARY:Lisbon");
    assert_eq!(away(&many).len(), 1);
    let rules = vec!["DTSTART:20010101T100000Z\nRRULE:FREQ=YEARLY\nSUMMARY:sick"; 1_001];
    let found = out_of_office(&calendar(&rules), Tz::UTC, &words, window);
    assert_eq!(found.unwrap_err(), CalendarFault::TooManyRules);
    // Longer than time.
    let long = "DTSTART:20260101T100000Z\nDURATION:P99999999D\nSUMMARY:sick";
    assert_eq!(away(&[long]).len(), 1);
    for odd in [
        "SUMMARY:no start",
        "DTSTART:20010101T000000Z\nRRULE:FREQ=HOURLY\nSUMMARY:sick",
        "DTSTART:99999999\nSUMMARY:sick",
        "DTSTART:20260603T100000Z\nDTEND:20260602T100000Z\nSUMMARY:sick",
        "DTSTART:20260603T100000Z\nDURATION:P99999999999W\nSUMMARY:sick",
    ] {
        assert!(away(&[odd]).is_empty(), "{odd}");
    }
}

#[test]
fn an_exported_shift_is_an_event_whose_uid_stays() {
    let shift = |name: &str, from: &str| ExportedShift {
        rotation: "payments, EU".to_owned(),
        name: name.to_owned(),
        began: Some(utc("2026-06-01 09:00")),
        from: utc(from),
        until: utc("2026-06-08 09:00"),
    };
    let uid = |text: &str| {
        let line = text.lines().find(|it| it.starts_with("UID:"));
        line.unwrap().to_owned()
    };
    let first = export(
        "On call",
        &[shift("Ada", "2026-06-01 09:00")],
        utc("2026-06-02 00:00"),
    );
    let later = export(
        "On call",
        &[shift("Bob", "2026-06-03 10:00")],
        utc("2026-06-03 10:00"),
    );
    assert_eq!(uid(&first), uid(&later));
    for line in [
        "BEGIN:VCALENDAR",
        "DTSTART:20260601T090000Z",
        "DTEND:20260608T090000Z",
        "DTSTAMP:20260602T000000Z",
        "SUMMARY:On call: Ada (payments\\, EU)",
        "TRANSP:TRANSPARENT",
    ] {
        assert!(first.split("\r\n").any(|it| it == line), "{line}: {first}");
    }
    let words = ["on call".to_owned()];
    let window = (utc("2026-05-01 00:00"), utc("2026-07-01 00:00"));
    let read = out_of_office(&first, Tz::UTC, &words, window).unwrap();
    assert_eq!(read.iter().count(), 1, "what is exported can be read");
}
