//! Tests of the way to a person: they go out as messages with pages do, but about no incident.

use std::sync::Arc;

use tocsin_core::incident::Incident;
use tocsin_core::trial::TestPage;
use tocsin_core::{PluginId, TestId};
use tocsin_plugin_host::wit;
use tocsin_store::Claimed;

use crate::disclosure::Clearance;
use crate::disclosure::wit::wire_time;
use crate::runtime::MAIL_CHANNEL;
use crate::runtime::error::EngineError;
use crate::runtime::outbox::Outbox;
use crate::runtime::outbox::deliver::{from_call, not_loaded};
use crate::runtime::outbox::message::not_read;
use crate::runtime::outbox::outcome::{About, Ended};
use crate::runtime::state::tables::page_test;
use crate::runtime::state::view::IncidentState;

impl Outbox {
    /// Sends a test that is still open.
    pub(super) async fn send_test(
        self: &Arc<Self>,
        plugin: Option<PluginId>,
        id: TestId,
        claim: &Claimed,
    ) -> Ended {
        let ended = match page_test::test(self.view.store(), &id) {
            Err(error) => not_read(&error),
            Ok(None) => Ended::dropped("the test is not known"),
            Ok(Some(test)) if !test.is_open(self.clock.now()) => {
                Ended::given_up("it could not be sent in time".to_owned())
            }
            Ok(Some(test)) => self.send_open_test(plugin, (&id, &test), claim).await,
        };
        Ended {
            about: Some(About::Test(id)),
            ..ended
        }
    }

    async fn send_open_test(
        self: &Arc<Self>,
        plugin: Option<PluginId>,
        (id, test): (&TestId, &TestPage),
        claim: &Claimed,
    ) -> Ended {
        let now = self.clock.now();
        let open = match self.still_open(test) {
            Ok(open) => open,
            Err(error) => return not_read(&error),
        };
        let open: Vec<&Incident> = open.iter().map(|it| it.incident.as_ref()).collect();
        let message = |clearance| {
            let payloads = &self.payloads;
            payloads.test_message((id, test), &open, clearance, now)
        };
        let ended = match &plugin {
            // The relay shows what its reader may see.
            None => self.mail(message(Clearance::Security), test.at).await,
            Some(plugin) => {
                let Some(loaded) = self.loaded(plugin) else {
                    return not_loaded(plugin);
                };
                let clearance: Clearance = loaded.clearance().into();
                let message = message(clearance);
                let event = wit::Event {
                    id: format!("{id}/page"),
                    seq: 0,
                    origin: None,
                    incident_id: None,
                    // The same at each attempt, as of a page.
                    at: wire_time(claim.row.created_at),
                    body: self.payloads.message(plugin, clearance, message),
                };
                let delivery = self.delivery(plugin, &event.id, claim);
                from_call(plugin, loaded.deliver(event, delivery).await)
            }
        };
        let by = plugin.as_ref().map_or(MAIL_CHANNEL, PluginId::as_str);
        self.metrics.delivered(by, ended.end.word());
        ended
    }

    /// The incidents that a reminder of a shift names and that are active now.
    fn still_open(&self, test: &TestPage) -> Result<Vec<Arc<IncidentState>>, EngineError> {
        let named = test
            .shift
            .iter()
            .filter_map(|it| it.open.as_ref())
            .flatten();
        let mut open = Vec::new();
        for id in named {
            open.extend(self.view.incident(id)?);
        }
        open.retain(|it| it.incident.is_handed_over());
        Ok(open)
    }

    /// Tells the channel of a test that its button was pressed, or that its time is over.
    pub(super) async fn settle_test(
        self: &Arc<Self>,
        plugin: PluginId,
        id: &TestId,
        claim: &Claimed,
    ) -> Ended {
        let Some(loaded) = self.loaded(&plugin) else {
            return not_loaded(&plugin);
        };
        let is_pressed = match page_test::test(self.view.store(), id) {
            Err(error) => return not_read(&error),
            Ok(test) => test.is_some_and(|it| it.pressed_at.is_some()),
        };
        let event = wit::Event {
            id: format!("{id}/settled"),
            seq: 1,
            origin: None,
            incident_id: None,
            at: self.now_ms(),
            body: self.payloads.test_settled(&plugin, id, is_pressed),
        };
        let delivery = self.delivery(&plugin, &event.id, claim);
        from_call(&plugin, loaded.deliver(event, delivery).await)
    }
}
