//! What the plugin remembers: of each incident on the page, and of updates that are not there yet.

use crate::page::{Marker, PageIncident};
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::kv;
use tocsin_plugin_sdk::types::{Failure, Timestamp, Update};

/// How long an incident without events is remembered; later its link and its marker on the page
/// identify it.
const ROW_TTL_MS: u64 = 180 * 24 * 3_600_000;
/// How long an update waits to be posted: its delivery is retried for a day.
const WAITING_TTL_MS: u64 = 24 * 3_600_000;
/// Most updates of an incident that are remembered as posted, the newest.
const UPDATES_MAX: usize = 200;
/// Most updates of an incident that wait.
const WAITING_MAX: u32 = 100;

/// An incident of ours on the page.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    /// The page's id.
    page: String,
    /// The incident's id on the page; none until it is known to be there.
    pub(crate) id: Option<String>,
    pub(crate) url: Option<String>,
    /// The ids of its components.
    pub(crate) components: Vec<String>,
    pub(crate) status: String,
    pub(crate) impact: Option<String>,
    /// The ids of those that were posted.
    pub(crate) updates: Vec<String>,
    /// What was sent, while its outcome is unknown.
    pub(crate) sent: Option<Sent>,
    /// Subscribers know that it is over, and were told nothing else since.
    pub(crate) is_end_told: bool,
    /// The incident is linked to it.
    pub(crate) is_linked: bool,
    /// Somebody deleted it.
    pub(crate) is_gone: bool,
}

/// What was sent to the page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sent {
    /// The update; none for a change of the state.
    pub(crate) update: Option<String>,
    pub(crate) status: String,
    pub(crate) impact: Option<String>,
    pub(crate) at: Timestamp,
}

/// A public update that is not on the page yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    pub(crate) body: String,
    /// The status on the page that goes with it.
    pub(crate) status: String,
}

impl Row {
    /// The row of an incident; an empty one if there is none for this page.
    pub(crate) fn load(incident_id: &str, page: &str) -> Result<Self, Failure> {
        let found = kv::get::<Self>(&key(incident_id))?.map(|it| it.value);
        let found = found.filter(|it| it.page == page);
        Ok(found.unwrap_or_else(|| Self {
            page: page.into(),
            ..Self::default()
        }))
    }

    pub(crate) fn save(&self, incident_id: &str) -> Result<(), Failure> {
        kv::set(&key(incident_id), self, Some(ROW_TTL_MS)).map(drop)
    }

    /// Takes over what the page shows.
    pub(crate) fn take(&mut self, found: &PageIncident) {
        self.id = Some(found.id.clone());
        self.url.clone_from(&found.shortlink);
        self.status.clone_from(&found.status);
        self.impact.clone_from(&found.impact_override);
        self.components = found.components().map(Into::into).collect();
        for id in found.marker().into_iter().flat_map(|it| it.updates) {
            self.add(&id);
        }
    }

    pub(crate) fn has(&self, update: &str) -> bool {
        self.updates.iter().any(|it| it == update)
    }

    pub(crate) fn add(&mut self, update: &str) {
        if !self.has(update) {
            self.updates.push(update.into());
        }
        let excess = self.updates.len().saturating_sub(UPDATES_MAX);
        self.updates.drain(..excess);
    }

    /// What the incident on the page carries of ours, with one more update.
    pub(crate) fn marker(&self, incident_id: &str, update: Option<&str>) -> Marker {
        let mut with = self.clone();
        update.iter().for_each(|it| with.add(it));
        Marker {
            incident_id: incident_id.into(),
            updates: with.updates,
        }
    }
}

/// Removes the row, as if the incident had never been on the page.
pub(crate) fn forget(incident_id: &str) -> Result<(), Failure> {
    kv::delete(&key(incident_id)).map(drop)
}

/// Notes that an update waits, if it is not noted yet. So whichever call comes next posts them in
/// their order, although a delivery that is retried does not hold up the later ones.
pub(crate) fn note(update: &Update, seq: u64, status: &str) -> Result<(), Failure> {
    let waiting = Waiting {
        id: update.id.clone(),
        body: update.body.clone(),
        status: status.into(),
    };
    // As wide as the largest number, so that the keys are in the order of the numbers.
    let key = format!("{}{seq:020}", waiting_key(&update.incident.id));
    kv::swap(&key, None, &waiting, Some(WAITING_TTL_MS)).map(drop)
}

/// The updates of an incident that wait, the oldest first, each with its key.
pub(crate) fn waiting(incident_id: &str) -> Result<Vec<(String, Waiting)>, Failure> {
    let keys = kv::keys(&waiting_key(incident_id), None, WAITING_MAX)?.keys;
    let mut found = Vec::new();
    for key in keys {
        let waiting = kv::get::<Waiting>(&key)?;
        found.extend(waiting.map(|it| (key, it.value)));
    }
    Ok(found)
}

fn key(incident_id: &str) -> String {
    format!("incident:{incident_id}")
}

fn waiting_key(incident_id: &str) -> String {
    format!("waiting:{incident_id}/")
}
