//! Looks people up by their ids in a channel.

use crate::host;
use crate::types::Person;

/// The person with this contact, e.g. `("slack", "U123")`, if there is one in the operator's
/// configuration.
#[must_use]
pub fn by_contact(kind: &str, id: &str) -> Option<Person> {
    host::people::by_contact(kind, id)
}
