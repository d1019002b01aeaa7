//! The world outside: plugins and a mail relay that take what they are brought, refuse it, take
//! it and do not say so, or never answer. It counts what arrived, by page and contact.

use std::collections::BTreeMap;

use tocsin::runtime::{Delivery, End, Ended, PageRef, View};
use tocsin_core::consequences::Notice;
use tocsin_store::Claimed;

use super::rng::Rng;

/// A page at one of its contacts.
pub(super) type Brought = (String, u32, u32);

/// The outside, and what arrived there.
#[derive(Debug, Default)]
pub(super) struct Outside {
    /// How often each page arrived at each contact.
    pub arrived: BTreeMap<Brought, u32>,
    /// How often its outcome was unknown, so that it may arrive once more.
    pub excused: BTreeMap<Brought, u32>,
}

/// A delivery under way.
#[derive(Debug)]
pub(super) struct Underway {
    /// Its claim.
    pub claim: Claimed,
    /// How it will end; `None`: nobody will ever say.
    pub ended: Option<Ended>,
    /// The page that it brings.
    pub page: Option<Brought>,
    /// Steps until it ends.
    pub steps: u64,
    /// The engine that claimed it, by its place.
    pub house: usize,
}

impl Outside {
    /// Brings a delivery out, and says how it will end. `well`: nothing fails any more.
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
            Ok(Some(at)) if !is_wanted(view, &at) => (Some(Ended::of(End::Dropped)), None),
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
            house: 0,
        }
    }

    /// Notes that nobody will know what became of a delivery that may have arrived.
    pub(super) fn excuse(&mut self, page: Option<&Brought>) {
        if let Some(page) = page {
            *self.excused.entry(page.clone()).or_default() += 1;
        }
    }

    fn answer(
        &mut self,
        name: Option<&Brought>,
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
        let end = match kind {
            0..55 => End::Done,
            55..65 => again("429 Too Many Requests", Some(1_000 * rng.below(40))),
            65..75 => again("503 Service Unavailable", None),
            75..80 => End::GivenUp("404 Not Found".to_owned()),
            80..86 => {
                self.excuse(name);
                again("timed out after the request was sent", None)
            }
            86..90 => again("the plugin trapped", None),
            90..94 => End::Ignored("the plugin ignored it".to_owned()),
            _ => {
                self.excuse(name);
                return None;
            }
        };
        Some(Ended {
            page,
            ..Ended::of(end)
        })
    }
}

/// The page that a delivery brings.
pub(super) fn page_of(parcel: Delivery) -> Option<PageRef> {
    match parcel {
        Delivery::Mail {
            incident,
            page,
            contact,
        }
        | Delivery::News {
            incident,
            news: Notice::Page { page, contact, .. },
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
