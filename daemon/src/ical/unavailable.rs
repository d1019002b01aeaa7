//! When a person is out of office, by their own calendar.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use icalendar::parser::{read_components, unfold};
use tocsin_core::Timestamp;

use super::event::Event;
use crate::people::{Absence, Absences};

/// Largest calendar, in bytes.
pub const CALENDAR_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most recurring events of a calendar that are out of office.
const RECURRING_MAX: usize = 1_000;
/// How deep components may be nested; an event's alarm is the third level.
const DEPTH_MAX: usize = 8;

/// The words that mark an event as out of office if `words` does not say otherwise.
pub const WORDS_USUAL: [&str; 9] = [
    "vacation",
    "out of office",
    "ooo",
    "pto",
    "sick",
    "holiday",
    "holidays",
    "leave",
    "day off",
];

/// Why a calendar cannot be read. Never shows what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarFault {
    #[error("it is not an iCalendar document; give the address of an .ics file")]
    NoCalendar,
    #[error("it is over {CALENDAR_BYTES_MAX} bytes; export a calendar with fewer events")]
    TooLarge,
    #[error(
        "over {RECURRING_MAX} of its events are out of office and recur; export a calendar with \
         fewer events"
    )]
    TooManyRules,
    #[error("its components are nested too deeply; export it again")]
    TooDeep,
}

/// When the person of a calendar is out of office in a window. Events count that are marked as
/// out of office or have one of `words` in their summary, and events of whole days, unless they
/// are marked as free. Meetings and canceled events do not.
///
/// `zone` is of times that name none.
///
/// # Errors
/// [`CalendarFault`] when the document cannot be read.
pub fn out_of_office(
    text: &str,
    zone: Tz,
    words: &[String],
    window: (Timestamp, Timestamp),
) -> Result<Absences, CalendarFault> {
    if text.len() > CALENDAR_BYTES_MAX {
        return Err(CalendarFault::TooLarge);
    }
    let text = unfold(text.trim_start_matches('\u{feff}').trim());
    check_depth(&text)?;
    let read = read_components(&text).map_err(|_| CalendarFault::NoCalendar)?;
    if !read.iter().any(|it| it.name.as_str() == "VCALENDAR") {
        return Err(CalendarFault::NoCalendar);
    }
    let components = read.iter().flat_map(|it| &it.components);
    let events = components.filter(|it| it.name.as_str() == "VEVENT");
    let events: Vec<Event> = events.filter_map(|it| Event::read(it, zone)).collect();
    // An event that replaces a recurrence is beside the recurring one.
    let mut replaced: BTreeMap<&str, Vec<Timestamp>> = BTreeMap::new();
    for event in &events {
        let own = event.replaces.into_iter();
        replaced.entry(&event.uid).or_default().extend(own);
    }
    let mut absences: Vec<Absence> = Vec::new();
    let mut recurring = 0;
    for event in events.iter().filter(|it| counts(it, words)) {
        let mut event = event.clone();
        if event.replaces.is_some() {
            event.rule = None;
        } else {
            let own = replaced.get(event.uid.as_str());
            event.except.extend(own.into_iter().flatten());
        }
        recurring += usize::from(event.rule.is_some());
        if recurring > RECURRING_MAX {
            return Err(CalendarFault::TooManyRules);
        }
        absences.extend(event.happens(window));
    }
    Ok(Absences::new(absences))
}

/// The parser calls itself for nested components.
fn check_depth(text: &str) -> Result<(), CalendarFault> {
    let mut depth = 0_usize;
    for line in text.lines() {
        let line = line.trim_start().as_bytes();
        let begins = |word: &[u8]| {
            let start = line.get(..word.len());
            start.is_some_and(|it| it.eq_ignore_ascii_case(word))
        };
        if begins(b"BEGIN:") {
            depth += 1;
        } else if begins(b"END:") {
            depth = depth.saturating_sub(1);
        }
        if depth > DEPTH_MAX {
            return Err(CalendarFault::TooDeep);
        }
    }
    Ok(())
}

fn counts(event: &Event, words: &[String]) -> bool {
    let is_marked = event.is_out_of_office || has_word(&event.summary, words);
    !event.is_canceled && (is_marked || event.is_all_day && !event.is_free)
}

/// Whether one of `words` is in a text as whole words: `PTO` is not in `cryptography`.
fn has_word(text: &str, words: &[String]) -> bool {
    let plain = |text: &str| -> String {
        let letters = text.to_lowercase();
        let letters = letters.split(|c: char| !c.is_alphanumeric());
        let words: Vec<&str> = letters.filter(|it| !it.is_empty()).collect();
        format!(" {} ", words.join(" "))
    };
    let text = plain(text);
    let mut words = words.iter().map(|it| plain(it));
    words.any(|word| !word.trim().is_empty() && text.contains(&word))
}
