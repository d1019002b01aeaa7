//! Shifts that begin soon, who hands over to whom, and by which contact people are reminded of it.

use std::collections::BTreeMap;

use tocsin_core::time::HOUR_MS;
use tocsin_core::{Contact, PersonId, Timestamp};

use super::choice::Reach;
use super::responders::ResponderLookup;
use super::roster::Roster;

/// Kinds of contacts that cannot be quiet, whatever `[escalation] loud` says of them.
const NEVER_QUIET: [&str; 2] = ["phone", "sms"];

/// Whoever was not on call for this long, in milliseconds, has a new shift.
const REST_MS: u64 = 24 * HOUR_MS;

/// A shift of somebody who is paged in it: whoever is on call, or stands in for them because they
/// are out of office or nothing reaches them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftAhead {
    pub rotation: String,
    pub person: PersonId,
    pub from: Timestamp,
}

/// A time at which somebody else is paged for a rotation than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoverAhead {
    pub rotation: String,
    /// Who was paged before; `None` after a gap.
    pub outgoing: Option<PersonId>,
    pub incoming: PersonId,
    pub at: Timestamp,
}

impl Roster {
    /// The handovers after the first and until the second time, by rotation, also of shifts that go
    /// on within a day. None to somebody who is paged although they are out of office.
    #[must_use]
    pub fn handovers_ahead(
        &self,
        window: (Timestamp, Timestamp),
        reach: Reach<'_>,
    ) -> Vec<HandoverAhead> {
        let mut ahead = Vec::new();
        for name in self.rotations.keys() {
            let spans = self.outlook(name, (window.0, window.1.plus_ms(1)), reach);
            for pair in spans.windows(2) {
                let [before, after] = pair else { continue };
                let Some(incoming) = after.paged.as_ref().filter(|_| before.paged != after.paged)
                else {
                    continue;
                };
                let known = self.people.get(incoming);
                if known.is_some_and(|it| self.hindrance(it, after.from, reach).is_none()) {
                    ahead.push(HandoverAhead {
                        rotation: name.clone(),
                        outgoing: before.paged.clone(),
                        incoming: incoming.clone(),
                        at: after.from,
                    });
                }
            }
        }
        ahead
    }

    /// The shifts that begin after the first and until the second time, by rotation. One that goes
    /// on within a day, after a night or after an hour that somebody else took, does not begin; one
    /// that goes on after an absence of a day or more does. Somebody who is paged although they are
    /// out of office has none.
    #[must_use]
    pub fn shifts_ahead(
        &self,
        window: (Timestamp, Timestamp),
        reach: Reach<'_>,
    ) -> Vec<ShiftAhead> {
        let mut ahead = Vec::new();
        for name in self.rotations.keys() {
            let looked = (window.0.minus_ms(REST_MS), window.1.plus_ms(1));
            let mut last_paged = BTreeMap::new();
            for span in self.outlook(name, looked, reach) {
                let Some(person) = span.paged else {
                    continue;
                };
                let known = self.people.get(&person);
                if known.is_none_or(|it| self.hindrance(it, span.from, reach).is_some()) {
                    continue;
                }
                let last = last_paged.insert(person.clone(), span.until);
                let rested = last.is_none_or(|until| span.from.since(until) >= REST_MS);
                if span.from > window.0 && rested {
                    ahead.push(ShiftAhead {
                        rotation: name.clone(),
                        person,
                        from: span.from,
                    });
                }
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
