//! Who people are, by how a channel knows them.

use crate::host;
use crate::types::Person;

/// The person with this contact, e.g. `("slack", "U123")`, if the operator's configuration knows
/// one.
#[must_use]
pub fn by_contact(kind: &str, id: &str) -> Option<Person> {
    host::people::by_contact(kind, id)
}
