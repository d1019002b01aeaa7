//! What is read of Statuspage's answers.

use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::serde_json::{self, Value, json};

/// The name of our part of an incident's metadata.
const OURS: &str = "tocsin";

/// What the page says that happened.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PageIncident {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) impact_override: Option<String>,
    /// Its address.
    #[serde(default)]
    pub(crate) shortlink: Option<String>,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    components: Option<Vec<Component>>,
}

/// A part of what the page is about.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Component {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
}

/// What an incident of the page carries of ours.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Marker {
    pub(crate) incident_id: String,
    /// The public updates that it has.
    #[serde(default)]
    pub(crate) updates: Vec<String>,
}

impl PageIncident {
    /// What it carries of ours; none if it is not ours.
    pub(crate) fn marker(&self) -> Option<Marker> {
        serde_json::from_value(self.metadata.get(OURS)?.clone()).ok()
    }

    /// Whether it is of this incident.
    pub(crate) fn is_of(&self, incident_id: &str) -> bool {
        self.marker()
            .is_some_and(|it| it.incident_id == incident_id)
    }

    /// The ids of the affected components.
    pub(crate) fn components(&self) -> impl Iterator<Item = &str> {
        let all = self.components.iter().flatten();
        all.map(|it| it.id.as_str())
    }
}

impl Marker {
    /// The whole metadata of an incident of ours.
    pub(crate) fn metadata(&self) -> Value {
        json!({ OURS: self })
    }
}
