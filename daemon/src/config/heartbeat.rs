//! `[heartbeat]`: a sign of life to a service outside, which calls somebody when it stays away.

use serde::{Deserialize, Serialize};

use super::secret::SecretRef;
use super::text::Span;

/// The `[heartbeat]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HeartbeatConfig {
    /// The address that is fetched by GET while the daemon is well: `{ env = "NAME" }` or
    /// `{ file = "path" }`, since who knows it can feign life.
    pub url: SecretRef,
    /// How often. Default `"1m"`; `"10s"` to `"1h"`.
    #[serde(default = "every")]
    pub every: Span,
}

fn every() -> Span {
    Span::from_s(60)
}
