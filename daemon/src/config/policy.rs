//! `[policy]`: where the policies are.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::text::Zone;

/// Most labels in `grade-labels`.
pub const GRADE_LABELS_MAX: usize = 16;

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
    /// The labels that decide a grade. An incident is regraded only when an alert has a new
    /// combination of these, or is the 10th, 50th, 100th or 1000th that fires; so include every
    /// label that `grading.rhai` reads, and leave out labels that differ from alert to alert, such
    /// as an instance. At most 16. Default `severity`, `priority`, `service`, `team`,
    /// `environment`, `env`, `security`, `category`, `data_loss`.
    pub grade_labels: Vec<String>,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        let labels = [
            "severity",
            "priority",
            "service",
            "team",
            "environment",
            "env",
            "security",
            "category",
            "data_loss",
        ];
        Self {
            path: "policies".into(),
            timezone: Zone::default(),
            require_tests: true,
            grade_labels: labels.map(str::to_owned).to_vec(),
        }
    }
}
