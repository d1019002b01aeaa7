//! External services: plugins and a mail relay that accept deliveries, refuse them, lose the
//! response, or never respond. Counts what arrived, by page and contact.

use std::collections::{BTreeMap, BTreeSet};

use tocsin::runtime::{Delivery, End, Ended, PageRef, View, events_of};
use tocsin_core::consequences::Notice;
use tocsin_core::{Event, IncidentId};
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
    /// The page that it delivers.
    pub page: Option<PageAt>,
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
        let page = serde_json::from_value::<Delivery>(claim.row.body.clone()).map(page_of);
        let (ended, page) = match page {
            Err(error) => (Some(Ended::of(End::GivenUp(error.to_string()))), None),
            Ok(Some(at)) if !is_wanted(view, &at) => {
                let dropped = Ended {
                    page: Some(at),
                    ..Ended::of(End::Dropped)
                };
                (Some(dropped), None)
            }
            Ok(page) => {
                let at = page.as_ref();
                let name = at.map(|it| (it.incident.to_string(), it.page, it.contact));
                (self.answer(name.as_ref(), page, rng, well), name)
            }
        };
        let steps = if well { 0 } else { rng.below(4) };
        Underway {
            claim,
            ended,
            page,
            steps,
            node: 0,
        }
    }

    /// Records that the outcome of a delivery is unknown, although it may have arrived.
    pub(super) fn excuse(&mut self, page: Option<&PageAt>) {
        if let Some(page) = page {
            *self.excused.entry(page.clone()).or_default() += 1;
        }
    }

    fn answer(
        &mut self,
        name: Option<&PageAt>,
        page: Option<PageRef>,
        rng: &mut Rng,
        well: bool,
    ) -> Option<Ended> {
        let kind = if well { 0 } else { rng.below(100) };
        let again = |why: &str, hint_ms| End::Again {
            why: why.to_owned(),
            hint_ms,
        };
        let arrives = matches!(kind, 0..55 | 80..86 | 94..97);
        if let (true, Some(name)) = (arrives, name) {
            *self.arrived.entry(name.clone()).or_default() += 1;
        }
        let mut outcome_unknown = false;
        let end = match kind {
            0..55 => {
                name.map(|it| self.unknown.remove(it));
                End::Done
            }
            55..65 => again("429 Too Many Requests", Some(1_000 * rng.below(40))),
            65..75 => again("503 Service Unavailable", None),
            75..80 => End::GivenUp("404 Not Found".to_owned()),
            80..86 => {
                self.excuse(name);
                self.unknown.extend(name.cloned());
                outcome_unknown = true;
                again("timed out after the request was sent", None)
            }
            86..90 => again("the plugin trapped", None),
            90..94 => End::Ignored("the plugin ignored it".to_owned()),
            _ => {
                self.excuse(name);
                self.unknown.extend(name.cloned());
                return None;
            }
        };
        Some(Ended {
            page,
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
            if !events.iter().any(|it| tells(&it.event)) {
                return Err(format!(
                    "the log does not say that page {number} of incident {incident} may have \
                     arrived at contact {at}"
                ));
            }
        }
        Ok(())
    }
}

pub(super) fn page_of(delivery: Delivery) -> Option<PageRef> {
    match delivery {
        Delivery::Mail {
            incident,
            page,
            contact,
        }
        | Delivery::Notice {
            incident,
            notice: Notice::Page { page, contact, .. },
            ..
        } => Some(PageRef {
            incident,
            page,
            contact,
        }),
        _ => None,
    }
}

fn is_wanted(view: &View, page: &PageRef) -> bool {
    let state = view.incident(&page.incident).ok().flatten();
    state.is_some_and(|state| {
        let sent = state.incident.paging.pages.get(&page.page);
        sent.is_some_and(|it| it.is_wanted_at(page.contact))
    })
}
