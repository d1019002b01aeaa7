//! Looks up people by contact.

use tocsin_core::PersonId;
use tocsin_plugin_host::capability::Reply;
use tocsin_plugin_host::capability::people::PeopleService;
use tocsin_plugin_host::wit::Person;

use super::{DaemonServices, PluginAccess};

impl PeopleService for DaemonServices {
    fn person_by_contact<'a>(&'a self, kind: &'a str, id: &'a str) -> Reply<'a, Option<Person>> {
        Box::pin(async move {
            let access = self.access()?;
            let person = person_by_contact(access, kind, id);
            Ok(person.map(|id| access.payloads.person(&id)))
        })
    }
}

pub(super) fn person_by_contact(access: &PluginAccess, kind: &str, id: &str) -> Option<PersonId> {
    let people = access.payloads.roster.people.values();
    let has = |it: &&tocsin_core::Person| {
        it.contacts
            .iter()
            .any(|contact| contact.kind == kind && contact.address == id)
    };
    people.into_iter().find(has).map(|it| it.id.clone())
}
