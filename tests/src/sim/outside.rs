//! External services: plugins and a mail relay that accept deliveries, refuse them, lose the
//! response, or never respond. Counts what arrived, by page and contact.

use std::collections::{BTreeMap, BTreeSet};

use tocsin::runtime::{
    About, BundlePart, Delivery, End, Ended, Request, View, Write, bundle, events_of, is_wanted,
    put_bundle,
};
use tocsin_core::incident::Attempt;
use tocsin_core::pager::PageAttempt;
use tocsin_core::{Event, IncidentId, MessageId, Timestamp};
use tocsin_store::Claimed;

use super::rng::Rng;

/// A page at one of its contacts.
pub(super) type PageAt = (String, u32, u32);

/// The external services, and what arrived there.
#[derive(Debug, Default)]
pub(super) struct Outside {
    /// How often each page arrived at each contact.
    pub arrived: BTreeMap<PageAt, u32>,
    /// How often a page's outcome was unknown, so that it may arrive once more.
    pub excused: BTreeMap<PageAt, u32>,
    /// Pages with an unknown outcome at a contact.
    unknown: BTreeSet<PageAt>,
}

/// A delivery in progress.
#[derive(Debug)]
pub(super) struct Underway {
    pub claim: Claimed,
    /// How it will end; `None` if its outcome is never reported.
    pub ended: Option<Ended>,
    /// The pages that it brings.
    pub pages: Vec<PageAt>,
    /// Steps until it ends.
    pub steps: u64,
    /// The index of the engine that claimed it.
    pub node: usize,
}

impl Outside {
    /// Starts a delivery and decides how it will end. `well`: without faults.
    pub(super) fn bring(
        &mut self,
        claim: Claimed,
        view: &View,
        rng: &mut Rng,
        well: bool,
    ) -> Underway {
        let delivery = serde_json::from_value::<Delivery>(claim.row.body.clone());
        let (ended, pages) = match delivery {
            Err(error) => (Some(Ended::of(End::GivenUp(error.to_string()))), Vec::new()),
            Ok(Delivery::Message { message, .. }) => {
                let named = wanted(view, &message).map(|it| it.0).unwrap_or_default();
                // Whether a question arrives twice does not matter.
                let pages = named.iter().filter(|it| it.question.is_none());
                let pages: Vec<_> = pages.map(page_at).collect();
                let ended = match named.is_empty() {
                    true => Some(Ended::of(End::Dropped)),
                    false => self.answer(&pages, rng, well),
                };
                let about = Some(About::Message(message));
                (ended.map(|it| Ended { about, ..it }), pages)
            }
            Ok(_) => (self.answer(&[], rng, well), Vec::new()),
        };
        let steps = if well { 0 } else { rng.below(4) };
        Underway {
            claim,
            ended,
            pages,
            steps,
            node: 0,
        }
    }

    /// Records that the outcome of a delivery is unknown, although it may have arrived.
    pub(super) fn excuse(&mut self, pages: &[PageAt]) {
        for page in pages {
            *self.excused.entry(page.clone()).or_default() += 1;
        }
    }

    fn answer(&mut self, pages: &[PageAt], rng: &mut Rng, well: bool) -> Option<Ended> {
        let kind = if well { 0 } else { rng.below(100) };
        let again = |why: &str, hint_ms| End::Again {
            why: why.to_owned(),
            hint_ms,
        };
        let arrives = matches!(kind, 0..55 | 80..86 | 94..97);
        for page in pages.iter().filter(|_| arrives) {
            *self.arrived.entry(page.clone()).or_default() += 1;
        }
        let mut outcome_unknown = false;
        let end = match kind {
            0..55 => {
                self.unknown.retain(|it| !pages.contains(it));
                End::Done
            }
            55..65 => again("429 Too Many Requests", Some(1_000 * rng.below(40))),
            65..75 => again("503 Service Unavailable", None),
            75..80 => End::GivenUp("404 Not Found".to_owned()),
            80..86 => {
                self.excuse(pages);
                self.unknown.extend(pages.iter().cloned());
                outcome_unknown = true;
                again("timed out after the request was sent", None)
            }
            86..90 => again("the plugin trapped", None),
            90..94 => End::Ignored("the plugin ignored it".to_owned()),
            _ => {
                self.excuse(pages);
                self.unknown.extend(pages.iter().cloned());
                return None;
            }
        };
        Some(Ended {
            outcome_unknown,
            ..Ended::of(end)
        })
    }

    /// Checks that each page with an unknown outcome is in its incident's log, or was accepted by
    /// its channel later.
    ///
    /// # Errors
    /// The page that is not in the log.
    pub(super) fn unknown_are_logged(&self, view: &View) -> Result<(), String> {
        for (incident, number, at) in &self.unknown {
            let id = IncidentId::from(incident.as_str());
            let events = events_of(view.store(), &id).map_err(|error| error.to_string())?;
            let tells = |event: &Event| match event {
                Event::PageOutcomeUnknown { page, contact }
                | Event::PageAccepted { page, contact, .. } => (page, contact) == (number, at),
                _ => false,
            };
            let state = view.incident(&id).map_err(|error| error.to_string())?;
            let page = state.and_then(|it| it.incident.paging.pages.get(number).cloned());
            // Whoever pressed a button there has got it.
            let is_known = page.is_some_and(|it| it.attempts.get(at) == Some(&Attempt::Pressed));
            if !is_known && !events.iter().any(|it| tells(&it.event)) {
                return Err(format!(
                    "the log does not say that page {number} of incident {incident} may have \
                     arrived at contact {at}"
                ));
            }
        }
        Ok(())
    }
}

/// What is written before a message goes out: which of its pages it does not name.
pub(super) fn left_out(view: &View, claim: &Claimed, now: Timestamp) -> Option<Request> {
    let delivery = serde_json::from_value::<Delivery>(claim.row.body.clone());
    let Ok(Delivery::Message { message, .. }) = delivery else {
        return None;
    };
    let (named, before, whole) = wanted(view, &message)?;
    if named.is_empty() || before == whole.unnamed {
        return None;
    }
    let rows = put_bundle(&message, &whole, now).ok()?;
    Some(Request::Write(Box::new(Write {
        rows,
        ..Write::default()
    })))
}

fn page_at(attempt: &PageAttempt) -> PageAt {
    let PageAttempt {
        incident,
        page,
        contact,
        ..
    } = attempt;
    (incident.to_string(), *page, *contact)
}

/// The pages of a message that are still wanted, the places of those that its rows say it does not
/// name, and its pages with the places of those that it does not name now.
fn wanted(
    view: &View,
    message: &MessageId,
) -> Option<(Vec<PageAttempt>, BTreeSet<usize>, BundlePart)> {
    let mut whole = bundle(view.store(), message).ok().flatten()?;
    let (mut named, mut unnamed) = (Vec::new(), BTreeSet::new());
    for (place, it) in whole.pages.iter().enumerate() {
        let state = view.incident(&it.incident).ok().flatten();
        match state.is_some_and(|state| is_wanted(&state.incident, it)) {
            true => named.push(it.clone()),
            false => drop(unnamed.insert(place)),
        }
    }
    let before = std::mem::replace(&mut whole.unnamed, unnamed);
    Some((named, before, whole))
}
