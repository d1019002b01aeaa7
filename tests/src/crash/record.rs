//! Reads the whole store of a killed program.

use std::collections::{BTreeMap, BTreeSet};

use tocsin::people::MadeOverride;
use tocsin::runtime::{
    Delivery, OUTCOME_TIMER, bundle, decode_row, events_of, queued_pages, tally_of, timer_key, told,
};
use tocsin_core::alert::{Alert, Tally};
use tocsin_core::consequences::{Notice, wanted_timers};
use tocsin_core::pager::PageAttempt;
use tocsin_core::{Event, Incident, IncidentId, MessageId, Recorded, Timestamp, narrate};
use tocsin_plugin_host::capability::effects::EffectKey;
use tocsin_plugin_host::delivery_key;
use tocsin_store::{Class, OutboxRow, SledStore, Store, Table, TimerKey};

use super::audit::LINE;

/// Most rows per read; no run has that many.
const ROWS_MAX: usize = 1_000_000;
/// The plugin that makes all deliveries.
const PLUGIN: &str = "slack";
/// Prefix of the keys under which the Slack plugin records unknown outcomes.
const DOUBTED: &str = "slack/unsure:";
/// The kind of a timer that belongs to an incident.
const OF_INCIDENTS: &str = "incident";

/// One incident with its events.
#[derive(Clone, Debug)]
pub struct IncidentRecord {
    /// Its state, folded from its events.
    pub incident: Incident,
    pub events: Vec<Recorded>,
    pub wants: BTreeSet<TimerKey>,
}

/// The contents of a store.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Whether each alert fires, by service and name.
    pub alerts: BTreeMap<(String, String), bool>,
    pub incidents: BTreeMap<IncidentId, IncidentRecord>,
    /// The incidents' timers that are set.
    pub timers: BTreeSet<TimerKey>,
    /// Pages that wait for their person.
    pub pages_queued: Vec<PageAttempt>,
    /// The pages of each message that was ever sent.
    pub messages: BTreeMap<MessageId, Vec<PageAttempt>>,
    /// Messages that wait in the outbox.
    pub messages_waiting: BTreeSet<MessageId>,
    /// Messages whose pages are being told what became of it.
    pub messages_told: BTreeSet<MessageId>,
    /// Everything that waits in the outbox.
    pub waiting: Vec<OutboxRow>,
    /// The overrides of rotations.
    pub overrides: Vec<MadeOverride>,
    /// External effects of unknown outcome, with the plugin's `once`.
    pub unknown: BTreeMap<String, String>,
    /// Effects whose outcome the plugin has recorded as unknown: it checks for them before it
    /// retries.
    pub doubted: BTreeSet<String>,
    /// Why deliveries were given up.
    pub dead_letters: Vec<String>,
    /// Incidents whose streams are packed.
    pub packed: usize,
}

