//! Messages to people that bring pages or ask something, by a plugin or by the daemon's mail
//! relay: the last contact of every person, in case every plugin is down.

use std::collections::BTreeSet;
use std::sync::Arc;

use tocsin_core::pager::PageAttempt;
use tocsin_core::{Contact, MessageId, PluginId, Timestamp};
use tocsin_plugin_host::wit;
use tocsin_store::Claimed;

use crate::disclosure::Clearance;
use crate::disclosure::wit::wire_time;
use crate::mail::{MailError, PageMail};
use crate::runtime::MAIL_CHANNEL;
use crate::runtime::engine::request::{Request, Write};
use crate::runtime::engine::{is_wanted, queued};
use crate::runtime::error::EngineError;
use crate::runtime::outbox::Outbox;
use crate::runtime::outbox::deliver::{from_call, not_loaded};
use crate::runtime::outbox::outcome::{About, End, Ended};
use crate::runtime::outbox::page::{PageMessage, Wanted};
use crate::runtime::state::tables::pager::{bundle, put_bundle};

impl Outbox {
    /// Sends a message with those of its pages that are still wanted.
    pub(super) async fn send_message(
        self: &Arc<Self>,
        plugin: Option<PluginId>,
        id: MessageId,
        claim: &Claimed,
    ) -> Ended {
        let ended = match self.named_by(&id).await {
            Err(error) => not_read(&error),
            Ok(None) => Ended::given_up("its pages are not known".to_owned()),
            Ok(Some((contact, named))) => {
                self.send_wanted(plugin, (&id, &contact), &named, claim)
                    .await
            }
        };
        Ended {
            about: Some(About::Message(id)),
            ..ended
        }
    }

    /// Where a message goes, and those of its pages that are still wanted, with their incidents. It
    /// is durable which ones it does not name before it goes out: its button must not acknowledge
    /// them. `None` if the message is not known.
    async fn named_by(
        &self,
        id: &MessageId,
    ) -> Result<Option<(Contact, Vec<Wanted>)>, EngineError> {
        let Some(mut whole) = bundle(self.view.store(), id)? else {
            return Ok(None);
        };
        let (mut named, mut unnamed) = (Vec::new(), BTreeSet::new());
        for (place, attempt) in whole.pages.iter().enumerate() {
            match self.view.incident(&attempt.incident)? {
                Some(state) if is_wanted(&state.incident, attempt) => {
                    let attempt = attempt.clone();
                    named.push(Wanted { state, attempt });
                }
                _ => drop(unnamed.insert(place)),
            }
        }
        if unnamed != whole.unnamed && !named.is_empty() {
            whole.unnamed = unnamed;
            let write = Write {
                rows: put_bundle(id, &whole, self.clock.now())?,
                ..Write::default()
            };
            self.writer.ask(Request::Write(Box::new(write))).await?;
        }
        Ok(Some((whole.contact, named)))
    }

    async fn send_wanted(
        self: &Arc<Self>,
        plugin: Option<PluginId>,
        (id, contact): (&MessageId, &Contact),
        wanted: &[Wanted],
        claim: &Claimed,
    ) -> Ended {
        if wanted.is_empty() {
            return Ended::dropped("its pages are not wanted");
        }
        let ended = match &plugin {
            Some(plugin) => {
                self.send_to_plugin(plugin, (id, contact), wanted, claim)
                    .await
            }
            None if contact.kind == MAIL_CHANNEL => self.send_mail((id, contact), wanted).await,
            None => Ended::given_up("no plugin delivers to it".to_owned()),
        };
        if let End::Again { why, .. } | End::GivenUp(why) = &ended.end {
            let (pages, channel) = (wanted.len(), &contact.kind);
            tracing::warn!(message = %id, channel, pages, why, "a message to a person failed");
        }
        let by = plugin.as_ref().map_or(MAIL_CHANNEL, PluginId::as_str);
        self.metrics.delivered(by, ended.end.word());
        ended
    }

