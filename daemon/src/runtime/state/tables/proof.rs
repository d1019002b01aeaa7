//! Contacts that are proven to reach their person, by person and a digest of kind and address, so
//! that a new address is not proven. A proof is kept for 90 days.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tocsin_core::limits::PROVEN_MS;
use tocsin_core::time::HOUR_MS;
use tocsin_core::{Contact, PersonId, Timestamp};
use tocsin_store::{Store, Table};

use super::{RowWrites, TypedTable};
use crate::people::{MAIL_CHANNEL, MAIL_CONTACT};
use crate::runtime::error::EngineError;

/// A proof that is not older than this is not written again, in milliseconds.
const RENEWED_AFTER_MS: u64 = HOUR_MS;

/// That a person pressed what came through a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The contact's kind, for people.
    pub kind: String,
    pub at: Timestamp,
}

const PROOFS: TypedTable<Proof> = TypedTable::new(Table::Proof, "the proof of a contact");

/// Since when a contact is proven; `None` if it is not, or no longer.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn proven_at(
    store: &dyn Store,
    person: &PersonId,
    contact: &Contact,
    now: Timestamp,
) -> Result<Option<Timestamp>, EngineError> {
    let row = PROOFS.get(store, &key_of(person, contact))?;
    Ok(row.filter(|it| it.is_live(now)).map(|it| it.value.at))
}

/// Whether a contact is proven. A store that cannot be read is reported elsewhere.
#[must_use]
pub fn is_proven(store: &dyn Store, person: &PersonId, contact: &Contact, now: Timestamp) -> bool {
    proven_at(store, person, contact, now).map_or(true, |it| it.is_some())
}

/// Notes that a person pressed what came through a contact; nothing if that was noted lately.
///
/// # Errors
/// As [`proven_at`].
pub(crate) fn prove(
    store: &dyn Store,
    person: &PersonId,
    contact: &Contact,
    now: Timestamp,
) -> Result<RowWrites, EngineError> {
    let last = proven_at(store, person, contact, now)?;
    if last.is_some_and(|at| at <= now && now.since(at) < RENEWED_AFTER_MS) {
        return Ok(RowWrites::default());
    }
    let proof = Proof {
        kind: contact.kind.clone(),
        at: now,
    };
    let until = Some(now.plus_ms(PROVEN_MS));
    PROOFS.put_until(&key_of(person, contact), &proof, until)
}

/// The daemon's relay and a plugin that delivers mail reach the same mailbox.
fn key_of(person: &PersonId, contact: &Contact) -> String {
    let kind = match contact.kind.as_str() {
        MAIL_CHANNEL => MAIL_CONTACT,
        kind => kind,
    };
    let mut digest = Sha256::new();
    for part in [kind, "\0", contact.address.as_str()] {
        digest.update(part.as_bytes());
    }
    format!("{person}/{}", hex::encode(digest.finalize()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use tocsin_store::{Batch, MemoryStore};

    use super::*;

    fn contact(kind: &str, address: &str) -> Contact {
        Contact {
            kind: kind.to_owned(),
            address: address.to_owned(),
        }
    }

    #[test]
    fn a_contact_is_proven_for_90_days_and_another_address_is_not() {
        let store = MemoryStore::default();
        let (ada, at) = ("ada".into(), Timestamp(1_000));
        let mail = contact("mail", "ada@example.com");
        let mut batch = Batch::default();
        prove(&store, &ada, &mail, at).unwrap().lay_out(&mut batch);
        store.commit(vec![batch]).unwrap().remove(0).unwrap();
        let proven = |person: &str, kind, address, now| {
            proven_at(&store, &person.into(), &contact(kind, address), now).unwrap()
        };
        assert_eq!(proven("ada", "email", "ada@example.com", at), Some(at));
        let last = at.plus_ms(PROVEN_MS - 1);
        assert_eq!(proven("ada", "mail", "ada@example.com", last), Some(at));
        let over = at.plus_ms(PROVEN_MS);
        assert_eq!(proven("ada", "mail", "ada@example.com", over), None);
        assert_eq!(proven("ada", "email", "ada@example.org", at), None);
        assert_eq!(proven("ada", "slack", "ada@example.com", at), None);
        assert_eq!(proven("bob", "email", "ada@example.com", at), None);
        let again = |now| prove(&store, &ada, &mail, now).unwrap().is_empty();
        assert!(again(at.plus_ms(RENEWED_AFTER_MS - 1)));
        assert!(!again(at.plus_ms(RENEWED_AFTER_MS)));
    }
}
