//! What waits to be sent to a person, and the messages that brought it: three tables with the
//! person's ID as the prefix of their keys.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use tocsin_core::pager::{PageAttempt, Pager};
use tocsin_core::time::HOUR_MS;
use tocsin_core::{Contact, MessageId, PersonId, Question, Timestamp};
use tocsin_store::{Store, Table};

use super::{RowWrites, TypedTable};
use crate::runtime::error::EngineError;

/// A page that waits, by [`queue_key`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedPage {
    pub attempt: PageAttempt,
    pub since: Timestamp,
}

/// Part of the pages that a message brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundlePart {
    /// Where the message goes.
    pub contact: Contact,
    pub pages: Vec<PageAttempt>,
    /// The places of those that it does not name, as they were not wanted any more when it went
    /// out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unnamed: BTreeSet<usize>,
}

impl BundlePart {
    /// The pages that the message names.
    pub fn named(&self) -> impl Iterator<Item = &PageAttempt> {
        let all = self.pages.iter().enumerate();
        all.filter_map(|(place, it)| self.is_named(place).then_some(it))
    }

    /// What the message asks; `None`: it brings pages.
    #[must_use]
    pub fn question(&self) -> Option<Question> {
        self.pages.first().and_then(|it| it.question)
    }

    /// Whether the message names the page at a place.
    #[must_use]
    pub fn is_named(&self, place: usize) -> bool {
        !self.unnamed.contains(&place)
    }
}

/// A person's messages lately, by the person's ID.
pub(crate) const PAGERS: TypedTable<Pager> = TypedTable::new(Table::Pager, "a person's pager");
/// The pages that wait.
pub(crate) const PAGE_QUEUE: TypedTable<QueuedPage> =
    TypedTable::new(Table::PageQueue, "a page that waits");
const BUNDLES: TypedTable<BundlePart> = TypedTable::new(Table::Bundle, "the pages of a message");

/// How long it is known which pages a message brought, in milliseconds: a week. Its buttons work as
/// long.
pub const BUNDLE_TTL_MS: u64 = 7 * 24 * HOUR_MS;
/// Pages in one row of a message: as many fit into a store's largest value.
const PART_PAGES: usize = 64;
/// Most rows of one message.
const PARTS_MAX: usize = 32;

/// The key of a page that waits. It begins with the person, so that all of theirs are together.
#[must_use]
pub(crate) fn queue_key(person: &PersonId, attempt: &PageAttempt) -> String {
    let PageAttempt {
        incident,
        page,
        contact,
        question,
    } = attempt;
    let mark = if question.is_some() { "q" } else { "" };
    format!("{}{incident}/{mark}{page}/{contact}", prefix_of(person))
}

/// The prefix of the keys of what waits for a person.
#[must_use]
pub(crate) fn prefix_of(person: &PersonId) -> String {
    format!("{person}/")
}

/// Writes which pages a message brings.
///
/// # Errors
/// [`EngineError::Damaged`] when they cannot be expressed as JSON.
pub fn put_bundle(
    id: &MessageId,
    whole: &BundlePart,
    now: Timestamp,
) -> Result<RowWrites, EngineError> {
    let expires_at = Some(now.plus_ms(BUNDLE_TTL_MS));
    let mut writes = RowWrites::default();
    for (number, pages) in whole.pages.chunks(PART_PAGES).enumerate() {
        let from = number * PART_PAGES;
        let unnamed = whole.unnamed.range(from..from + pages.len());
        let part = BundlePart {
            contact: whole.contact.clone(),
            pages: pages.to_vec(),
            unnamed: unnamed.map(|place| place - from).collect(),
        };
        let key = format!("{}{number:03}", bundle_prefix(id));
        writes = writes.and(BUNDLES.put_until(&key, &part, expires_at)?);
    }
    Ok(writes)
}

/// Where a message goes and the pages that it brings, the worst first; `None` if it is not
/// known, or no longer.
///
/// # Errors
/// [`EngineError`] when the store fails or a row is damaged.
pub fn bundle(store: &dyn Store, id: &MessageId) -> Result<Option<BundlePart>, EngineError> {
    let rows = BUNDLES.page(store, &bundle_prefix(id), None, PARTS_MAX)?;
    let parts = rows.into_iter().map(|(_, row)| row.value);
    Ok(parts.reduce(|mut all, part| {
        let from = all.pages.len();
        all.unnamed
            .extend(part.unnamed.into_iter().map(|place| from + place));
        all.pages.extend(part.pages);
        all
    }))
}

/// All pages that wait, each with its person.
///
/// # Errors
/// [`EngineError`] when the store fails or a row is damaged.
pub fn queued_pages(store: &dyn Store) -> Result<Vec<(PersonId, QueuedPage)>, EngineError> {
    let mut all = Vec::new();
    PAGE_QUEUE.for_each_after(store, None, |key, page| {
        let person = key.split('/').next().unwrap_or_default();
        all.push((person.into(), page));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(all)
}

fn bundle_prefix(id: &MessageId) -> String {
    format!("{}{:010}/", prefix_of(&id.person), id.number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use tocsin_core::limits::BUNDLE_PAGES_MAX;
    use tocsin_store::{Batch, MemoryStore};

    use super::*;

    #[test]
    fn the_fullest_message_fits_into_the_store_whichever_pages_it_does_not_name() {
        let store = MemoryStore::default();
        let message = MessageId::parse("message-1-ada").unwrap();
        let attempt = |number: usize| PageAttempt {
            incident: format!("01JDR8{number:020}").as_str().into(),
            page: u32::MAX,
            contact: 11,
            question: Some(Question::StillOnIt),
        };
        let mut whole = BundlePart {
            contact: Contact {
                kind: "slack".to_owned(),
                address: "U".repeat(200),
            },
            pages: (0..BUNDLE_PAGES_MAX).map(attempt).collect(),
            unnamed: BTreeSet::new(),
        };
        for named in [BUNDLE_PAGES_MAX, BUNDLE_PAGES_MAX / 2, 1] {
            whole.unnamed = (named..BUNDLE_PAGES_MAX).collect();
            let mut batch = Batch::default();
            let writes = put_bundle(&message, &whole, Timestamp(0)).unwrap();
            writes.lay_out(&mut batch);
            store.commit(vec![batch]).unwrap().remove(0).unwrap();
            let read = bundle(&store, &message).unwrap().unwrap();
            assert_eq!(read, whole);
            assert_eq!(read.named().count(), named);
        }
    }
}
