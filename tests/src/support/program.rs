//! The program as its users have it: a process of its own with its log, its data folder and its
//! command line. What only shows from outside (the log, the disk, a busy machine) is tested so.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use super::process::Process;
use crate::{paths, wait};

/// The name under which Cargo builds it beside the tests.
const PROGRAM: &str = "tocsin-under-test";
/// Debug builds compile plugins slowly, and the machine may be busy.
const READY_WITHIN: Duration = Duration::from_secs(90);
const ENDED_WITHIN: Duration = Duration::from_secs(30);

/// A folder with a configuration in which the program can run, again and again.
#[derive(Debug)]
pub struct Home {
    folder: tempfile::TempDir,
    /// What its environment has besides.
    pub env: Vec<(String, String)>,
}

/// A running program.
pub struct Program {
    /// The doors, `http://127.0.0.1:PORT`.
    pub url: String,
    process: Process,
    data: PathBuf,
}

impl Home {
    /// An empty one.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
            env: Vec::new(),
        })
    }

    /// Where its files are.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where its store is.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Writes a file into it.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn write(&self, file: &str, bytes: impl AsRef<[u8]>) -> std::io::Result<PathBuf> {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap_or(self.path()))?;
        std::fs::write(&path, bytes)?;
        Ok(path)
    }

    /// Starts the program on `tocsin.toml` here and waits until it takes requests.
    ///
    /// # Errors
    /// When it does not start: what it printed.
    pub async fn start(&self, port: u16) -> Result<Program, String> {
        let mut command = self.command();
        command
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .arg("--config")
            .arg(self.path().join("tocsin.toml"));
        let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
        let process = Process::start("tocsin", &mut command, scratch);
        let mut process = process.map_err(|error| error.to_string())?;
        let url = format!("http://127.0.0.1:{port}");
        let ready = format!("{url}/readyz");
        let is_ready = wait::until("the program to be ready", READY_WITHIN, async || {
            if process.runs() {
                wait::answers(&ready).await.map(|()| true)
            } else {
                Some(false)
            }
        });
        match is_ready.await {
            Ok(true) => Ok(Program {
                url,
                process,
                data: self.data(),
            }),
            Ok(false) => Err(format!("it ended\n{}", process.report())),
            Err(late) => Err(format!("{late}\n{}", process.report())),
        }
    }

    /// Runs the program once without a daemon: `check`, `verify`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> std::io::Result<Output> {
        self.command().args(arguments).output()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(paths::built(PROGRAM));
        let pairs = self.env.iter().map(|(name, value)| (name, value));
        command.current_dir(self.path()).envs(pairs);
        command
    }
}

impl Program {
    /// The token of the first start.
    ///
    /// # Errors
    /// When there is none.
    pub fn admin(&self) -> std::io::Result<String> {
        let text = std::fs::read_to_string(self.data.join("admin.token"))?;
        Ok(text.trim().to_owned())
    }

    /// Runs a command of its command line against it, as its admin.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn cli(&self, arguments: &[&str]) -> std::io::Result<Output> {
        let mut command = Command::new(paths::built(PROGRAM));
        command
            .args(arguments)
            .env("TOCSIN_URL", &self.url)
            .env("TOCSIN_TOKEN_FILE", self.data.join("admin.token"));
        command.output()
    }

    /// A new token: of scope `ingest` for an integration, else of a scope.
    ///
    /// # Errors
    /// What it answers instead.
    pub async fn token(&self, scope: &str, integration: Option<&str>) -> Result<String, String> {
        let wanted = serde_json::json!({
            "name": format!("{scope} of the test"), "scope": scope, "integration": integration,
        });
        let asked = reqwest::Client::new()
            .post(format!("{}/api/v1/tokens", self.url))
            .bearer_auth(self.admin().map_err(|error| error.to_string())?)
            .json(&wanted);
        let answer = asked.send().await.map_err(|error| error.to_string())?;
        let made: Value = answer.json().await.map_err(|error| error.to_string())?;
        let token = made["token"].as_str();
        token.map(str::to_owned).ok_or_else(|| made.to_string())
    }

    /// All that it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// Tells it to stop, as a service manager does, waits for its end, and gives its log.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(mut self) -> Result<String, String> {
        let told = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status();
        told.map_err(|error| error.to_string())?;
        let ended = async || (!self.process.runs()).then_some(());
        wait::until("the program to end", ENDED_WITHIN, ended).await?;
        Ok(self.log())
    }
}
