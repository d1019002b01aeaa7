//! The timers, notices and log lines of pages.

use crate::Timestamp;
use crate::event::{Event, Recorded};
use crate::incident::Incident;
use crate::notice::Notice;
use crate::paging::state::{Page, PageState, Paging, sent_to};
use crate::time::in_words;
use crate::timer::TimerKind;

/// When each page goes to its next contact.
pub(crate) fn timers(paging: &Paging) -> impl Iterator<Item = (Timestamp, TimerKind)> {
    paging.pages.iter().filter_map(|(&page, sent)| {
        let contact = sent.contact;
        match sent.state {
            PageState::Sent { next_contact_at } => {
                next_contact_at.map(|at| (at, TimerKind::Contact { page, contact }))
            }
            _ => None,
        }
    })
}

/// When the fallback is paged, as nobody of the last step can be reached.
pub(crate) fn fallback_due(incident: &Incident) -> Option<Timestamp> {
    let due = incident.paging.unreached_at;
    due.filter(|_| incident.is_unanswered())
}

/// The notices of the page that an event sends, where it is still wanted after all events.
pub(crate) fn notices(after: &Incident, event: &Event) -> Vec<Notice> {
    let Some((page, first)) = sent_to(event) else {
        return Vec::new();
    };
    let Some(sent) = after.paging.pages.get(&page) else {
        return Vec::new();
    };
    let contacts = sent.rung_at(first).filter(|it| sent.is_wanted_at(*it));
    let notice = |contact: u32| {
        let channel = sent.contacts.get(contact as usize)?.kind.clone();
        Some(Notice::Page {
            page,
            contact,
            person: sent.person.clone(),
            channel,
        })
    };
    contacts.filter_map(notice).collect()
}

/// Pages whose buttons must be removed: channels accepted them, and they no longer need an answer.
/// `also`: pages, and their contacts, that a channel accepted after they were settled.
pub(crate) fn settled(
    before: Option<&Incident>,
    after: &Incident,
    also: &[(u32, u32)],
) -> Vec<Notice> {
    // Also where it was pressed before its channel reported that it has accepted it.
    let attempts = |number: &u32| {
        let page = before.and_then(|it| it.paging.pages.get(number));
        let was_open = page.is_some_and(|it| it.state != PageState::Settled);
        let page = after.paging.pages.get(number).filter(|_| was_open);
        let attempts = page.into_iter().flat_map(|it| &it.attempts);
        let accepted = attempts.filter(|(_, it)| it.is_accepted());
        accepted.map(|(contact, _)| *contact)
    };
    let also = |number: u32| also.iter().filter(move |it| it.0 == number).map(|it| it.1);
    let pages = after.paging.pages.iter();
    let settled = pages.filter(|(_, page)| page.state == PageState::Settled);
    let notices = |(&number, page): (&u32, &Page)| {
        let contacts: Vec<u32> = attempts(&number).chain(also(number)).collect();
        let notice = |contact: u32| {
            let channel = page.contacts.get(contact as usize)?.kind.clone();
            Some(Notice::Settled {
                page: number,
                person: page.person.clone(),
                channel,
                contact,
            })
        };
        let notices: Vec<_> = contacts.into_iter().filter_map(notice).collect();
        notices
    };
    settled.flat_map(notices).collect()
}

pub(crate) fn narrate(incident: &Incident, recorded: &Recorded) -> Option<String> {
    let person = |page: &u32| {
        let page = incident.paging.pages.get(page);
        page.map_or("somebody", |it| it.person.as_str())
    };
    let rung = |page: &u32, contact: &u32| {
        let of_page = incident.paging.pages.get(page);
        let contacts = of_page.into_iter().flat_map(|it| it.rung_at(*contact));
        let kinds: Vec<_> = contacts.map(|it| channel(incident, *page, it)).collect();
        match kinds.as_slice() {
            [] => "another channel".to_owned(),
            kinds => kinds.join(" and "),
        }
    };
    let text = match &recorded.event {
        Event::Paged {
            page,
            person,
            contacts,
            ..
        } => match contacts.as_slice() {
            [] => format!("paged {person} by no contact"),
            _ => format!("paged {person} by {}", rung(page, &0)),
        },
        Event::PageRedirected {
            page,
            contact,
            reason,
            ..
        } => {
            let (person, to) = (person(page), rung(page, contact));
            format!("paged {person} again by {to}: {reason}")
        }
        Event::PageRebased {
            page, held_until, ..
        } => {
            let person = person(page);
            match held_until.map(|it| in_words(it.since(recorded.at))) {
                Some(span) => format!(
                    "the page to {person} is held back for {span}: messages to them are limited, \
                     see `pages-max`"
                ),
                None => format!("the page to {person} waits for its channels again"),
            }
        }
        Event::PageAnswered { page, via } => {
            format!("{} answered the page through {via}", person(page))
        }
        Event::PageExhausted { page, reason, .. } => {
            format!("{} could not be reached: {reason}", person(page))
        }
        Event::FallbackPaged { note } => {
            let note = note.as_ref().map_or(String::new(), |it| format!(" ({it})"));
            format!("nobody whom the step pages can be reached: the fallback is paged{note}")
        }
        Event::PageAccepted { page, contact, .. }
        | Event::PageOutcomeUnknown { page, contact }
        | Event::PageRejected { page, contact, .. }
        | Event::PageSeen { page, contact } => {
            let through = channel(incident, *page, *contact);
            return attempt_in_words(&recorded.event, person(page), through);
        }
        _ => return None,
    };
    Some(text)
}

/// What became of a page at one of its contacts.
fn attempt_in_words(event: &Event, person: &str, through: &str) -> Option<String> {
    let text = match event {
        Event::PageAccepted {
            interrupted,
            others,
            ..
        } => {
            let bundled = bundled(*others);
            let earlier = match interrupted {
                true => "; an earlier attempt was interrupted, and its outcome is unknown",
                false => "",
            };
            format!("the page to {person} was sent by {through}{bundled}{earlier}")
        }
        Event::PageOutcomeUnknown { .. } => format!(
            "the outcome of the page to {person} by {through} is unknown; it may have arrived"
        ),
        Event::PageRejected { reason, .. } => {
            format!("the page to {person} was not sent by {through}: {reason}")
        }
        Event::PageSeen { .. } => format!("the page was shown to {person} by {through}"),
        _ => return None,
    };
    Some(text)
}

/// With how many others it went out, as the end of a sentence.
pub(crate) fn bundled(others: u32) -> String {
    match others {
        0 => String::new(),
        1 => ", in one message with another".to_owned(),
        others => format!(", in one message with {others} others"),
    }
}

/// The kind of a page's contact.
fn channel(incident: &Incident, page: u32, contact: u32) -> &str {
    let page = incident.paging.pages.get(&page);
    let contact = page.and_then(|it| it.contacts.get(contact as usize));
    contact.map_or("another channel", |it| it.kind.as_str())
}
