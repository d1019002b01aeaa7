//! `people`: looks a person up, only by contact kinds that the plugin serves.

use super::context::Context;
use super::service::{Reply, not_provided};
use crate::rights::{Denied, toml_list};
use crate::wit::people::{Host, Person};

/// Most lookups per call.
const PEOPLE_PER_CALL: u32 = 100;

/// How a person is looked up.
#[derive(Debug, Clone, Copy)]
pub enum PersonKey<'k> {
    Contact {
        kind: &'k str,
        address: &'k str,
    },
    /// The id in the configuration.
    Id(&'k str),
}

impl PersonKey<'_> {
    #[must_use]
    pub fn matches(self, person: &Person) -> bool {
        match self {
            Self::Id(id) => person.id == id,
            Self::Contact { kind, address } => {
                let mut contacts = person.contacts.iter();
                contacts.any(|it| it.key == kind && it.value == address)
            }
        }
    }
}

/// What the daemon provides.
pub trait PeopleService: Send + Sync + 'static {
    /// Finds the person whom the key matches, with all their contacts.
    fn person<'a>(&'a self, _key: PersonKey<'a>) -> Reply<'a, Option<Person>> {
        not_provided()
    }
}

impl Host for Context {
    async fn by_contact(&mut self, kind: String, id: String) -> wasmtime::Result<Option<Person>> {
        let _pause = self.pause();
        let contacts = &self.shared.rights.manifest().contacts;
        if !contacts.contains(&kind) {
            let list = contacts.iter().map(String::as_str).chain([kind.as_str()]);
            let toml = format!("contacts = {}", toml_list(list));
            let what = format!("look people up by the contact kind `{kind}`");
            let denied = Denied::unasked(self.plugin(), what, &toml);
            self.deny(denied);
            return Ok(None);
        }
        let key = PersonKey::Contact {
            kind: &kind,
            address: &id,
        };
        Ok(self.look_up(key).await)
    }

    async fn by_id(&mut self, id: String) -> wasmtime::Result<Option<Person>> {
        let _pause = self.pause();
        if self.shared.rights.manifest().contacts.is_empty() {
            let what = "look people up".to_owned();
            let toml = "contacts = [\"KIND\"]";
            self.deny(Denied::unasked(self.plugin(), what, toml));
            return Ok(None);
        }
        Ok(self.look_up(PersonKey::Id(&id)).await)
    }
}

impl Context {
    /// The person with the contacts that the plugin serves. A person who is not known, a failure
    /// and a call that has used up its lookups are all `None` to the plugin.
    async fn look_up(&mut self, key: PersonKey<'_>) -> Option<Person> {
        self.people += 1;
        if self.facts.without_rights || self.people > PEOPLE_PER_CALL {
            tracing::warn!(
                plugin = self.plugin(),
                "at most {PEOPLE_PER_CALL} lookups per call"
            );
            return None;
        }
        let found = self.shared.services.person(key).await;
        let mut person = found.unwrap_or_else(|error| {
            tracing::warn!(plugin = self.plugin(), %error, "people cannot be looked up");
            None
        })?;
        let served = &self.shared.rights.manifest().contacts;
        person.contacts.retain(|it| served.contains(&it.key));
        Some(person)
    }
}
