//! Converts the core's types to those of the plugin interface (`wire_…`) and back (`core_…`).

use std::collections::BTreeMap;

use serde_json::json;
use tocsin_core::event::{LogKind, Ref};
use tocsin_core::{Actor, Audience, Contact, Grade, Person, PersonId, PluginId, Status, Timestamp};
use tocsin_plugin_host::wit;

/// A person; only the ID if they are no longer in the configuration.
#[must_use]
pub fn wire_person(people: &BTreeMap<PersonId, Person>, id: &PersonId) -> wit::Person {
    let contact = |it: &Contact| wit::Label {
        key: it.kind.clone(),
        value: it.address.clone(),
    };
    let person = people.get(id);
    let contacts = person.map(|it| it.contacts.iter().map(contact).collect());
    wit::Person {
        id: id.to_string(),
        name: person.map_or_else(|| id.to_string(), |it| it.name.clone()),
        contacts: contacts.unwrap_or_default(),
        extra: json!({ "clearance": person.is_some_and(|it| it.clearance) }).to_string(),
    }
}

pub(super) fn wire_actor(people: &BTreeMap<PersonId, Person>, by: &Actor) -> wit::Actor {
    let name = match by {
        Actor::Person(id) => Some(wire_person(people, id).name),
        Actor::Tocsin => Some("tocsin".to_owned()),
        Actor::Integration(_) | Actor::Plugin(_) | Actor::Token(_) => None,
    };
    wit::Actor {
        kind: by.kind().to_owned(),
        id: by.id().to_owned(),
        display_name: name,
    }
}

pub(super) fn wire_ref(link: Ref) -> wit::ExternalRef {
    wit::ExternalRef {
        plugin: link.plugin.0,
        kind: link.kind,
        id: link.id,
        url: link.url,
    }
}

/// A ref that a plugin sets. It always belongs to the calling plugin, whatever `link` says.
#[must_use]
pub fn core_ref(plugin: &PluginId, link: wit::ExternalRef) -> Ref {
    Ref {
        plugin: plugin.clone(),
        kind: link.kind,
        id: link.id,
        url: link.url,
    }
}

pub(super) fn wire_grade(grade: Grade) -> wit::Grade {
    match grade {
        Grade::Minor => wit::Grade::Minor,
        Grade::Major => wit::Grade::Major,
        Grade::Critical => wit::Grade::Critical,
    }
}

/// A grade from a plugin.
#[must_use]
pub fn core_grade(grade: wit::Grade) -> Grade {
    match grade {
        wit::Grade::Minor => Grade::Minor,
        wit::Grade::Major => Grade::Major,
        wit::Grade::Critical => Grade::Critical,
    }
}

pub(super) fn wire_audience(audience: Audience) -> wit::Audience {
    match audience {
        Audience::Engineering => wit::Audience::Engineering,
        Audience::Company => wit::Audience::Company,
        Audience::Public => wit::Audience::Public,
    }
}

pub(super) fn wire_log_kind(kind: LogKind) -> wit::LogKind {
    match kind {
        LogKind::Seen => wit::LogKind::Seen,
        LogKind::Decided => wit::LogKind::Decided,
        LogKind::Done => wit::LogKind::Done,
        LogKind::Note => wit::LogKind::Note,
    }
}

/// The kind of a log entry from a plugin.
#[must_use]
pub fn core_log_kind(kind: wit::LogKind) -> LogKind {
    match kind {
        wit::LogKind::Seen => LogKind::Seen,
        wit::LogKind::Decided => LogKind::Decided,
        wit::LogKind::Done => LogKind::Done,
        wit::LogKind::Note => LogKind::Note,
    }
}

pub(super) fn wire_status(status: Status) -> wit::Status {
    match status {
        Status::Open => wit::Status::Open,
        Status::Mitigated => wit::Status::Mitigated,
        Status::Resolved => wit::Status::Resolved,
        Status::Closed => wit::Status::Closed,
    }
}

/// Milliseconds since 1970; 0 for earlier times.
#[must_use]
pub fn wire_time(at: Timestamp) -> u64 {
    u64::try_from(at.0).unwrap_or(0)
}
