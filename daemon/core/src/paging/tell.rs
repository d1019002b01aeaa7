//! The timers, notices and log lines of pages.

use crate::Timestamp;
use crate::event::{Event, Recorded};
use crate::incident::Incident;
use crate::notice::Notice;
use crate::paging::state::{Page, PageState, Paging, sent_to};
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

/// The notice of the page that an event sends, if it is still wanted there after all events.
pub(crate) fn notice(after: &Incident, event: &Event) -> Option<Notice> {
    let (page, contact) = sent_to(event)?;
    let sent = after
        .paging
        .pages
        .get(&page)
        .filter(|it| it.is_wanted_at(contact))?;
    let channel = sent.contacts.get(contact as usize)?.kind.clone();
    Some(Notice::Page {
        page,
        contact,
        person: sent.person.clone(),
        channel,
    })
}

/// Pages whose buttons must be removed: a channel accepted them, and they no longer need an
/// answer. `also`: pages that a channel accepted after they were settled.
pub(crate) fn settled(before: Option<&Incident>, after: &Incident, also: &[u32]) -> Vec<Notice> {
    let was_accepted = |number: &u32| {
        let page = before.and_then(|it| it.paging.pages.get(number));
        page.is_some_and(|it| it.state == PageState::Accepted)
    };
    let pages = after.paging.pages.iter().filter(|(number, page)| {
        page.state == PageState::Settled && (was_accepted(number) || also.contains(number))
    });
    let notice = |(&number, page): (&u32, &Page)| {
        page.current().map(|contact| Notice::Settled {
            page: number,
            person: page.person.clone(),
            channel: contact.kind.clone(),
        })
    };
    pages.filter_map(notice).collect()
}

pub(crate) fn narrate(incident: &Incident, recorded: &Recorded) -> Option<String> {
    let person = |page: &u32| {
        let page = incident.paging.pages.get(page);
        page.map_or("somebody", |it| it.person.as_str())
    };
    let channel = |page: &u32, contact: &u32| {
        let page = incident.paging.pages.get(page);
        let contact = page.and_then(|it| it.contacts.get(*contact as usize));
        contact.map_or("another channel", |it| it.kind.as_str())
    };
    let text = match &recorded.event {
        Event::Paged {
            person, contacts, ..
        } => {
            let first = contacts.first().map_or("no contact", |it| it.kind.as_str());
            format!("paged {person} by {first}")
        }
        Event::PageRedirected {
            page,
            contact,
            reason,
            ..
        } => {
            let (person, to) = (person(page), channel(page, contact));
            format!("paged {person} again by {to}: {reason}")
        }
        Event::PageAccepted {
            page,
            contact,
            interrupted,
        } => {
            let (person, through) = (person(page), channel(page, contact));
            let earlier = match interrupted {
                true => "; an earlier attempt was interrupted, and its outcome is unknown",
                false => "",
            };
            format!("the page to {person} was sent by {through}{earlier}")
        }
        Event::PageOutcomeUnknown { page, contact } => {
            let (person, through) = (person(page), channel(page, contact));
            format!(
                "the outcome of the page to {person} by {through} is unknown; it may have arrived"
            )
        }
        Event::PageRebased { page, .. } => {
            let person = person(page);
            format!("the page to {person} restarts its wait: the daemon was down")
        }
        Event::PageExhausted { page, reason } => {
            format!("{} could not be reached: {reason}", person(page))
        }
        _ => return None,
    };
    Some(text)
}
