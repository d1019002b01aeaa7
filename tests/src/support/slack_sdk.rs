//! Slack's Python library, as the reference for signatures.

use std::path::PathBuf;
use std::process::Command;

use tocsin::standin::slack::SignedRequest;

use super::{debian, python};
use crate::skip;

const SCRIPT: &str = include_str!("scripts/slack_signature.py");

/// The vendor's library.
pub struct SlackSdk {
    python: PathBuf,
}

impl SlackSdk {
    /// The library; `None`, reported as a skip of `test`, if there is no Python or no PyPI.
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

    /// The library's signature of a body, for a time in seconds since 1970.
    ///
    /// # Errors
    /// When Python fails.
    pub fn sign(&self, secret: &str, timestamp: &str, body: &str) -> Result<String, String> {
        self.run(&[secret, timestamp, body])
    }

    /// Whether the library takes a request for one that was signed with the secret, recently.
    ///
    /// # Errors
    /// When Python fails.
    pub fn is_valid(&self, secret: &str, request: &SignedRequest) -> Result<bool, String> {
        let SignedRequest {
            timestamp,
            signature,
            body,
        } = request;
        let said = self.run(&[secret, timestamp, body, signature])?;
        Ok(said == "True")
    }

    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.python);
        let output = debian::run(command.args(["-c", SCRIPT]).args(arguments))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
