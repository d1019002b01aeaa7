//! Looks up people by contact.

use tocsin_plugin_host::capability::Reply;
use tocsin_plugin_host::capability::people::{PeopleService, PersonKey};
use tocsin_plugin_host::wit::Person;

use super::{DaemonServices, PluginAccess};

impl PeopleService for DaemonServices {
    fn person<'a>(&'a self, key: PersonKey<'a>) -> Reply<'a, Option<Person>> {
        Box::pin(async move { Ok(find_person(self.access()?, key)) })
    }
}

pub(super) fn find_person(access: &PluginAccess, key: PersonKey<'_>) -> Option<Person> {
    let ids = access.payloads.roster.people.keys();
    let mut people = ids.map(|id| access.payloads.person(id));
    people.find(|it| key.matches(it))
}