    async fn send_to_plugin(
        self: &Arc<Self>,
        plugin: &PluginId,
        (id, contact): (&MessageId, &Contact),
        wanted: &[Wanted],
        claim: &Claimed,
    ) -> Ended {
        let Some(loaded) = self.loaded(plugin) else {
            return not_loaded(plugin);
        };
        let clearance: Clearance = loaded.clearance().into();
        let shown_by = Some((plugin, clearance));
        let message = self.message_of((id, contact), wanted, shown_by);
        let kind = match message.content.question {
            None => "page",
            Some(_) => "prompt",
        };
        let event = wit::Event {
            id: format!("{id}/{kind}"),
            seq: wanted
                .iter()
                .map(|it| it.state.incident.version)
                .max()
                .unwrap_or(0),
            origin: None,
            incident_id: wanted.first().map(|it| it.attempt.incident.to_string()),
            // The same at each attempt: a plugin looks for what an earlier one sent since then.
            at: wire_time(claim.row.created_at),
            body: self.payloads.message(plugin, clearance, message),
        };
        let delivery = self.delivery(plugin, &event.id, claim);
        from_call(plugin, loaded.deliver(event, delivery).await)
    }

    async fn send_mail(&self, id: (&MessageId, &Contact), wanted: &[Wanted]) -> Ended {
        let message = self.message_of(id, wanted, None);
        let sent = |it: &Wanted| {
            let incident = &it.state.incident;
            match it.attempt.question {
                None => Some(incident.paging.pages.get(&it.attempt.page)?.at),
                Some(_) => Some(incident.prompts.all.get(&it.attempt.page)?.asked_at),
            }
        };
        let at = wanted.iter().find_map(sent);
        self.mail(message, at.unwrap_or_else(|| self.clock.now()))
            .await
    }

    /// Sends a message through the relay; `at`: since when it is wanted.
    pub(super) async fn mail(&self, message: PageMessage, at: Timestamp) -> Ended {
        let Some(mailer) = &self.mailer else {
            return Ended::given_up("no [mail] relay is configured".to_owned());
        };
        let person = self.payloads.roster.people.get(&message.to);
        let mail = PageMail {
            key: message.id,
            to: message.contact.address,
            name: person.map_or_else(|| message.to.to_string(), |it| it.name.clone()),
            at,
            content: message.content,
        };
        match mailer.send(&mail).await {
            Ok(_) => Ended::of(End::Done),
            Err(error @ MailError::Rejected { .. }) => Ended::given_up(error.to_string()),
            // The Message-ID is stable, so that a duplicate is recognized.
            Err(error) => Ended {
                outcome_unknown: matches!(error, MailError::Unknown { .. }),
                ..Ended::again(error.to_string())
            },
        }
    }

    fn message_of(
        &self,
        (id, contact): (&MessageId, &Contact),
        wanted: &[Wanted],
        shown_by: Option<(&PluginId, Clearance)>,
    ) -> PageMessage {
        let now = self.clock.now();
        self.payloads
            .message_of((id, contact), wanted, shown_by, now)
    }

    /// A page that an earlier version queued by itself waits for its person, as others do.
    pub(super) async fn queue_again(&self, attempt: PageAttempt) -> Ended {
        let state = match self.view.incident(&attempt.incident) {
            Ok(state) => state,
            Err(error) => return Ended::again(error.to_string()),
        };
        let sent = state
            .as_ref()
            .and_then(|it| it.incident.paging.pages.get(&attempt.page));
        let Some(sent) = sent else {
            return Ended::dropped("the page is not wanted");
        };
        let queued = queued(&sent.person, attempt, self.clock.now());
        match queued {
            Ok(write) => match self.writer.ask(Request::Write(Box::new(write))).await {
                Ok(_) => Ended::dropped("it waits to go out in a message"),
                Err(error) => Ended::again(error.to_string()),
            },
            Err(error) => Ended::given_up(error.to_string()),
        }
    }
}

/// What is damaged is never read; anything else may be later.
pub(super) fn not_read(error: &EngineError) -> Ended {
    match error {
        error @ EngineError::Damaged(_) => Ended::given_up(error.to_string()),
        error => Ended::again(error.to_string()),
    }
}
