//! Tests of the way to a person: they go out as messages with pages do, but about no incident.

use std::sync::Arc;

use tocsin_core::trial::TestPage;
use tocsin_core::{PluginId, TestId};
use tocsin_plugin_host::wit;
use tocsin_store::Claimed;

use crate::disclosure::wit::wire_time;
use crate::runtime::MAIL_CHANNEL;
use crate::runtime::outbox::Outbox;
use crate::runtime::outbox::deliver::{from_call, not_loaded};
use crate::runtime::outbox::message::not_read;
use crate::runtime::outbox::outcome::{About, Ended};
use crate::runtime::state::tables::page_test;

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
        let message = self.payloads.test_message(id, test, now);
        let ended = match &plugin {
            None => self.mail(message, test.at).await,
            Some(plugin) => {
                let Some(loaded) = self.loaded(plugin) else {
                    return not_loaded(plugin);
                };
                let clearance = loaded.clearance().into();
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
