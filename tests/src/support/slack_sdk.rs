//! Slack's own Python library, as a judge of signatures.

use std::path::PathBuf;
use std::process::Command;

use super::{debian, python};
use crate::skip;

const SCRIPT: &str = include_str!("scripts/slack_signature.py");

/// The vendor's library.
pub struct SlackSdk {
    python: PathBuf,
}

impl SlackSdk {
    /// The library; absent, and said to be skipped for `test`, when there is no Python or no PyPI.
    #[must_use]
    pub fn find(test: &str) -> Option<Self> {
        match python::with("slack_sdk==3.47.0", "slack_sdk") {
            Ok(python) => Some(Self { python }),
            Err(why) => {
                skip::skipped(test, &why);
                None
            }
        }
    }

    /// The signature that the library makes of a body, for a moment in seconds since 1970.
    ///
    /// # Errors
    /// When Python fails.
    pub fn sign(&self, secret: &str, timestamp: &str, body: &str) -> Result<String, String> {
        let mut command = Command::new(&self.python);
        command.args(["-c", SCRIPT, secret, timestamp, body]);
        let output = debian::run(&mut command)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
