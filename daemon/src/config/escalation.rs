//! `[escalation]`: who is paged when a policy's plan reaches nobody, and how long a channel may
//! take to deliver a page.

use serde::{Deserialize, Serialize};
use tocsin_core::PageTarget;
use tocsin_core::limits::CONTACT_WAIT_MS;

use super::text::Span;

/// The `[escalation]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EscalationConfig {
    /// Who is paged when a policy fails or a step of its plan reaches nobody: `person:NAME`,
    /// `oncall:ROTATION` or `team:NAME`; at least one must be a person or a team with people.
    /// Required if there is an integration.
    pub fallback: Vec<PageTarget>,
    /// A page that a contact's channel has not delivered after this time also goes to the person's
    /// next contact; 1 s to 10 min. Default `"30s"`.
    pub contact_wait: Span,
}

impl Default for EscalationConfig {
    fn default() -> Self {
        Self {
            fallback: Vec::new(),
            contact_wait: Span::from_s(CONTACT_WAIT_MS / 1_000),
        }
    }
}
