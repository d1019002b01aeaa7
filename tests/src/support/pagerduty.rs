//! PagerDuty's Python client, as a sender of events.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::{debian, python};
use crate::skip;

const SCRIPT: &str = include_str!("scripts/pagerduty_event.py");

/// The vendor's client, for a daemon and a routing key.
pub struct PagerDuty {
    python: PathBuf,
    base: String,
    key: String,
}

impl PagerDuty {
    /// The client; `None`, reported as a skip of `test`, if there is no Python or no PyPI.
    #[must_use]
    pub fn find(test: &str, base: &str, key: &str) -> Option<Self> {
        match python::with("pagerduty==7.2.0", "pagerduty") {
            Ok(python) => Some(Self {
                python,
                base: base.to_owned(),
                key: key.to_owned(),
            }),
            Err(why) => {
                skip::skipped(test, &why);
                None
            }
        }
    }

    /// Calls `trigger`, `acknowledge` or `resolve` of the client with these arguments. Returns the
    /// deduplication key that the daemon answered with.
    ///
    /// # Errors
    /// When Python or the client fails.
    pub fn send(&self, action: &str, arguments: &Value) -> Result<String, String> {
        let arguments = arguments.to_string();
        let mut command = Command::new(&self.python);
        command.args(["-c", SCRIPT, &self.base, &self.key, action, &arguments]);
        let output = debian::run(&mut command)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
