//! A real mail server, aiosmtpd, that stores every mail.

use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use super::process::Process;
use super::python;
use crate::{skip, wait};

const READY_WITHIN: Duration = Duration::from_secs(30);
const SCRIPT: &str = include_str!("scripts/smtp.py");

/// A mail as the server received it.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The decoded text parts.
    pub text: String,
}

impl Mail {
    /// A header's first value; names are case-insensitive.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|it| it.0.eq_ignore_ascii_case(name));
        found.map(|it| it.1.as_str())
    }
}

/// A running mail server.
pub struct SmtpServer {
    /// The loopback port it listens on.
    pub port: u16,
    process: Process,
}

impl SmtpServer {
    /// Starts one on a free port; `None`, reported as a skip of `test`, if there is no Python or no
    /// PyPI.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(test: &str) -> Result<Option<Self>, String> {
        let python = match python::with("aiosmtpd==1.4.6", "aiosmtpd") {
            Ok(python) => python,
            Err(why) => {
                skip::skipped(test, &why);
                return Ok(None);
            }
        };
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut command = Command::new(python);
        command.args(["-u", "-c", SCRIPT]);
        let process =
            Process::start("aiosmtpd", &mut command, dir).map_err(|error| error.to_string())?;
        let port = wait::until("aiosmtpd", READY_WITHIN, async || port(&process.output())).await;
        match port {
            Ok(port) => Ok(Some(Self { port, process })),
            Err(late) => Err(format!("{late}\n{}", process.report())),
        }
    }

    /// Every mail so far, in order.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        let parse = |line: &str| serde_json::from_str(line.strip_prefix("mail ")?).ok();
        self.process.output().lines().filter_map(parse).collect()
    }
}

fn port(output: &str) -> Option<u16> {
    output
        .lines()
        .find_map(|line| line.strip_prefix("port ")?.parse().ok())
}
