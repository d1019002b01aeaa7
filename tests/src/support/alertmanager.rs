//! Debian's Alertmanager and its command-line tool.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::debian;
use super::process::{Process, free_port};
use crate::{skip, wait};

const PACKAGE: &str = "prometheus-alertmanager";
const HTTP_FILE: &str = "http.yml";
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running Alertmanager.
pub struct Alertmanager {
    /// Where it listens, `127.0.0.1:PORT`.
    pub address: String,
    pub process: Process,
}

impl Alertmanager {
    /// Starts one with this configuration (YAML) and waits until it is ready; `None`, reported as a
    /// skip of `test`, if the program is not available.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(test: &str, config: &str) -> Result<Option<Self>, String> {
        let program = debian::program(PACKAGE, "prometheus-alertmanager");
        let mut command = match program.and_then(|it| debian::with_its_data(&it)) {
            Ok(command) => command,
            Err(why) => {
                skip::skipped(test, &why);
                return Ok(None);
            }
        };
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let file = dir.path().join("alertmanager.yml");
        fs::write(&file, config).map_err(|error| error.to_string())?;
        let address = format!(
            "127.0.0.1:{}",
            free_port().map_err(|error| error.to_string())?
        );
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.path={}",
                dir.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=");
        let process =
            Process::start(PACKAGE, &mut command, dir).map_err(|error| error.to_string())?;
        let ready = format!("http://{address}/-/ready");
        let found = wait::until("Alertmanager", READY_WITHIN, async || {
            wait::answers(&ready).await
        });
        match found.await {
            Ok(()) => Ok(Some(Self { address, process })),
            Err(late) => Err(format!("{late}\n{}", process.report())),
        }
    }
}

/// `amtool`, pointed at a server.
pub struct Amtool {
    program: PathBuf,
    url: String,
    /// The folder of its HTTP configuration, if it has one.
    http: Option<TempDir>,
}

impl Amtool {
    /// The tool for the server at `url`; `None`, reported as a skip of `test`, if the program is
    /// not available.
    #[must_use]
    pub fn at(test: &str, url: &str) -> Option<Self> {
        match debian::program(PACKAGE, "amtool") {
            Ok(program) => Some(Self {
                program,
                url: url.to_owned(),
                http: None,
            }),
            Err(why) => {
                skip::skipped(test, &why);
                None
            }
        }
    }

    /// Sets its HTTP configuration (YAML), such as a token.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_http(&mut self, config: &str) -> Result<(), String> {
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        fs::write(dir.path().join(HTTP_FILE), config).map_err(|error| error.to_string())?;
        self.http = Some(dir);
        Ok(())
    }

    /// Runs it and returns what it prints.
    ///
    /// # Errors
    /// Its error output.
    pub fn run(&self, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .arg(format!("--alertmanager.url={}", self.url));
        if let Some(dir) = &self.http {
            let file = dir.path().join(HTTP_FILE);
            command.arg(format!("--http.config.file={}", file.display()));
        }
        // Ignore a configuration file of the machine.
        command.env("HOME", "/nonexistent");
        let output = debian::run(&mut command)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
