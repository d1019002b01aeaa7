//! Shifts that begin soon, and by which contact their people are reminded of what speaks against
//! them.

use tocsin_core::{Contact, PersonId, Timestamp};

use super::choice::Reach;
use super::responders::ResponderLookup;
use super::roster::Roster;

/// Kinds of contacts that cannot be quiet, whatever `[escalation] loud` says of them: a phone rings,
/// and Pushover repeats a test page until it is acknowledged.
const NEVER_QUIET: [&str; 3] = ["phone", "sms", "pushover"];

/// A shift of somebody who can be reached and is not out of office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftAhead {
    pub rotation: String,
    pub person: PersonId,
    pub from: Timestamp,
}

impl Roster {
    /// The shifts that begin after the first and until the second time, by rotation.
    #[must_use]
    pub fn shifts_ahead(
        &self,
        window: (Timestamp, Timestamp),
        reach: Reach<'_>,
    ) -> Vec<ShiftAhead> {
        let mut ahead = Vec::new();
        for name in self.rotations.keys() {
            let until = (window.0, window.1.plus_ms(1));
            let mut before = None;
            for span in self.outlook(name, until, reach) {
                let begins = span.from > window.0 && span.on_call != before;
                before.clone_from(&span.on_call);
                let person = span.on_call.filter(|_| begins && span.hindrance.is_none());
                ahead.extend(person.map(|person| ShiftAhead {
                    rotation: name.clone(),
                    person,
                    from: span.from,
                }));
            }
        }
        ahead
    }
}

impl ResponderLookup {
    /// The contact by which a person is told what can wait: the first that makes no sound, else the
    /// first that can be quiet.
    #[must_use]
    pub fn quiet_contact(&self, id: &PersonId) -> Option<Contact> {
        let roster = self.rosters.now();
        let contacts = self.person(id)?.contacts;
        let is_loud = |it: &&Contact| roster.loud.contains(&it.kind);
        let can_be_quiet = |it: &&Contact| !NEVER_QUIET.contains(&it.kind.as_str());
        let mut quiet = contacts.iter().filter(can_be_quiet);
        let silent = quiet.clone().find(|it| !is_loud(it));
        silent.or_else(|| quiet.next()).cloned()
    }
}
