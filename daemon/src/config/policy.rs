//! `[policy]`: where the policies are.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::text::Zone;

/// The `[policy]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// The folder of the policies (`routing.rhai`, `grading.rhai`, …). Default `policies`.
    pub path: PathBuf,
    /// The IANA time zone in which policies see the time, as `ctx.now`. Default UTC.
    pub timezone: Zone,
    /// Whether policies are put in force only if the tests next to them pass. Default true.
    pub require_tests: bool,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            path: "policies".into(),
            timezone: Zone::default(),
            require_tests: true,
        }
    }
}
