//! A program that is killed at any moment, and started again on the same data.

use std::fs;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::program::{Home, Program, admin_token, new_token, shown};
use crate::{paths, wait};

/// Where the program keeps compiled plugins, in its data folder.
const COMPILED: &str = "aot";
/// Compiled plugins of earlier runs, in the folder of tools.
const COMPILED_BEFORE: &str = "compiled";
/// With which the program marks what it compiled; the same for all, so that all can use it.
const COMPILED_KEY: [u8; 32] = [7; 32];
/// The machine may be slow, and some answers are read every ten seconds.
const WITHIN: Duration = Duration::from_secs(120);

static STARTS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The program in all of its lives. Its clones are the same program.
#[derive(Clone)]
pub struct Lives(Arc<Shared>);

struct Shared {
    home: Home,
    port: u16,
    /// Making one takes longer than a request.
    client: reqwest::Client,
    living: Mutex<Living>,
}

struct Living {
    program: Option<Program>,
    kills: usize,
    /// The logs of the lives before.
    log: String,
}

impl Lives {
    /// Starts the program with `tocsin.toml` of `home`, in which these plugins are configured. What
    /// an earlier run compiled is not compiled again.
    ///
    /// # Errors
    /// When it does not start; the text has its output.
    pub async fn begin(home: Home, port: u16, plugins: &[&str]) -> Result<Self, String> {
        let before = paths::tools().join(COMPILED_BEFORE).join(plugins.join("-"));
        let compiled = home.data.join(COMPILED);
        // One after the other: what the first compiles, the others need not.
        let _turn = STARTS.lock().await;
        let prepared = private_folder(&compiled);
        let prepared = prepared.and_then(|()| fs::write(compiled.join("key"), COMPILED_KEY));
        prepared.map_err(|error| error.to_string())?;
        copy_missing(&before, &compiled);
        let program = home.start(port).await?;
        copy_missing(&compiled, &before);
        let living = Living {
            program: Some(program),
            kills: 0,
            log: String::new(),
        };
        Ok(Self(Arc::new(Shared {
            home,
            port,
            client: reqwest::Client::new(),
            living: Mutex::new(living),
        })))
    }

    /// The URL of its endpoints, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.0.port)
    }

    /// Kills it with SIGKILL.
    pub fn kill(&self) {
        let mut living = self.lock();
        living.kills += 1;
        if let Some(program) = &mut living.program {
            program.process.kill();
        }
    }

    /// Posts a request to a path, and kills the program before it can have answered.
    ///
    /// # Errors
    /// When the program does not take the connection.
    pub fn post_and_kill(
        &self,
        path: &str,
        headers: &[(&str, String)],
        body: &str,
    ) -> io::Result<()> {
        let address = ("127.0.0.1", self.0.port);
        let mut text = format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n",
            self.0.port
        );
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("content-length: {}\r\n\r\n{body}", body.len());
        TcpStream::connect(address)?.write_all(text.as_bytes())?;
        self.kill();
        Ok(())
    }

    /// How often it was killed.
    #[must_use]
    pub fn kills(&self) -> usize {
        self.lock().kills
    }

    /// Starts it again if it was killed.
    ///
    /// # Errors
    /// When it does not start; the text has its output.
    pub async fn revive(&self) -> Result<(), String> {
        let ended = {
            let mut living = self.lock();
            let program = living.program.as_mut();
            let runs = program.is_some_and(|it| it.process.runs());
            living.program.take_if(|_| !runs)
        };
        let Some(ended) = ended else { return Ok(()) };
        let log = ended.log();
        drop(ended);
        let started = self.0.home.start(self.0.port).await;
        let mut living = self.lock();
        living.log.push_str(&log);
        living.program = Some(started?);
        Ok(())
    }

    /// Looks again and again, while the program runs, until there is something.
    ///
    /// # Errors
    /// When there is nothing for two minutes, or it does not start again.
    pub async fn until<T>(
        &self,
        what: &str,
        look: impl AsyncFn() -> Option<T>,
    ) -> Result<T, String> {
        let found = wait::until(what, WITHIN, async || match self.revive().await {
            Ok(()) => look().await.map(Ok),
            Err(why) => Some(Err(why)),
        });
        found.await.flatten()
    }

    /// The log of all its lives.
    #[must_use]
    pub fn log(&self) -> String {
        let living = self.lock();
        let log = living.program.as_ref().map(Program::log);
        format!("{}{}", living.log, log.unwrap_or_default())
    }

    /// The token of the first start.
    ///
    /// # Errors
    /// When there is none.
    pub fn admin(&self) -> io::Result<String> {
        admin_token(&self.0.home.data)
    }

    /// A new token with a scope, and with an integration for scope `ingest`.
    ///
    /// # Errors
    /// When the program refuses it.
    pub async fn token(&self, scope: &str, integration: Option<&str>) -> Result<String, String> {
        new_token(&self.url(), &self.0.home.data, scope, integration).await
    }

    /// The API's response to a path under `/api/v1`; `None` for 404.
    ///
    /// # Errors
    /// When there is no response, or a status other than 200 and 404.
    pub async fn show(&self, path: &str) -> Result<Option<Value>, String> {
        let admin = self.admin().map_err(|error| error.to_string())?;
        shown(&self.0.client, &self.url(), path, &admin).await
    }

    fn lock(&self) -> MutexGuard<'_, Living> {
        let living = self.0.living.lock();
        living.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies the files of a folder that another lacks. What fails is only compiled again.
fn copy_missing(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_missing(&path, &copy);
        } else if !copy.exists() && private_folder(to).is_ok() {
            // Through another name, as other tests copy the same.
            let Ok(part) = tempfile::NamedTempFile::new_in(to) else {
                return;
            };
            if fs::copy(&path, part.path()).is_ok() {
                let _kept = part.persist(&copy);
            }
        }
    }
}

/// The program trusts no folder that others can write.
fn private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path)
}
