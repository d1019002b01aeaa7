//! Every page and every question that is wanted waits for its person, is in a message, or is being
//! told what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tocsin::runtime::{
    Delivery, IncidentState, OUTCOME_TIMER, PAGER_TIMER, View, bundle, person_of, queued_pages,
    told,
};
use tocsin_core::incident::Incident;
use tocsin_core::pager::PageAttempt;
use tocsin_core::{MessageId, PersonId, Timestamp};
use tocsin_store::{Class, Store};

use super::text;
use crate::sim::store::FaultyStore;

/// Most rows that are read.
const ROWS_MAX: usize = 10_000;

/// Where a wanted page is.
#[derive(Debug, Default)]
struct Found {
    waiting: usize,
    in_message: usize,
    being_told: usize,
}

/// A wanted page waits or is in a message exactly once, or learns what became of its message; and
/// whoever has pages waiting has a timer.
pub(super) fn are_somewhere(
    store: &FaultyStore,
    state: &[Arc<IncidentState>],
) -> Result<(), String> {
    let mut wanted: BTreeMap<PageAttempt, Found> = BTreeMap::new();
    for incident in state.iter().map(|it| &it.incident) {
        wanted.extend(wanted_of(incident).map(|it| (it, Found::default())));
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let timers = store
        .timers_due(Timestamp(i64::MAX), ROWS_MAX)
        .map_err(text)?;
    let of_kind = |kind| timers.iter().filter(move |it| it.key.kind == kind);
    let woken: BTreeSet<PersonId> = of_kind(PAGER_TIMER).map(|it| person_of(&it.key)).collect();
    for (person, page) in queued_pages(store).map_err(text)? {
        if let Some(found) = wanted.get_mut(&page.attempt) {
            found.waiting += 1;
            if !woken.contains(&person) {
                return Err(format!(
                    "{:?} waits for {person}, who has no timer",
                    page.attempt
                ));
            }
        }
    }
    for row in store.outbox(Class::Page, None, ROWS_MAX).map_err(text)? {
        let delivery = serde_json::from_value::<Delivery>(row.body).map_err(text)?;
        if let Delivery::Message { message, .. } = delivery {
            count(store, &message, &mut wanted, |it| it.in_message += 1)?;
        }
    }
    for timer in of_kind(OUTCOME_TIMER) {
        let (message, _) = told(timer).map_err(text)?;
        count(store, &message, &mut wanted, |it| it.being_told += 1)?;
    }
    let is_lost = |it: &Found| {
        let places = it.waiting + it.in_message;
        places > 1 || places + it.being_told == 0
    };
    match wanted.into_iter().find(|(_, found)| is_lost(found)) {
        Some((page, found)) => Err(format!("{page:?} is wanted and is {found:?}")),
        None => Ok(()),
    }
}

/// Checks that every page and every question has gone out, or is held back until its person's
/// timer: at each contact that was tried, a channel accepted it or refused it, or no answer is
/// needed.
///
/// # Errors
/// What is broken.
pub(in crate::sim) fn pages_are_out(store: &FaultyStore, view: &View) -> Result<(), String> {
    let queued = queued_pages(store).map_err(text)?.into_iter();
    let held: BTreeSet<PageAttempt> = queued.map(|(_, page)| page.attempt).collect();
    for state in view.in_memory() {
        let incident = &state.incident;
        if let Some(lost) = wanted_of(incident).find(|it| !held.contains(it)) {
            return Err(format!("{lost:?} is never delivered"));
        }
    }
    Ok(())
}

/// The pages and the questions of an incident that are wanted, at each contact.
fn wanted_of(incident: &Incident) -> impl Iterator<Item = PageAttempt> {
    let attempt = |page: u32, contact, question| PageAttempt {
        incident: incident.id.clone(),
        page,
        contact,
        question,
    };
    let pages = incident.paging.pages.iter();
    let pages = pages.flat_map(move |(&page, sent)| {
        sent.wanted_at()
            .map(move |contact| attempt(page, contact, None))
    });
    let asked = incident.prompts.all.iter();
    let asked = asked.filter(|(_, it)| it.is_wanted_at(it.contact));
    let asked = asked.map(move |(&prompt, it)| attempt(prompt, it.contact, Some(it.question)));
    pages.chain(asked).filter(|_| incident.is_active())
}

fn count(
    store: &FaultyStore,
    message: &MessageId,
    wanted: &mut BTreeMap<PageAttempt, Found>,
    note: impl Fn(&mut Found),
) -> Result<(), String> {
    let part = bundle(store, message).map_err(text)?;
    let part = part.ok_or_else(|| format!("the pages of {message} are not known"))?;
    for attempt in part.pages {
        wanted.get_mut(&attempt).map(&note);
    }
    Ok(())
}
