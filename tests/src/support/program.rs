//! The program as a separate process with its log, data folder and command line, for tests of what
//! is only visible from outside.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use super::config;
use super::process::{Process, free_port};
use crate::{paths, wait};

/// The name of the binary that Cargo builds beside the tests.
pub const PROGRAM: &str = "tocsin-under-test";
/// Debug builds compile plugins slowly, and the machine may be busy.
const READY_WITHIN: Duration = Duration::from_secs(90);
const ENDED_WITHIN: Duration = Duration::from_secs(30);

/// A folder with a configuration, in which the program can run repeatedly.
#[derive(Debug)]
pub struct Home {
    folder: tempfile::TempDir,
    /// The program; by default the one that Cargo built beside the tests.
    pub program: PathBuf,
    /// The folder of its store; by default `data` in this folder.
    pub data: PathBuf,
    /// Additional environment variables.
    pub env: Vec<(String, String)>,
}

/// A running program.
pub struct Program {
    /// The URL of its endpoints, `http://127.0.0.1:PORT`.
    pub url: String,
    pub process: Process,
    data: PathBuf,
}

impl Home {
    /// An empty one.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn new() -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        Ok(Self {
            program: paths::built(PROGRAM),
            data: folder.path().join("data"),
            folder,
            env: Vec::new(),
        })
    }

    /// Where its files are.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
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

    /// Writes the common configuration merged with each of `more`, starts the program, and waits
    /// until it accepts requests.
    ///
    /// # Errors
    /// When it does not start; the text has its output.
    pub async fn open(&self, more: &[&str]) -> Result<Program, String> {
        let port = free_port().map_err(|error| error.to_string())?;
        let url = format!("server.public-url = \"http://127.0.0.1:{port}\"");
        let config = config::with(&[&[url.as_str()][..], more].concat());
        let config = config.map_err(|error| error.to_string())?;
        let written = self.write("tocsin.toml", config);
        written.map_err(|error| error.to_string())?;
        self.start(port).await
    }

    /// Starts the program with `tocsin.toml` and waits until it accepts requests.
    ///
    /// # Errors
    /// When it does not start; the text has its output.
    pub async fn start(&self, port: u16) -> Result<Program, String> {
        let mut program = self.spawn(port).map_err(|error| error.to_string())?;
        let ready = format!("{}/readyz", program.url);
        let is_ready = wait::until("the program to be ready", READY_WITHIN, async || {
            if program.process.runs() {
                wait::answers(&ready).await.map(|()| true)
            } else {
                Some(false)
            }
        });
        match is_ready.await {
            Ok(true) => Ok(program),
            Ok(false) => Err(format!("it ended\n{}", program.process.report())),
            Err(late) => Err(format!("{late}\n{}", program.process.report())),
        }
    }

    /// Starts the program with `tocsin.toml` and does not wait.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self, port: u16) -> std::io::Result<Program> {
        let mut command = self.command();
        command
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .arg("--config")
            .arg(self.path().join("tocsin.toml"))
            .arg("--data-dir")
            .arg(&self.data);
        Ok(Program {
            url: format!("http://127.0.0.1:{port}"),
            process: Process::start("tocsin", &mut command, tempfile::tempdir()?)?,
            data: self.data.clone(),
        })
    }

    /// Runs a command that needs no daemon: `check`, `verify`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> std::io::Result<Output> {
        self.command().args(arguments).output()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
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
        admin_token(&self.data)
    }

    /// Runs a command against it, with the admin token.
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

    /// A new token with a scope, and with an integration for scope `ingest`.
    ///
    /// # Errors
    /// When the program refuses it.
    pub async fn token(&self, scope: &str, integration: Option<&str>) -> Result<String, String> {
        new_token(&self.url, &self.data, scope, integration).await
    }

    /// The API's response to a path under `/api/v1`; `None` for 404.
    ///
    /// # Errors
    /// When there is no response, or a status other than 200 and 404.
    pub async fn show(&self, path: &str) -> Result<Option<Value>, String> {
        let admin = self.admin().map_err(|error| error.to_string())?;
        shown(&reqwest::Client::new(), &self.url, path, &admin).await
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// Stops it with SIGTERM, waits for its end, and returns its log.
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

/// The response of the API at `url` to a path under `/api/v1`; `None` for 404.
pub(super) async fn shown(
    client: &reqwest::Client,
    url: &str,
    path: &str,
    admin: &str,
) -> Result<Option<Value>, String> {
    let asked = client
        .get(format!("{url}/api/v1/{path}"))
        .bearer_auth(admin);
    let answer = asked.send().await.map_err(|error| error.to_string())?;
    match answer.status().as_u16() {
        200 => answer.json().await.map_err(|error| error.to_string()),
        404 => Ok(None),
        other => Err(format!("{path} answers {other}")),
    }
}

/// A new token of the program at `url`, whose store is in `data`, with a scope, and with an
/// integration for scope `ingest`.
///
/// # Errors
/// When the program refuses it.
pub async fn new_token(
    url: &str,
    data: &Path,
    scope: &str,
    integration: Option<&str>,
) -> Result<String, String> {
    // The client needs a TLS provider even for plain HTTP; an already installed one will do.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let wanted = serde_json::json!({
        "name": format!("{scope} of the test"), "scope": scope, "integration": integration,
    });
    let asked = reqwest::Client::new()
        .post(format!("{url}/api/v1/tokens"))
        .bearer_auth(admin_token(data).map_err(|error| error.to_string())?)
        .json(&wanted);
    let answer = asked.send().await.map_err(|error| error.to_string())?;
    let made: Value = answer.json().await.map_err(|error| error.to_string())?;
    let token = made["token"].as_str();
    token.map(str::to_owned).ok_or_else(|| made.to_string())
}

/// The admin token that the first start wrote to `data`.
///
/// # Errors
/// When there is none.
pub fn admin_token(data: &Path) -> std::io::Result<String> {
    let text = std::fs::read_to_string(data.join("admin.token"))?;
    Ok(text.trim().to_owned())
}
