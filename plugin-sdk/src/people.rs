//! Looks people up.

use crate::host;
use crate::types::Person;

/// The person with this contact, e.g. `("slack", "U123")`, if there is one in the operator's
/// configuration.
#[must_use]
pub fn by_contact(kind: &str, id: &str) -> Option<Person> {
    host::people::by_contact(kind, id)
}

/// The person with this id in the operator's configuration, which is what names an operator or
/// the actor of an event, with the contacts that this plugin serves.
#[must_use]
pub fn by_id(id: &str) -> Option<Person> {
    host::people::by_id(id)
}