impl Record {
    /// Reads a whole store.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn of(store: &SledStore) -> Result<Self, String> {
        let text = |error: &dyn std::error::Error| error.to_string();
        let rows = |table| {
            let rows = store.rows(table, "", None, ROWS_MAX);
            rows.map_err(|error| text(&error))
        };
        let mut record = Self::default();
        for (_, row) in rows(Table::Alert)? {
            let alert: Alert = decode_row("an alert", &row.value).map_err(|error| text(&error))?;
            let label = |name: &str| alert.labels.get(name).cloned().unwrap_or_default();
            let key = (label("service"), label("alertname"));
            record.alerts.insert(key, alert.firing);
        }
        for (stream, _) in store
            .streams(None, ROWS_MAX)
            .map_err(|error| text(&error))?
        {
            let Some(id) = stream.0.strip_prefix("incident/") else {
                continue;
            };
            let is_packed = store.is_packed(&stream);
            record.packed += usize::from(is_packed.map_err(|error| text(&error))?);
            let id = IncidentId(id.to_owned());
            let found = IncidentRecord::of(store, &id)?;
            record.incidents.insert(id, found);
        }
        let timers = store.timers(None, ROWS_MAX).map_err(|error| text(&error))?;
        for timer in timers.iter().filter(|it| it.key.kind == OUTCOME_TIMER) {
            let (message, _) = told(timer).map_err(|error| text(&error))?;
            record.messages_told.insert(message);
        }
        let timers = timers.into_iter().map(|it| it.key);
        record.timers = timers.filter(|it| it.kind == OF_INCIDENTS).collect();
        for class in Class::ALL {
            let waiting = store.outbox(class, None, ROWS_MAX);
            record
                .waiting
                .extend(waiting.map_err(|error| text(&error))?);
        }
        record.messages_waiting = record.waiting.iter().filter_map(message_of).collect();
        let queued = queued_pages(store).map_err(|error| text(&error))?;
        record.pages_queued = queued.into_iter().map(|(_, it)| it.attempt).collect();
        for (key, _) in rows(Table::Bundle)? {
            let id = message_of_key(&key).ok_or_else(|| format!("`{key}` is no message"))?;
            let part = bundle(store, &id).map_err(|error| text(&error))?;
            record
                .messages
                .extend(part.map(|it| (id.clone(), it.pages)));
        }
        for (key, row) in rows(Table::Effect)? {
            if row.value.get("started").is_some() {
                let once = row.value["once"].as_str().unwrap_or_default().to_owned();
                record.unknown.insert(key, once);
            }
        }
        for (key, _) in rows(Table::PluginKv)? {
            if let Some(effect) = key.strip_prefix(DOUBTED) {
                record.doubted.insert(format!("http:{effect}"));
            }
        }
        for (_, row) in rows(Table::Override)? {
            let over = decode_row("an override", &row.value);
            record.overrides.push(over.map_err(|error| text(&error))?);
        }
        for (_, row) in rows(Table::DeadLetter)? {
            record.dead_letters.push(row.value["why"].to_string());
        }
        Ok(record)
    }

    /// The incident of a service, if there is one; the newest.
    #[must_use]
    pub fn of_service(&self, service: &str) -> Option<&IncidentRecord> {
        let mut all = self.incidents.values().rev();
        all.find(|it| it.incident.about.service == service)
    }

    /// The effect keys of messages whose outcome an incident's log reports as unknown. Not every
    /// page of a message was in it: those that were not wanted any more were left out.
    #[must_use]
    pub fn unknown_in_logs(&self) -> BTreeSet<String> {
        let mut unknown = BTreeSet::new();
        for (id, found) in &self.incidents {
            for recorded in &found.events {
                if let Event::PageOutcomeUnknown { page, contact }
                | Event::PageAccepted {
                    page,
                    contact,
                    interrupted: true,
                    ..
                } = recorded.event
                {
                    let incident = id.clone();
                    unknown.insert(PageAttempt {
                        incident,
                        page,
                        contact,
                        question: None,
                    });
                }
            }
        }
        let messages = self.messages.iter();
        let said = messages.filter(|(_, pages)| pages.iter().any(|it| unknown.contains(it)));
        said.map(|(id, _)| page_effect(id)).collect()
    }

    /// The effect keys of messages that wait in the outbox, or whose pages are being told.
    #[must_use]
    pub fn messages_underway(&self) -> BTreeSet<String> {
        let messages = self.messages_waiting.iter().chain(&self.messages_told);
        messages.map(page_effect).collect()
    }

    /// The `once` of log lines that wait in the outbox.
    #[must_use]
    pub fn lines_underway(&self) -> BTreeSet<String> {
        self.waiting.iter().filter_map(line_of).collect()
    }

    /// In how many places a page waits: for its person, or in a message of the outbox.
    #[must_use]
    pub fn places_of(&self, page: &PageAttempt) -> usize {
        let queued = self.pages_queued.iter().filter(|it| *it == page).count();
        let messages = self.messages_waiting.iter();
        queued + messages.filter(|it| self.brings(it, page)).count()
    }

    /// Whether a page is being told what became of its message.
    #[must_use]
    pub fn is_being_told(&self, page: &PageAttempt) -> bool {
        self.messages_told.iter().any(|it| self.brings(it, page))
    }

    fn brings(&self, message: &MessageId, page: &PageAttempt) -> bool {
        let pages = self.messages.get(message);
        pages.is_some_and(|it| it.contains(page))
    }

    /// The log of the incident that an effect belongs to, for failure reports.
    #[must_use]
    pub fn log_of(&self, once: &str) -> String {
        let mut incidents = self.incidents.values();
        let found = incidents.find(|it| once.contains(it.incident.id.as_str()));
        let events = found.into_iter().flat_map(|found| {
            let line =
                |it: &Recorded| format!("\n    {} {}", it.at.0, narrate(&found.incident, it));
            found.events.iter().map(line)
        });
        events.collect()
    }

    /// Whether a delivery of the incident still waits in the outbox.
    #[must_use]
    pub fn is_owed(&self, id: &IncidentId) -> bool {
        let mut waiting = self.waiting.iter();
        let is_of = |it: &PageAttempt| it.incident == *id;
        let mut messages = self.messages_waiting.iter();
        let in_message = |it| self.messages.get(it).is_some_and(|it| it.iter().any(is_of));
        waiting.any(|it| it.body["incident"] == id.as_str())
            || self.pages_queued.iter().any(is_of)
            || messages.any(in_message)
    }

    /// Timers that are due before a time.
    pub fn due_before(&self, at: Timestamp) -> impl Iterator<Item = &TimerKey> {
        self.timers.iter().filter(move |it| it.due < at)
    }
}

