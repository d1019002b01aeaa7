//! A change, such as a deployment: what senders tell of it and what its row keeps, in one type, so
//! that neither of them needs the other.

use serde::{Deserialize, Serialize};
use tocsin_core::{IntegrationId, Timestamp};

/// Something that was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The integration that authenticated.
    pub integration: IntegrationId,
    /// One line for people.
    pub summary: String,
    pub timestamp: Timestamp,
    /// Where it came from: a host, a pipeline.
    #[serde(default)]
    pub source: Option<String>,
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub environment: Option<String>,
    /// How it went, in the sender's words.
    #[serde(default)]
    pub outcome: Option<String>,
    #[serde(default)]
    pub revision: Option<String>,
    /// Where a person can look.
    #[serde(default)]
    pub links: Vec<ChangeLink>,
}

/// Where a person can look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeLink {
    /// An http or https URL.
    pub href: String,
    /// What is there.
    #[serde(default)]
    pub text: Option<String>,
}
