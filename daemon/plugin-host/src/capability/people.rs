//! `people`: looks a person up, only by contact kinds that the plugin serves.

use super::context::Context;
use super::service::{Reply, not_provided};
use crate::rights::{Denied, toml_list};
use crate::wit::people::{Host, Person};

/// Most lookups per call.
const PEOPLE_PER_CALL: u32 = 100;

/// What the daemon provides.
pub trait PeopleService: Send + Sync + 'static {
    /// Finds a person by their id in a channel.
    fn person_by_contact<'a>(&'a self, _kind: &'a str, _id: &'a str) -> Reply<'a, Option<Person>> {
        not_provided()
    }
}

impl Host for Context {
    async fn by_contact(&mut self, kind: String, id: String) -> wasmtime::Result<Option<Person>> {
        let _pause = self.pause();
        self.people += 1;
        let contacts = &self.shared.rights.manifest().contacts;
        if !contacts.contains(&kind) {
            let list = contacts.iter().map(String::as_str).chain([kind.as_str()]);
            let toml = format!("contacts = {}", toml_list(list));
            let what = format!("look people up by the contact kind `{kind}`");
            let denied = Denied::unasked(self.plugin(), what, &toml);
            self.deny(denied);
            return Ok(None);
        }
        if self.facts.without_rights || self.people > PEOPLE_PER_CALL {
            tracing::warn!(
                plugin = self.plugin(),
                "at most {PEOPLE_PER_CALL} lookups per call"
            );
            return Ok(None);
        }
        let found = self.shared.services.person_by_contact(&kind, &id).await;
        let mut person = found.unwrap_or_else(|error| {
            tracing::warn!(plugin = self.plugin(), %error, "people cannot be looked up");
            None
        });
        if let Some(person) = &mut person {
            person
                .contacts
                .retain(|contact| contacts.contains(&contact.key));
        }
        Ok(person)
    }
}
