//! The content of an outbox row: the receiver and references. The payload is built at delivery
//! time, with the clearance at that time.

use std::collections::BTreeSet;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tocsin_core::command::Channels;
use tocsin_core::consequences::Notice;
use tocsin_core::pager::PageAttempt;
use tocsin_core::{IncidentId, MessageId, PluginId, TestId, Timestamp};
use tocsin_plugin_host::EventKind;
use tocsin_store::{Class, NewDelivery};

use crate::people::ServedContacts;

pub use crate::people::MAIL_CHANNEL;

/// A delivery's content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "parcel", rename_all = "kebab-case")]
pub enum Delivery {
    /// An event of an incident for a plugin.
    #[serde(rename = "news")]
    Notice {
        plugin: PluginId,
        incident: IncidentId,
        #[serde(rename = "news")]
        notice: Notice,
    },
    /// A message to a person that brings pages or asks something.
    Message {
        /// The plugin of its channel; `None` for the mail relay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plugin: Option<PluginId>,
        message: MessageId,
    },
    /// A test of the way to a person.
    Test {
        /// The plugin of its channel; `None` for the mail relay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plugin: Option<PluginId>,
        test: TestId,
    },
    /// The channel of a test learns that its button was pressed.
    TestSettled { plugin: PluginId, test: TestId },
    /// A page by mail, queued by an earlier version.
    Mail {
        incident: IncidentId,
        page: u32,
        contact: u32,
    },
    /// A job that a plugin queued for itself.
    Job {
        plugin: PluginId,
        /// Its id, stable over retries.
        id: String,
        /// The kind of job.
        topic: String,
        /// A JSON document.
        payload: String,
    },
    /// A tick of a plugin's schedule.
    Tick {
        plugin: PluginId,
        /// The schedule's name.
        schedule: String,
        due: Timestamp,
        /// How many earlier ticks were missed.
        missed: u32,
    },
}

impl Delivery {
    /// The page that an earlier version queued by itself, without a message.
    #[must_use]
    pub fn single_page(&self) -> Option<PageAttempt> {
        match self {
            Self::Mail {
                incident,
                page,
                contact,
            }
            | Self::Notice {
                incident,
                notice: Notice::Page { page, contact, .. },
                ..
            } => Some(PageAttempt {
                incident: incident.clone(),
                page: *page,
                contact: *contact,
                question: None,
            }),
            _ => None,
        }
    }
}

/// Which plugins receive which events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscribers(pub Vec<Subscriber>);

/// What one loaded plugin was granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscriber {
    pub plugin: PluginId,
    /// The kinds of events that it gets.
    pub events: BTreeSet<EventKind>,
    /// The kinds of contacts that it serves, such as `slack`.
    pub contacts: BTreeSet<String>,
    /// Whether it may see security incidents.
    pub clearance: bool,
}

impl ServedContacts for ArcSwap<Subscribers> {
    fn serves(&self, kind: &str) -> bool {
        self.load().for_contact(kind, EventKind::Page).is_some()
    }
}

impl Subscribers {
    /// What a plugin was granted; `None` while it is not loaded.
    #[must_use]
    pub fn of(&self, plugin: &str) -> Option<&Subscriber> {
        self.0.iter().find(|it| it.plugin.as_str() == plugin)
    }

    /// The plugin that delivers these events to contacts of this kind.
    #[must_use]
    pub fn for_contact(&self, kind: &str, event: EventKind) -> Option<&Subscriber> {
        self.0
            .iter()
            .find(|it| it.contacts.contains(kind) && it.events.contains(&event))
    }

    /// The kinds of contacts that pages and questions can be delivered to: those of the plugins,
    /// and the mail relay.
    #[must_use]
    pub fn channels(&self) -> Channels {
        let kinds = |event: EventKind| {
            let plugins = self.0.iter().filter(move |it| it.events.contains(&event));
            let kinds = plugins.flat_map(|it| &it.contacts).map(String::as_str);
            kinds.chain([MAIL_CHANNEL])
        };
        let served: Channels = kinds(EventKind::Page).collect();
        served.asking(kinds(EventKind::Prompt))
    }

