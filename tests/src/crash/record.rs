//! Reads the whole store of a killed program.

use std::collections::{BTreeMap, BTreeSet};

use tocsin::runtime::{Delivery, decode_row, events_of, tally_of, timer_key};
use tocsin_core::alert::{Alert, Tally};
use tocsin_core::consequences::{Notice, wanted_timers};
use tocsin_core::{Event, Incident, IncidentId, Recorded, Timestamp, narrate};
use tocsin_plugin_host::capability::effects::EffectKey;
use tocsin_plugin_host::delivery_key;
use tocsin_store::{Class, OutboxRow, SledStore, Store, Table, TimerKey};

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
    /// Pages that wait in the outbox: incident, page, contact.
    pub pages_waiting: Vec<(IncidentId, u32, u32)>,
    /// Everything that waits in the outbox.
    pub waiting: Vec<OutboxRow>,
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
        let timers = timers.into_iter().map(|it| it.key);
        record.timers = timers.filter(|it| it.kind == OF_INCIDENTS).collect();
        for class in Class::ALL {
            let waiting = store.outbox(class, None, ROWS_MAX);
            record
                .waiting
                .extend(waiting.map_err(|error| text(&error))?);
        }
        record.pages_waiting = record.waiting.iter().filter_map(page_of).collect();
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

    /// The effect keys of pages that the incidents' logs report as unknown.
    #[must_use]
    pub fn unknown_in_logs(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for found in self.incidents.values() {
            for recorded in &found.events {
                if let Event::PageOutcomeUnknown { page, contact } = recorded.event {
                    keys.insert(page_effect(&found.incident.id, page, contact));
                }
            }
        }
        keys
    }

    /// The effect keys of pages that wait in the outbox.
    #[must_use]
    pub fn pages_in_outbox(&self) -> BTreeSet<String> {
        let pages = self.pages_waiting.iter();
        pages.map(|it| page_effect(&it.0, it.1, it.2)).collect()
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
        waiting.any(|it| it.body["incident"] == id.as_str())
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

/// The key of the effect by which the Slack plugin delivers a page to a contact.
pub(super) fn page_effect(incident: &IncidentId, page: u32, contact: u32) -> String {
    let delivery = format!("{incident}/p{page}/{contact}/page");
    let effect = EffectKey {
        plugin: PLUGIN.to_owned(),
        delivery: delivery_key(PLUGIN, &delivery),
        once: format!("http:page:{incident}-p{page}"),
    };
    effect.digest()
}

fn page_of(row: &OutboxRow) -> Option<(IncidentId, u32, u32)> {
    match decode_row::<Delivery>("a delivery", &row.body).ok()? {
        Delivery::Notice {
            incident,
            notice: Notice::Page { page, contact, .. },
            ..
        }
        | Delivery::Mail {
            incident,
            page,
            contact,
        } => Some((incident, page, contact)),
        _ => None,
    }
}
