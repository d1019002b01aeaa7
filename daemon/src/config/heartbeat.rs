//! `[heartbeat]`: a heartbeat to an external service, which alerts somebody when it stops.

use serde::{Deserialize, Serialize};

use super::secret::SecretRef;
use super::text::Span;

/// The `[heartbeat]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HeartbeatConfig {
    /// The URL to GET while the daemon is healthy: `{ env = "NAME" }` or `{ file = "path" }`, as
    /// anyone who knows the URL can fake the heartbeat.
    pub url: SecretRef,
    /// How often. Default `"1m"`; `"10s"` to `"1h"`.
    #[serde(default = "every")]
    pub every: Span,
}

fn every() -> Span {
    Span::from_s(60)
}
