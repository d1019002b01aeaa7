//! Every page that is wanted waits for its person, is in a message, or is being told what became of
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tocsin::runtime::{
    Delivery, IncidentState, OUTCOME_TIMER, PAGER_TIMER, View, bundle, person_of, queued_pages,
    told,
};
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
    for incident in state
        .iter()
        .map(|it| &it.incident)
        .filter(|it| it.is_active())
    {
        for (page, sent) in &incident.paging.pages {
            wanted.extend(sent.wanted_at().map(|contact| {
                let attempt = PageAttempt {
                    incident: incident.id.clone(),
                    page: *page,
                    contact,
                };
                (attempt, Found::default())
            }));
        }
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

/// Checks that every page has gone out, or is held back until its person's timer: at each contact
/// that was tried, a channel accepted it or refused it, or no answer is needed.
///
/// # Errors
/// What is broken.
pub(in crate::sim) fn pages_are_out(store: &FaultyStore, view: &View) -> Result<(), String> {
    let queued = queued_pages(store).map_err(text)?.into_iter();
    let held: BTreeSet<PageAttempt> = queued.map(|(_, page)| page.attempt).collect();
    for state in view.in_memory() {
        let incident = &state.incident;
        for (&page, sent) in incident
            .paging
            .pages
            .iter()
            .filter(|_| incident.is_active())
        {
            let attempt = |contact| PageAttempt {
                incident: incident.id.clone(),
                page,
                contact,
            };
            let mut wanted = sent.wanted_at().map(attempt);
            if let Some(lost) = wanted.find(|it| !held.contains(it)) {
                return Err(format!("{lost:?} to {} is never delivered", sent.person));
            }
        }
    }
    Ok(())
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
