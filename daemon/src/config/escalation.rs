//! `[escalation]`: who is paged when a policy's plan reaches nobody, and how long a channel may
//! take to deliver a page.

use serde::{Deserialize, Serialize};
use tocsin_core::PageTarget;
use tocsin_core::limits::{BUNDLE_WINDOW_MS, CONTACT_WAIT_MS, PERSON_PAGES_MAX};

use super::notify::NotifyConfig;
use super::text::Span;

/// The `[escalation]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EscalationConfig {
    /// Who is paged when a policy fails or a step of its plan reaches nobody: `person:NAME`,
    /// `oncall:ROTATION` or `team:NAME`; at least one must be a person or a team with people.
    /// Required if there is an integration.
    pub fallback: Vec<PageTarget>,
    /// A page that no channel of a rung has delivered after this time also goes to the person's
    /// next rung; 1 s to 10 min. Default `"30s"`.
    pub contact_wait: Span,
    /// What waits for a person within this time goes out as one message; the first page goes out at
    /// once. Up to 5 min. Default `"20s"`.
    pub bundle_window: Span,
    /// Most messages that a person gets in ten minutes; 1 to 20. Beyond it, one about critical
    /// incidents still goes out every two minutes, and what is held back is in the next. Default 6.
    pub pages_max: u32,
    /// The ladders of everybody who has none of their own.
    pub notify: NotifyConfig,
    /// The kinds of contacts that make a sound at night; `tocsin check` and `tocsin doctor` warn of
    /// ladders without one. At most 32. Default `["ntfy", "pushover", "phone", "sms"]`.
    pub loud: Vec<String>,
}

/// The kinds of contacts of the shipped plugins that wake people.
const LOUD: [&str; 4] = ["ntfy", "pushover", "phone", "sms"];
/// Most kinds of loud contacts.
pub(super) const LOUD_MAX: usize = 32;

impl Default for EscalationConfig {
    fn default() -> Self {
        Self {
            fallback: Vec::new(),
            contact_wait: Span::from_s(CONTACT_WAIT_MS / 1_000),
            bundle_window: Span::from_s(BUNDLE_WINDOW_MS / 1_000),
            pages_max: PERSON_PAGES_MAX,
            notify: NotifyConfig::default(),
            loud: LOUD.map(str::to_owned).into(),
        }
    }
}