impl IncidentRecord {
    fn of(store: &dyn Store, id: &IncidentId) -> Result<Self, String> {
        let events = events_of(store, id).map_err(|error| error.to_string())?;
        let incident = Incident::replay(id, &events).map_err(|error| error.to_string())?;
        let tally = tally_of(store, &incident).map_err(|error| error.to_string())?;
        Self::from(id, events, &tally)
    }

    /// An incident from its events.
    ///
    /// # Errors
    /// When the events cannot be folded.
    pub fn from(id: &IncidentId, events: Vec<Recorded>, tally: &Tally) -> Result<Self, String> {
        let incident = Incident::replay(id, &events).map_err(|error| error.to_string())?;
        let wants = wanted_timers(&incident, tally);
        Ok(Self {
            wants: wants.iter().map(timer_key).collect(),
            incident,
            events,
        })
    }
}

/// The key of the effect by which the Slack plugin delivers a message with pages.
pub(super) fn page_effect(message: &MessageId) -> String {
    let effect = EffectKey {
        plugin: PLUGIN.to_owned(),
        delivery: delivery_key(PLUGIN, &format!("{message}/page")),
        once: format!("http:page:{message}"),
    };
    effect.digest()
}

/// The message of a row of its pages, by the row's key.
fn message_of_key(key: &str) -> Option<MessageId> {
    let mut parts = key.split('/');
    let (person, number) = (parts.next()?, parts.next()?);
    Some(MessageId {
        person: person.into(),
        number: number.parse().ok()?,
    })
}

fn line_of(row: &OutboxRow) -> Option<String> {
    match decode_row::<Delivery>("a delivery", &row.body).ok()? {
        Delivery::Notice {
            incident,
            notice: Notice::LogAdded { version },
            ..
        } => Some(format!("{LINE}{incident}/{version}")),
        _ => None,
    }
}

fn message_of(row: &OutboxRow) -> Option<MessageId> {
    match decode_row::<Delivery>("a delivery", &row.body).ok()? {
        Delivery::Message { message, .. } => Some(message),
        _ => None,
    }
}
