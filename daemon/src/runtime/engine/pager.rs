//! Pages that wait for a person, and the messages in which they go out. A page is a row until a
//! timer fires, which it has set; that request takes what may go out now, and guards the person's
//! row, so that two engines never send the same page twice.

use std::collections::BTreeSet;

use tocsin_core::IncidentId;
use tocsin_core::command::Command;
use tocsin_core::consequences::Notice;
use tocsin_core::incident::Incident;
use tocsin_core::pager::{Arrival, Bundle, PageAttempt, WaitingPage, gather};
use tocsin_core::{MessageId, PersonId, Timestamp};
use tocsin_plugin_host::EventKind;
use tocsin_store::{Class, TimerKey, TimerRow};

use crate::runtime::delivery::{Delivery, row_of};
use crate::runtime::engine::Engine;
use crate::runtime::engine::plan::Planned;
use crate::runtime::engine::request::Write;
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::page_count;
use crate::runtime::state::tables::pager::{
    BundlePart, PAGE_QUEUE, PAGERS, QueuedPage, prefix_of, put_bundle, queue_key,
};

/// The kind of a person's timer.
pub const PAGER_TIMER: &str = "pager";
/// Most waiting pages that one request looks at; the rest follow in the next window.
const QUEUE_ROWS_MAX: usize = 2_048;

impl Engine {
    /// Has a page or a question wait for its person, if a notice is about one.
    pub(super) fn queue_page(
        id: &IncidentId,
        notice: &Notice,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let (page, contact, person, question) = match notice {
            Notice::Page {
                page,
                contact,
                person,
                ..
            } => (page, contact, person, None),
            Notice::Prompt {
                prompt,
                contact,
                person,
                question,
                ..
            } => (prompt, contact, person, Some(*question)),
            _ => return Ok(()),
        };
        let attempt = PageAttempt {
            incident: id.clone(),
            page: *page,
            contact: *contact,
            question,
        };
        let Write {
            rows, timers_set, ..
        } = queued(person, attempt, now)?;
        rows.lay_out(&mut planned.batch);
        planned.batch.timers_set.extend(timers_set);
        Ok(())
    }

    /// What waits for a person and may go out now does, as one message for each channel.
    pub(super) fn plan_gather(
        &mut self,
        person: &PersonId,
        fired: &[TimerKey],
        now: Timestamp,
    ) -> Result<Planned, EngineError> {
        let mut planned = Planned::default();
        // One that is not due any more, as the clock was set back since, stays set.
        let fired = fired.iter().filter(|it| it.due <= now);
        planned.batch.timers_take.extend(fired.cloned());
        if planned.is_nothing() {
            return Ok(planned);
        }
        let store = std::sync::Arc::clone(&self.store);
        let row = PAGERS.get(store.as_ref(), person.as_str())?;
        let (before, revision) = row.map_or_else(Default::default, |it| (it.value, it.revision));
        let prefix = prefix_of(person);
        let queued = PAGE_QUEUE.page(store.as_ref(), &prefix, None, QUEUE_ROWS_MAX)?;
        // Another engine may have had a page wait of which this one does not know yet that it is
        // wanted: then nothing is forgotten.
        let is_current = store.feed_position()? == self.followed;
        let is_cut = queued.len() == QUEUE_ROWS_MAX || !is_current;
        let mut waiting = Vec::with_capacity(queued.len());
        for (key, row) in queued {
            let attempt = &row.value.attempt;
            match self.waiting_page(attempt, row.value.since)? {
                Some(page) => waiting.push(page),
                None if is_current => PAGE_QUEUE.remove(&key).lay_out(&mut planned.batch),
                None => {}
            }
        }
        let mut gathered = gather(&before, waiting, &self.delays, now);
        let pager = &mut gathered.pager;
        if is_cut {
            let next = now.plus_ms(self.delays.bundle_window_ms.max(1));
            pager.due = Some(pager.due.map_or(next, |due| due.min(next)));
        }
        if *pager != before {
            let write = PAGERS.put(person.as_str(), pager)?;
            write.if_at(revision).lay_out(&mut planned.batch);
        }
        planned
            .batch
            .timers_set
            .extend(pager.due.map(|due| pager_timer(person.as_str(), due)));
        for attempt in gathered.dropped.iter().filter(|_| is_current) {
            PAGE_QUEUE
                .remove(&queue_key(person, attempt))
                .lay_out(&mut planned.batch);
        }
        if self.pages_anew(&gathered.bundles)? {
            let counted = page_count::add(store.as_ref(), person, now)?;
            counted.lay_out(&mut planned.batch);
        }
        for bundle in gathered.bundles {
            self.send_bundle(person, bundle, now, &mut planned)?;
        }
        Ok(planned)
    }