    /// The outbox rows that deliver a notice to its subscribers.
    pub fn rows(&self, incident: &IncidentId, notice: &Notice, now: Timestamp) -> Vec<NewDelivery> {
        let row = |class: Class, lane: String, coalesce: Option<String>, delivery: &Delivery| {
            row_of(class, lane, coalesce, now, delivery)
        };
        match notice {
            // It waits to go out in a message.
            Notice::Page { .. } | Notice::Prompt { .. } => Vec::new(),
            Notice::PromptSettled {
                person, channel, ..
            }
            | Notice::Settled {
                person, channel, ..
            } => {
                let subscriber = self.for_contact(channel, EventKind::Settled);
                let lane = format!("{person}/{channel}");
                let send = |it: &Subscriber| {
                    row(Class::Prompt, lane, None, &notice_for(it, incident, notice))
                };
                subscriber.map(send).into_iter().collect()
            }
            Notice::Opened { .. } => self.to_subscribers(
                EventKind::IncidentOpened,
                incident,
                notice,
                &mut |lane, delivery| row(Class::State, lane, None, delivery),
            ),
            Notice::Changed { counts_only, .. } => self.to_subscribers(
                EventKind::IncidentChanged,
                incident,
                notice,
                &mut |lane, delivery| {
                    let coalesce = counts_only.then(|| "counts".to_owned());
                    row(Class::State, lane, coalesce, delivery)
                },
            ),
            Notice::UpdatePosted { .. } => self.to_subscribers(
                EventKind::UpdatePosted,
                incident,
                notice,
                &mut |lane, delivery| row(Class::State, lane, None, delivery),
            ),
            Notice::LogAdded { .. } => self.to_subscribers(
                EventKind::LogAdded,
                incident,
                notice,
                &mut |lane, delivery| row(Class::Bulk, lane, None, delivery),
            ),
        }
    }

    /// A row for each subscriber to this kind of event.
    fn to_subscribers(
        &self,
        kind: EventKind,
        incident: &IncidentId,
        notice: &Notice,
        row: &mut dyn FnMut(String, &Delivery) -> NewDelivery,
    ) -> Vec<NewDelivery> {
        let subscribers = self.0.iter().filter(|it| it.events.contains(&kind));
        subscribers
            .map(|it| {
                let lane = format!("{}/{incident}", it.plugin);
                row(lane, &notice_for(it, incident, notice))
            })
            .collect()
    }
}

fn notice_for(subscriber: &Subscriber, incident: &IncidentId, notice: &Notice) -> Delivery {
    Delivery::Notice {
        plugin: subscriber.plugin.clone(),
        incident: incident.clone(),
        notice: notice.clone(),
    }
}

/// A new outbox row, ready at `now`.
#[must_use]
pub(crate) fn row_of(
    class: Class,
    lane: String,
    coalesce: Option<String>,
    now: Timestamp,
    delivery: &Delivery,
) -> NewDelivery {
    // proof: a delivery has only string keys, and so is always expressible as JSON
    let body = serde_json::to_value(delivery).unwrap_or_default();
    NewDelivery {
        class,
        lane,
        coalesce,
        not_before: now,
        created_at: now,
        body,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_notice_keeps_its_name_on_disk() {
        let body = json!({
            "parcel": "news", "plugin": "slack", "incident": "inc",
            "news": { "notice": "log-added", "version": 3 },
        });
        let delivery = Delivery::deserialize(&body).unwrap();
        let notice = Notice::LogAdded { version: 3 };
        let expected = Delivery::Notice {
            plugin: "slack".into(),
            incident: IncidentId("inc".to_owned()),
            notice,
        };
        assert_eq!(delivery, expected);
        assert_eq!(serde_json::to_value(delivery).unwrap(), body);
    }
}
