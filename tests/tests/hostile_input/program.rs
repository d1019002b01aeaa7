//! The real program in a folder of its own, killed and started again as a test likes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use tocsin_tests::{paths, wait};

const CONFIG: &str = include_str!("program.toml");
/// The unit of times in `/proc`, in milliseconds: 100 ticks a second wherever Rust runs on Linux.
const TICK_MS: u64 = 10;
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Where a program lives: its configuration and its data outlive the process.
pub(crate) struct Home {
    program: PathBuf,
    folder: PathBuf,
    /// Where its data is.
    pub(crate) data: PathBuf,
}

/// A running program; killed when dropped.
pub(crate) struct Program {
    /// The doors, `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    child: Child,
    log: PathBuf,
}

impl Home {
    /// A home in `folder` for this program, with its data in `data`.
    pub(crate) fn new(program: &Path, folder: &Path, data: &Path) -> io::Result<Self> {
        let policies = paths::root().join("policies");
        let text = CONFIG.replace("POLICIES", &policies.to_string_lossy());
        fs::write(folder.join("tocsin.toml"), text)?;
        Ok(Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            data: data.to_owned(),
        })
    }

    /// Starts the program and waits until it says where it listens.
    pub(crate) async fn start(&self) -> Result<Program, String> {
        let mut program = self.spawn().map_err(|error| error.to_string())?;
        let ready = wait::until("the program", READY_WITHIN, async || {
            if let Ok(Some(status)) = program.child.try_wait() {
                return Some(Err(format!("it ended with {status}")));
            }
            let log = program.output();
            let at = log.split("listening on ").nth(1)?.lines().next()?;
            Some(Ok(at.trim().to_owned()))
        });
        match ready.await.and_then(|url| url) {
            Ok(url) => {
                program.url = url;
                Ok(program)
            }
            Err(why) => Err(format!("{why}; it printed:\n{}", program.output())),
        }
    }

    /// Starts the program and does not wait.
    pub(crate) fn spawn(&self) -> io::Result<Program> {
        let log = self.folder.join("output.log");
        let file = fs::File::create(&log)?;
        let child = Command::new(&self.program)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg("--config")
            .arg(self.folder.join("tocsin.toml"))
            .arg("--data-dir")
            .arg(&self.data)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()?;
        Ok(Program {
            url: String::new(),
            child,
            log,
        })
    }

    /// The token that the first start made.
    pub(crate) fn admin(&self) -> io::Result<String> {
        let text = fs::read_to_string(self.data.join("admin.token"))?;
        Ok(text.trim().to_owned())
    }
}

impl Program {
    /// What it has printed so far.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Kills it; what it holds is gone when this returns.
    pub(crate) fn kill(&mut self) {
        // Both fail only when it has ended already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }

    /// Makes a token that sends to an integration.
    pub(crate) async fn token(&self, admin: &str, integration: &str) -> Result<String, String> {
        // The client wants a TLS provider even for plain HTTP; an installed one is as good.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let wanted = json!({
            "name": format!("sends to {integration}"),
            "scope": "ingest",
            "integration": integration,
        });
        let asked = reqwest::Client::new()
            .post(format!("{}/api/v1/tokens", self.url))
            .bearer_auth(admin)
            .json(&wanted);
        let answer = asked.send().await.map_err(|error| error.to_string())?;
        let made: Value = answer.json().await.map_err(|error| error.to_string())?;
        let token = made["token"].as_str().map(str::to_owned);
        token.ok_or_else(|| format!("no token in {made}"))
    }

    /// How long it has computed so far, on all its threads; absent where the system does not say.
    pub(crate) fn computed(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).ok()?;
        // proc(5): the name ends with the last parenthesis; utime and stime are fields 14 and 15.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * TICK_MS))
    }

    /// Most memory that it ever had resident, in KiB; absent where the system does not say.
    pub(crate) fn peak_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
