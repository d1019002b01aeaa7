//! Calendars that are read, kept, and cannot be read.

use std::path::Path;

use axum::Router;
use axum::routing::get;

use super::*;
use crate::rig::{NOW, Rig};
use crate::time::format_time;

/// A rotation of ada and bob, in which ada is on call, and the calendar of ada.
fn config(calendar: &str) -> String {
    format!(
        r#"
[people.ada]
name = "Ada"
calendar = {calendar}
[people.bob]
name = "Bob"
[rotations.primary]
timezone = "UTC"
layers = [{{ people = ["ada", "bob"], handover = "saturday 09:00", start = "2026-01-31" }}]
"#
    )
}

/// The day of [`NOW`].
const AWAY: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Secret clinic\r\n\
                    DTSTART;VALUE=DATE:20260131\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// Until when ada is out of office, as this daemon knows.
fn away(rig: &Rig) -> Option<Timestamp> {
    let roster = rig.app.on_call.roster();
    roster.absences.get(&PersonId::from("ada"))?.until(NOW)
}

#[tokio::test]
async fn what_a_calendar_said_is_kept_when_it_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ada.ics");
    std::fs::write(&file, AWAY).unwrap();
    let rig = Rig::new(&config("{ file = \"ada.ics\" }"), folder.path()).await;
    assert_eq!(away(&rig), None, "it has not been read yet");
    rig.app.calendars.read_due().await;
    let until = away(&rig).unwrap();
    assert_eq!(format_time(until), "2026-02-01T00:00:00.000Z");
    assert!(rig.app.calendars.faults().is_empty());
    std::fs::write(&file, "<html>Secret clinic").unwrap();
    rig.app.calendars.read_due().await;
    assert!(rig.app.calendars.faults().is_empty(), "it is not due");
    rig.clock.set(NOW.plus_ms(CALENDAR_EVERY_MS));
    rig.app.calendars.read_due().await;
    let faults = rig.app.calendars.faults();
    assert_eq!(faults[0].0.as_str(), "ada");
    assert!(
        faults[0].1.contains("not an iCalendar document"),
        "{faults:?}"
    );
    assert_eq!(away(&rig), Some(until));
    // A restart knows it, and another daemon on the store.
    let again = rig.another().await;
    assert_eq!(away(&again), Some(until));
    // What the calendar of another place said does not count.
    let other = config("{ file = \"other.ics\" }");
    let other = crate::config::parse(&other, "tocsin.toml", folder.path())
        .unwrap()
        .config;
    assert_eq!(away(&rig.again(other).await), None);
    // An event that is removed ends it.
    std::fs::write(&file, "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n").unwrap();
    rig.clock.set(NOW.plus_ms(2 * CALENDAR_EVERY_MS));
    rig.app.calendars.read_due().await;
    assert_eq!((away(&rig), away(&again)), (None, None));
}

#[tokio::test]
async fn a_calendar_of_the_web_is_fetched_and_its_address_is_not_shown() {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let routes = Router::new().route("/private-7f3a/ada.ics", get(|| async { AWAY }));
    let server = tokio::spawn(async move { axum::serve(listener, routes).await });
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("url");
    std::fs::write(
        &secret,
        format!("http://127.0.0.1:{port}/private-7f3a/ada.ics\n"),
    )
    .unwrap();
    let rig = Rig::new(&config("{ url = { file = \"url\" } }"), folder.path()).await;
    rig.app.calendars.read_due().await;
    assert!(away(&rig).is_some(), "{:?}", rig.app.calendars.faults());
    for wrong in [
        format!("http://127.0.0.1:{port}/private-7f3a/none.ics"),
        "http://127.0.0.1:1/private-7f3a".to_owned(),
        "private-7f3a".to_owned(),
    ] {
        std::fs::write(&secret, &wrong).unwrap();
        rig.clock
            .set(rig.app.clock.now().plus_ms(CALENDAR_EVERY_MS));
        rig.app.calendars.read_due().await;
        let faults = rig.app.calendars.faults();
        assert!(
            !faults[0].1.is_empty() && !faults[0].1.contains("7f3a"),
            "{faults:?}"
        );
    }
    server.abort();
}

#[tokio::test]
async fn a_calendar_that_says_the_same_is_not_written_again() {
    use tocsin_store::Store as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ada.ics"), AWAY).unwrap();
    let rig = Rig::new(&config("{ file = \"ada.ics\" }"), folder.path()).await;
    rig.app.calendars.read_due().await;
    let written = rig.store.feed_position().unwrap();
    rig.clock.set(NOW.plus_ms(CALENDAR_EVERY_MS));
    rig.app.calendars.read_due().await;
    assert_eq!(rig.store.feed_position().unwrap(), written);
    rig.clock.set(NOW.plus_ms(NOTED_EVERY_MS));
    rig.app.calendars.read_due().await;
    assert_ne!(rig.store.feed_position().unwrap(), written);
}

#[test]
fn a_calendar_has_one_place_of_the_web_or_a_file() {
    for (calendar, says) in [
        ("{ }", "needs one place"),
        (
            "{ url = \"https://a.example/a.ics\", file = \"a.ics\" }",
            "needs one place",
        ),
        (
            "{ url = \"ftp://a.example/a.ics\" }",
            "is not one of the web",
        ),
        (
            "{ url = { environment = \"X\" } }",
            "exactly one of `env` and `file`",
        ),
        ("{ path = \"a.ics\" }", "unknown key `path`"),
    ] {
        let refused = crate::config::parse(&config(calendar), "tocsin.toml", Path::new("/nowhere"));
        let why = refused.unwrap_err().to_string();
        assert!(why.contains(says), "{calendar}: {why}");
    }
}