    /// Whether these messages bring a page to the first of its contacts that anything serves, so
    /// that each page counts once, and those that go out together as one. A drill does not count.
    fn pages_anew(&mut self, bundles: &[Bundle]) -> Result<bool, EngineError> {
        for attempt in bundles.iter().flat_map(|it| &it.pages) {
            let Some(state) = self.load_incident(&attempt.incident)? else {
                continue;
            };
            let incident = &state.incident;
            let page = incident.paging.pages.get(&attempt.page);
            let page = page.filter(|_| attempt.question.is_none() && !incident.about.drill);
            let contacts = page.map_or(&[][..], |it| &it.contacts);
            let first = contacts.iter().position(|it| self.channels.serve(&it.kind));
            if first == Some(attempt.contact as usize) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Notes whether a message arrived, and looks again at what waits for its person, which it may
    /// have held back.
    pub(super) fn plan_arrived(
        &self,
        message: &MessageId,
        arrival: Arrival,
        now: Timestamp,
    ) -> Result<Planned, EngineError> {
        let mut planned = Planned::default();
        let person = message.person.as_str();
        let Some(row) = PAGERS.get(self.store.as_ref(), person)? else {
            return Ok(planned);
        };
        let mut pager = row.value;
        if pager.note(message.number, arrival) {
            let write = PAGERS.put(person, &pager)?;
            write.if_at(row.revision).lay_out(&mut planned.batch);
            let look = pager.due.map(|_| pager_timer(person, now));
            planned.batch.timers_set.extend(look);
        }
        Ok(planned)
    }

    /// A command that gives up a contact is told when the page or the question leaves at the
    /// latest, if it waits for its person.
    pub(super) fn look_up_held(
        &self,
        incident: &Incident,
        command: &mut Command,
    ) -> Result<(), EngineError> {
        let (person, page, contacts, question, held_until) = match command {
            Command::ContactDue {
                page, held_until, ..
            } => {
                let Some(sent) = incident.paging.pages.get(page) else {
                    return Ok(());
                };
                let contacts: Vec<_> = sent.wanted_at().collect();
                (&sent.person, *page, contacts, None, held_until)
            }
            Command::PromptDue {
                prompt, held_until, ..
            } => {
                let Some(asked) = incident.prompts.all.get(prompt) else {
                    return Ok(());
                };
                let (contacts, question) = (vec![asked.contact], Some(asked.question));
                (&asked.to, *prompt, contacts, question, held_until)
            }
            _ => return Ok(()),
        };
        let store = self.store.as_ref();
        for contact in contacts {
            let attempt = PageAttempt {
                incident: incident.id.clone(),
                page,
                contact,
                question,
            };
            let key = queue_key(person, &attempt);
            if PAGE_QUEUE.get(store, &key)?.is_some() {
                let pager = PAGERS.get(store, person.as_str())?;
                *held_until = pager.and_then(|it| it.value.due);
                break;
            }
        }
        Ok(())
    }

    /// A page that waits, with what is known of its incident; `None` if nothing is.
    fn waiting_page(
        &mut self,
        attempt: &PageAttempt,
        since: Timestamp,
    ) -> Result<Option<WaitingPage>, EngineError> {
        let state = self.load_incident(&attempt.incident)?;
        let waiting = state.and_then(|state| {
            let incident = &state.incident;
            let (contacts, since) = match attempt.question {
                None => (&incident.paging.pages.get(&attempt.page)?.contacts, since),
                // Its next contact does not wait for others once more.
                Some(_) => {
                    let asked = incident.prompts.all.get(&attempt.page)?;
                    (&asked.contacts, asked.asked_at)
                }
            };
            Some(WaitingPage {
                contact: contacts.get(attempt.contact as usize)?.clone(),
                grade: incident.grading.grade,
                opened_at: incident.lifecycle.opened_at,
                drill: incident.about.drill,
                since,
                is_wanted: is_wanted(incident, attempt),
                attempt: attempt.clone(),
            })
        });
        // What is not wanted is forgotten for good, so the batch must fail with what settled it.
        self.scratch.relies_on(&attempt.incident);
        Ok(waiting)
    }

    fn send_bundle(
        &self,
        person: &PersonId,
        bundle: Bundle,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let Bundle {
            number,
            contact,
            pages,
        } = bundle;
        let channel = contact.kind.clone();
        let batch = &mut planned.batch;
        for attempt in &pages {
            PAGE_QUEUE
                .remove(&queue_key(person, attempt))
                .lay_out(batch);
        }
        let message = MessageId {
            person: person.clone(),
            number,
        };
        let whole = BundlePart {
            contact,
            pages,
            unnamed: BTreeSet::new(),
        };
        put_bundle(&message, &whole, now)?.lay_out(batch);
        // Questions have a lane of their own, so that no page waits for one that hangs.
        let (kind, lane) = match whole.question() {
            None => (EventKind::Page, format!("{person}/{channel}")),
            Some(_) => (EventKind::Prompt, format!("{person}/{channel}/ask")),
        };
        let plugin = self.subscribed.for_contact(&channel, kind);
        let delivery = Delivery::Message {
            plugin: plugin.map(|it| it.plugin.clone()),
            message,
        };
        batch
            .outbox
            .push(row_of(Class::Page, lane, None, now, &delivery));
        Ok(())
    }
}

/// Has a page wait for its person, whose timer fires at once.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub(crate) fn queued(
    person: &PersonId,
    attempt: PageAttempt,
    now: Timestamp,
) -> Result<Write, EngineError> {
    let key = queue_key(person, &attempt);
    let row = QueuedPage {
        attempt,
        since: now,
    };
    Ok(Write {
        rows: PAGE_QUEUE.put(&key, &row)?,
        timers_set: vec![pager_timer(&key, now)],
        ..Write::default()
    })
}

/// Whether a page or a question should still be sent through a contact.
#[must_use]
pub fn is_wanted(incident: &Incident, attempt: &PageAttempt) -> bool {
    let contact = attempt.contact;
    match attempt.question {
        None => {
            let sent = incident.paging.pages.get(&attempt.page);
            sent.is_some_and(|it| it.is_wanted_at(contact))
        }
        Some(_) => {
            let asked = incident.prompts.all.get(&attempt.page);
            asked.is_some_and(|it| it.is_wanted_at(contact))
        }
    }
}

/// A timer of what waits for a person. Each page sets one of its own (`of`), so that none is taken
/// by a request that has not seen the page.
fn pager_timer(of: &str, due: Timestamp) -> TimerRow {
    TimerRow {
        key: TimerKey {
            due,
            kind: PAGER_TIMER.to_owned(),
            id: of.to_owned(),
        },
        payload: serde_json::Value::Null,
    }
}

/// The person of such a timer.
#[must_use]
pub fn person_of(timer: &TimerKey) -> PersonId {
    timer.id.split('/').next().unwrap_or_default().into()
}
