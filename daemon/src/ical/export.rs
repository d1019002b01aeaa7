//! Shifts as events. Each is concrete, not a rule of recurrence, so that no calendar program
//! computes a shift otherwise than the daemon does when clocks change.

use chrono::{DateTime, Utc};
use icalendar::{Calendar, Component as _, Event, EventLike as _, Property};
use tocsin_core::Timestamp;

/// How often calendar programs should read a subscribed calendar again, as RFC 7986 writes it.
const REFRESH: &str = "PT1H";

/// A shift of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExportedShift {
    pub(crate) rotation: String,
    /// The person's name.
    pub(crate) name: String,
    /// When it really began, which identifies it; `None` if it has no beginning.
    pub(crate) began: Option<Timestamp>,
    pub(crate) from: Timestamp,
    /// The end, exclusive.
    pub(crate) until: Timestamp,
}

/// The shifts as an iCalendar document. A shift keeps its UID however often it is exported, also
/// if another person takes it, so that calendar programs update it.
pub(crate) fn export(title: &str, shifts: &[ExportedShift], now: Timestamp) -> String {
    let mut calendar = Calendar::empty();
    calendar.append_property(Property::new("VERSION", "2.0"));
    calendar.append_property(Property::new("PRODID", "-//tocsin//on-call//EN"));
    calendar.append_property(Property::new("CALSCALE", "GREGORIAN"));
    calendar.append_property(Property::new("X-WR-CALNAME", title));
    calendar.append_property(Property::new("X-PUBLISHED-TTL", REFRESH));
    let mut refresh = Property::new("REFRESH-INTERVAL", REFRESH);
    calendar.append_property(refresh.add_parameter("VALUE", "DURATION").done());
    for shift in shifts {
        calendar.push(event(shift, now));
    }
    calendar.to_string()
}

fn event(shift: &ExportedShift, now: Timestamp) -> Event {
    let began = shift
        .began
        .map_or("always".to_owned(), |at| at.0.to_string());
    let uid = blake3::hash(format!("{}/{began}", shift.rotation).as_bytes());
    let uid = format!("{}@tocsin", &uid.to_hex()[..32]);
    Event::with_uid(&uid)
        .timestamp(utc(now))
        .starts(utc(shift.from))
        .ends(utc(shift.until))
        .summary(&format!("On call: {} ({})", shift.name, shift.rotation))
        // Being on call does not make anybody busy.
        .add_property("TRANSP", "TRANSPARENT")
        .done()
}

fn utc(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.0).unwrap_or_default()
}
