//! The payload of an incident's first event.

use serde::{Deserialize, Serialize};

use crate::incident::Counts;
use crate::links::AlertLink;
use crate::{Grade, IncidentKey, Labels, Plan, PolicySource, TeamId};

/// The payload of an incident's first event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The short number that people use.
    pub number: u64,
    /// What it is about.
    pub key: IncidentKey,
    pub title: String,
    #[serde(default)]
    pub summary: String,
    /// The affected service.
    pub service: String,
    /// The team that owns it.
    #[serde(default)]
    pub team: Option<TeamId>,
    pub grade: Grade,
    /// Whether only people with clearance may see it.
    #[serde(default)]
    pub security: bool,
    /// Whether the policy is unsure of the grade.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsure: bool,
    pub grade_reason: String,
    /// The policy that graded it; absent when a person did.
    #[serde(default)]
    pub grade_source: Option<PolicySource>,
    /// Why it belongs to this key.
    #[serde(default)]
    pub route_reason: String,
    /// The policy that routed it; absent when a person opened it.
    #[serde(default)]
    pub route_source: Option<PolicySource>,
    /// Who to page.
    pub plan: Plan,
    pub plan_reason: String,
    /// The policy that planned it.
    #[serde(default)]
    pub plan_source: Option<PolicySource>,
    /// The first alert's labels.
    #[serde(default)]
    pub labels: Labels,
    /// A URL with more information.
    #[serde(default)]
    pub link: Option<String>,
    /// The first alert's runbook and other links; see [`links_of`](crate::links_of).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<AlertLink>,
    /// How many alerts it opened with.
    #[serde(default)]
    pub counts: Counts,
    /// Whether this is a drill, not a real incident.
    #[serde(default)]
    pub drill: bool,
    /// Labels of the first alerts of incidents that are part of it.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub merges: Labels,
}
