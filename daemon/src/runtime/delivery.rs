//! What a row of the outbox carries: who is to get what, as references. The payload is built
//! when it is delivered, under the clearance that holds then.

use std::collections::BTreeSet;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tocsin_core::command::Channels;
use tocsin_core::consequences::Notice;
use tocsin_core::{IncidentId, PluginId, Timestamp};
use tocsin_plugin_host::EventKind;
use tocsin_store::{Class, NewDelivery};

use crate::people::ServedContacts;

pub use crate::people::MAIL_CHANNEL;

/// A delivery's content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "parcel", rename_all = "kebab-case")]
pub enum Delivery {
    /// News of an incident for a plugin.
    News {
        plugin: PluginId,
        incident: IncidentId,
        /// What to tell.
        news: Notice,
    },
    /// A page through the host's own mail relay.
    Mail {
        incident: IncidentId,
        page: u32,
        contact: u32,
    },
    /// Work that a plugin queued for itself.
    Job {
        plugin: PluginId,
        /// Its id, stable over retries.
        id: String,
        /// What kind of work.
        topic: String,
        /// A JSON document.
        payload: String,
    },
    /// A schedule's turn.
    Tick {
        plugin: PluginId,
        /// The schedule's name.
        schedule: String,
        due: Timestamp,
        /// How many turns before it were missed.
        missed: u32,
    },
}

impl Delivery {
    /// The page that a row of the outbox brings, if it brings one.
    #[must_use]
    pub fn page_of(body: &serde_json::Value) -> Option<(IncidentId, u32)> {
        match Self::deserialize(body).ok()? {
            Self::Mail { incident, page, .. }
            | Self::News {
                incident,
                news: Notice::Page { page, .. },
                ..
            } => Some((incident, page)),
            Self::News { .. } | Self::Job { .. } | Self::Tick { .. } => None,
        }
    }
}

/// Who hears of what: what the plugins asked for and were granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscribers(pub Vec<Subscriber>);

/// What one loaded plugin was granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscriber {
    pub plugin: PluginId,
    /// The kinds of events that it gets.
    pub events: BTreeSet<EventKind>,
    /// The kinds of contacts that it reaches, e.g. `slack`.
    pub contacts: BTreeSet<String>,
    /// Whether it may know of security incidents.
    pub clearance: bool,
}

impl ServedContacts for ArcSwap<Subscribers> {
    fn serves(&self, kind: &str) -> bool {
        self.load().for_contact(kind).is_some()
    }
}

impl Subscribers {
    /// What a plugin was granted; `None` while it is not loaded.
    #[must_use]
    pub fn of(&self, plugin: &str) -> Option<&Subscriber> {
        self.0.iter().find(|it| it.plugin.as_str() == plugin)
    }

    /// The plugin that reaches contacts of this kind.
    #[must_use]
    pub fn for_contact(&self, kind: &str) -> Option<&Subscriber> {
        self.0
            .iter()
            .find(|it| it.contacts.contains(kind) && it.events.contains(&EventKind::Page))
    }

    /// The kinds of contacts that pages can be delivered to: those of the plugins, and the host's
    /// own mail relay.
    #[must_use]
    pub fn channels(&self) -> Channels {
        let pagers = self
            .0
            .iter()
            .filter(|it| it.events.contains(&EventKind::Page));
        let kinds = pagers.flat_map(|it| &it.contacts).map(String::as_str);
        kinds.chain([MAIL_CHANNEL]).collect()
    }

    /// The outbox rows that bring a notice to everybody who hears of it. A page that no plugin can
    /// bring goes to nobody here, and the caller is told.
    pub fn rows(&self, incident: &IncidentId, notice: &Notice, now: Timestamp) -> Vec<NewDelivery> {
        let row = |class: Class, lane: String, coalesce: Option<String>, parcel: &Delivery| {
            row_of(class, lane, coalesce, now, parcel)
        };
        match notice {
            Notice::Page {
                page,
                contact,
                person,
                channel,
            } if channel == MAIL_CHANNEL => {
                let incident = incident.clone();
                let parcel = Delivery::Mail {
                    incident,
                    page: *page,
                    contact: *contact,
                };
                let lane = format!("{person}/{channel}");
                vec![row(Class::Page, lane, None, &parcel)]
            }
            Notice::Page {
                person, channel, ..
            }
            | Notice::Settled {
                person, channel, ..
            } => {
                let is_page = matches!(notice, Notice::Page { .. });
                let class = if is_page { Class::Page } else { Class::Prompt };
                let reached = self.for_contact(channel);
                let taker = reached.filter(|it| is_page || it.events.contains(&EventKind::Settled));
                let lane = format!("{person}/{channel}");
                let send = |it: &Subscriber| row(class, lane, None, &news(it, incident, notice));
                taker.map(send).into_iter().collect()
            }
            Notice::Opened { .. } => self.told(
                EventKind::IncidentOpened,
                incident,
                notice,
                &mut |lane, parcel| row(Class::State, lane, None, parcel),
            ),
            Notice::Changed { counts_only, .. } => self.told(
                EventKind::IncidentChanged,
                incident,
                notice,
                &mut |lane, parcel| {
                    let coalesce = counts_only.then(|| "counts".to_owned());
                    row(Class::State, lane, coalesce, parcel)
                },
            ),
            Notice::LogAdded { .. } => self.told(
                EventKind::LogAdded,
                incident,
                notice,
                &mut |lane, parcel| row(Class::Bulk, lane, None, parcel),
            ),
        }
    }

    /// A row for each subscriber of this kind of news.
    fn told(
        &self,
        kind: EventKind,
        incident: &IncidentId,
        notice: &Notice,
        row: &mut dyn FnMut(String, &Delivery) -> NewDelivery,
    ) -> Vec<NewDelivery> {
        let takers = self.0.iter().filter(|it| it.events.contains(&kind));
        takers
            .map(|it| {
                let lane = format!("{}/{incident}", it.plugin);
                row(lane, &news(it, incident, notice))
            })
            .collect()
    }
}

fn news(taker: &Subscriber, incident: &IncidentId, notice: &Notice) -> Delivery {
    Delivery::News {
        plugin: taker.plugin.clone(),
        incident: incident.clone(),
        news: notice.clone(),
    }
}

/// A new row of the outbox with its parcel, ready at `now`.
#[must_use]
pub(crate) fn row_of(
    class: Class,
    lane: String,
    coalesce: Option<String>,
    now: Timestamp,
    parcel: &Delivery,
) -> NewDelivery {
    // proof: a parcel has string keys only, and so is always expressible as JSON
    let body = serde_json::to_value(parcel).unwrap_or_default();
    NewDelivery {
        class,
        lane,
        coalesce,
        not_before: now,
        created_at: now,
        body,
    }
}
