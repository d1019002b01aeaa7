//! iCalendar: who is on call when, for calendar programs; and when people are out of office, by
//! their own calendars. Pure functions.

mod event;
mod export;
mod recurrence;
mod unavailable;

pub(crate) use export::{ExportedShift, export};
pub use unavailable::{CALENDAR_BYTES_MAX, CalendarFault, WORDS_USUAL, out_of_office};

#[cfg(test)]
mod tests;
