//! A change, such as a deployment, as its sender reports it and as it is stored.

use serde::{Deserialize, Serialize};
use tocsin_core::{IntegrationId, Timestamp};

/// A change, such as a deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The integration that authenticated.
    pub integration: IntegrationId,
    /// One line for people.
    pub summary: String,
    pub timestamp: Timestamp,
    /// Its source, such as a host or a pipeline.
    #[serde(default)]
    pub source: Option<String>,
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub environment: Option<String>,
    /// Its outcome, in the sender's words.
    #[serde(default)]
    pub outcome: Option<String>,
    #[serde(default)]
    pub revision: Option<String>,
    /// Links for people.
    #[serde(default)]
    pub links: Vec<ChangeLink>,
}

/// A link for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeLink {
    /// An http or https URL.
    pub href: String,
    /// The link's text.
    #[serde(default)]
    pub text: Option<String>,
}
