//! Builds payloads for plugins at delivery time, from the view's state. What a plugin may see is
//! decided in [`disclosure`](crate::disclosure).

use std::sync::Arc;

use tocsin_core::consequences::Notice;
use tocsin_core::incident::Incident;
use tocsin_core::{Actor, IncidentId, PersonId, PluginId, Recorded, TestId, Timestamp};
use tocsin_plugin_host::wit;
use tocsin_store::Store;

use crate::auth::AckLinks;
use crate::disclosure::wit::{wire_person, wire_time};
use crate::disclosure::{Clearance, PluginReceiver, StateChange};
use crate::people::Roster;
use crate::runtime::error::EngineError;
use crate::runtime::outbox::page::PageMessage;
use crate::runtime::state::view::{View, events_between};

/// What payloads need besides incidents.
#[derive(Clone)]
pub struct Payloads {
    pub roster: Arc<Roster>,
    /// The daemon's public URL, for links.
    pub base_url: String,
    /// Makes acknowledge links.
    pub ack_links: Arc<AckLinks>,
}

impl Payloads {
    /// The plugin event of a notice, or `None` when it is no longer wanted.
    ///
    /// An opened incident and a page, sent or settled, are built from the view's state; a log entry
    /// also reads its own event. A change needs the state before it too, which takes one read of
    /// the stream up to the change and one replay, however many events came later.
    ///
    /// # Errors
    /// [`EngineError`] when the incident's events cannot be read.
    pub fn event(
        &self,
        view: &View,
        id: &IncidentId,
        notice: &Notice,
        plugin: &PluginId,
        clearance: Clearance,
        now: Timestamp,
    ) -> Result<Option<wit::Event>, EngineError> {
        let Some(state) = view.incident(id)? else {
            return Ok(None);
        };
        let (incident, store) = (state.incident.as_ref(), view.store());
        let receiver = self.receiver(plugin, clearance);
        let mut caused_by = None;
        let body = match notice {
            Notice::Opened { .. } => {
                Some(wit::EventBody::IncidentOpened(receiver.incident(incident)))
            }
            Notice::Changed { from, to, .. } => {
                let change = change(store, id, *from, *to)?;
                caused_by = first_actor(change.as_ref().map(|it| it.happened.as_slice()));
                change.map(|it| receiver.changed(incident, it))
            }
            Notice::LogAdded { version } => {
                let event = events_between(store, id, version.saturating_sub(1), *version)?;
                caused_by = first_actor(Some(&event));
                let line = event.first();
                line.and_then(|it| receiver.log_entry(incident, *version, it))
            }
            Notice::UpdatePosted { version } => {
                let event = events_between(store, id, version.saturating_sub(1), *version)?;
                caused_by = first_actor(Some(&event));
                let posted = event.first();
                posted.and_then(|it| receiver.update(incident, *version, it))
            }
            // It goes out in a message.
            Notice::Page { .. } | Notice::Prompt { .. } => None,
            Notice::PromptSettled { prompt, .. } => {
                Some(receiver.prompt_settled(incident, *prompt))
            }
            Notice::Settled { page, .. } => {
                Some(receiver.settled(incident, *page, incident.answered_by()))
            }
        };
        let (kind, seq) = name_of(notice, incident.version);
        let is_echo = matches!(&caused_by, Some(Actor::Plugin(it)) if it == plugin);
        Ok(body.map(|body| wit::Event {
            id: format!("{id}/{kind}"),
            seq,
            origin: is_echo.then(|| plugin.to_string()),
            incident_id: Some(id.to_string()),
            at: wire_time(now),
            body,
        }))
    }

    /// An incident as a plugin may see it now.
    #[must_use]
    pub fn incident(
        &self,
        incident: &Incident,
        plugin: &PluginId,
        clearance: Clearance,
    ) -> wit::Incident {
        self.receiver(plugin, clearance).incident(incident)
    }

    /// The event of a message to a person, made for this plugin.
    #[must_use]
    pub(crate) fn message(
        &self,
        plugin: &PluginId,
        clearance: Clearance,
        message: PageMessage,
    ) -> wit::EventBody {
        let PageMessage {
            id,
            to,
            contact,
            zone,
            content,
        } = message;
        self.receiver(plugin, clearance)
            .message(id, (&to, Some(&contact)), zone, content)
    }

    /// The event that the button of a test was pressed, or that its time is over.
    #[must_use]
    pub(crate) fn test_settled(
        &self,
        plugin: &PluginId,
        test: &TestId,
        is_pressed: bool,
    ) -> wit::EventBody {
        let receiver = self.receiver(plugin, Clearance::Basic);
        receiver.test_settled(test, is_pressed)
    }

    /// A person, as sent to plugins.
    #[must_use]
    pub fn person(&self, id: &PersonId) -> wit::Person {
        wire_person(&self.roster.people, id)
    }

    #[must_use]
    pub fn clearance_of(&self, id: &PersonId) -> Clearance {
        Clearance::of_person(self.roster.people.get(id))
    }

    fn receiver<'a>(&'a self, plugin: &'a PluginId, clearance: Clearance) -> PluginReceiver<'a> {
        PluginReceiver {
            plugin,
            clearance,
            people: &self.roster.people,
            base_url: &self.base_url,
        }
    }
}

/// The change between two versions; `None` when the stream is shorter.
fn change(
    store: &dyn Store,
    id: &IncidentId,
    from: u64,
    to: u64,
) -> Result<Option<StateChange>, EngineError> {
    let mut events = events_between(store, id, 0, to)?;
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    if from >= events.len() {
        return Ok(None);
    }
    let happened = events.split_off(from);
    Ok(Incident::replay(id, &events)
        .ok()
        .map(|before| StateChange {
            after: happened.iter().fold(before.clone(), Incident::fold),
            before,
            happened,
        }))
}

fn first_actor(events: Option<&[Recorded]>) -> Option<Actor> {
    events.and_then(<[Recorded]>::first).map(|it| it.by.clone())
}

/// The ID of a notice within its incident, and its sequence number.
fn name_of(notice: &Notice, version: u64) -> (String, u64) {
    match notice {
        Notice::Opened { version } => (format!("{version}/opened"), *version),
        Notice::Changed { to, .. } => (format!("{to}/changed"), *to),
        Notice::LogAdded { version } => (format!("{version}/log"), *version),
        Notice::UpdatePosted { version } => (format!("{version}/update"), *version),
        Notice::Page { page, contact, .. } => (format!("p{page}/{contact}/page"), version),
        Notice::Prompt {
            prompt, contact, ..
        } => (format!("q{prompt}/{contact}/prompt"), version),
        Notice::PromptSettled {
            prompt, contact, ..
        } => (format!("q{prompt}/{contact}/settled"), version),
        Notice::Settled { page, contact, .. } => (format!("p{page}/{contact}/settled"), version),
    }
}

#[cfg(test)]
mod tests;
