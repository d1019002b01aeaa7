//! The program on a night with Ada on call: it is paged, killed, started again and asked.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tocsin_standins::{chat, ntfy, pushover, twilio};
use tocsin_tests::support::{Home, PROGRAM, Program, config, free_port};
use tocsin_tests::wait::until;
use tocsin_tests::{paths, skip};
use tokio::task::JoinHandle;

use crate::way::{Request, Way};

/// The machine may be slow, and some answers are read every ten seconds.
pub(crate) const WITHIN: Duration = Duration::from_secs(120);
/// Where the program keeps compiled plugins, in its data folder.
const COMPILED: &str = "aot";
/// Compiled plugins of earlier runs, in the folder of tools.
const COMPILED_BEFORE: &str = "loud-compiled";

/// With which the program marks what it compiled; the same for all, so that all can use it.
const COMPILED_KEY: [u8; 32] = [7; 32];

static STARTS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The program, which a stand-in may kill.
#[derive(Clone)]
pub(crate) struct Life(Arc<Mutex<Living>>);

struct Living {
    program: Option<Program>,
    kills: usize,
    /// The logs of the lives before.
    log: String,
}

pub(crate) struct Night {
    /// What is tried.
    name: String,
    pub(crate) life: Life,
    home: Home,
    port: u16,
    ingest: String,
    client: reqwest::Client,
}

/// What the API shows of the incident.
pub(crate) struct Shown {
    /// Its log, one line for each entry.
    pub(crate) log: Vec<String>,
    /// What became of its first page at each contact that was tried.
    pub(crate) attempts: Vec<String>,
}

impl Life {
    /// Kills it with SIGKILL.
    pub(crate) fn kill(&self) {
        let mut living = self.lock();
        living.kills += 1;
        if let Some(program) = &mut living.program {
            program.process.kill();
        }
    }

    pub(crate) fn kills(&self) -> usize {
        self.lock().kills
    }

    fn lock(&self) -> MutexGuard<'_, Living> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Night {
    /// A program with Ada on call, by the first contacts of these channels in order, or by both
    /// contacts if it is one; `None`, reported as a skip of `name`, if a plugin is not built.
    /// `services`: where the channels' services are.
    pub(crate) async fn start(name: &str, ways: &[(&dyn Way, &str)], more: &str) -> Option<Self> {
        for (way, _) in ways {
            if !paths::plugins()
                .join(way.plugin())
                .join("plugin.wasm")
                .is_file()
            {
                let why = format!(
                    "the plugin {} is not built; cargo xtask plugins",
                    way.plugin()
                );
                skip::skipped(&format!("loud: {name}"), &why);
                return None;
            }
        }
        // The clients need a TLS provider even for plain HTTP; an installed one will do.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let mut home = Home::new().unwrap();
        home.env = secrets();
        let port = free_port().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let mut texts = vec![format!("server.public-url = {url:?}"), people(ways)];
        texts.extend(
            ways.iter()
                .flat_map(|(way, service)| way.config(&url, service)),
        );
        texts.push(more.to_owned());
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        home.write("tocsin.toml", config::with(&texts).unwrap())
            .unwrap();
        let plugins: Vec<&str> = ways.iter().map(|it| it.0.plugin()).collect();
        let before = paths::tools().join(COMPILED_BEFORE).join(plugins.join("-"));
        let compiled = home.data.join(COMPILED);
        // One after the other: what the first compiles, the others need not.
        let _turn = STARTS.lock().await;
        private_folder(&compiled).unwrap();
        fs::write(compiled.join("key"), COMPILED_KEY).unwrap();
        copy_missing(&before, &compiled);
        let program = home.start(port).await.unwrap_or_else(|why| panic!("{why}"));
        copy_missing(&compiled, &before);
        let ingest = program.token("ingest", Some("prometheus")).await.unwrap();
        let living = Living {
            program: Some(program),
            kills: 0,
            log: String::new(),
        };
        Some(Self {
            name: name.to_owned(),
            life: Life(Arc::new(Mutex::new(living))),
            home,
            port,
            ingest,
            client: reqwest::Client::new(),
        })
    }

    /// Starts it again if it was killed.
    async fn revive(&self) {
        let ended = {
            let mut living = self.life.lock();
            let program = living.program.as_mut();
            let runs = program.is_some_and(|it| it.process.runs());
            living.program.take_if(|_| !runs)
        };
        let Some(ended) = ended else { return };
        let log = ended.log();
        drop(ended);
        let started = self.home.start(self.port).await;
        let mut living = self.life.lock();
        living.log.push_str(&log);
        living.program = Some(started.unwrap_or_else(|why| panic!("{why}")));
    }

    /// Runs `tocsin page test`, beside the program.
    pub(crate) fn page_test(&self, person: &str, channel: &str) -> JoinHandle<Output> {
        let living = self.life.lock();
        let token = living.program.as_ref().unwrap().admin().unwrap();
        let url = format!("http://127.0.0.1:{}", self.port);
        let mut command = Command::new(paths::built(PROGRAM));
        command
            .args(["page", "test", person, "--channel", channel, "--wait", "2m"])
            .args(["--url", &url, "--token", &token]);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    }

    /// Looks again and again, while the program runs, until there is something.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let found = until(what, WITHIN, async || {
            self.revive().await;
            look().await
        });
        match found.await {
            Ok(found) => found,
            Err(late) => panic!("{late}\n{}", self.report().await),
        }
    }

    /// Everything that explains a failure.
    pub(crate) async fn report(&self) -> String {
        let shown = self.shown().await;
        let shown = shown.map_or_else(Vec::new, |it| [it.attempts, it.log].concat());
        let living = self.life.lock();
        let log = living
            .program
            .as_ref()
            .map(Program::log)
            .unwrap_or_default();
        let shown = shown.join("\n");
        format!("{}:\n{shown}\n{}{log}", self.name, living.log)
    }

    /// An alert, sent until it is accepted, as its sender would.
    pub(crate) async fn fire(&self) {
        let labels = json!({
            "alertname": "CheckoutDown", "severity": "critical", "service": "checkout",
            "team": "payments",
        });
        let alerts = json!([{ "labels": labels, "annotations": { "summary": "It is down" } }]);
        let fired = async || {
            let asked = self.client.post(format!("{}/api/v2/alerts", self.url()));
            let asked = asked.bearer_auth(&self.ingest).json(&alerts);
            let answer = asked.send().await.ok()?;
            answer.status().is_success().then_some(())
        };
        self.until("the alert to be accepted", fired).await;
    }

    /// The incident, if the program answers.
    pub(crate) async fn shown(&self) -> Option<Shown> {
        let admin = fs::read_to_string(self.home.data.join("admin.token")).ok()?;
        let asked = self
            .client
            .get(format!("{}/api/v1/incidents/1", self.url()));
        let answer = asked.bearer_auth(admin.trim()).send().await.ok()?;
        let incident: Value = answer.json().await.ok()?;
        let texts = |list: &Value, name: &str| -> Vec<String> {
            let list = list.as_array().into_iter().flatten();
            list.filter_map(|it| Some(it[name].as_str()?.to_owned()))
                .collect()
        };
        Some(Shown {
            log: texts(&incident["timeline"], "text"),
            attempts: texts(&incident["pages"][0]["attempts"], "state"),
        })
    }

    /// Waits until something holds of the incident, and returns it.
    pub(crate) async fn until_shown(&self, what: &str, is: impl Fn(&Shown) -> bool) -> Shown {
        self.until(what, async || self.shown().await.filter(&is))
            .await
    }

    /// Posts a request once; `true` if it succeeded.
    pub(crate) async fn post(&self, request: &Request) -> bool {
        let mut asked = self.client.post(&request.url).body(request.body.clone());
        for (name, value) in &request.headers {
            asked = asked.header(*name, value);
        }
        asked.send().await.is_ok_and(|it| it.status().is_success())
    }

    /// Sends a request, and kills the program before it can have answered.
    pub(crate) fn post_and_kill(&self, request: &Request) {
        let path = request.url.strip_prefix(&self.url()).unwrap();
        let mut text = format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n", self.port);
        for (name, value) in &request.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!(
            "content-length: {}\r\n\r\n{}",
            request.body.len(),
            request.body
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        self.life.kill();
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Shown {
    /// Whether some channel has accepted the page.
    pub(crate) fn is_accepted(&self) -> bool {
        let is = |it: &String| matches!(it.as_str(), "accepted" | "seen" | "pressed");
        self.attempts.iter().any(is)
    }

    /// The entries that say who acknowledged.
    pub(crate) fn acknowledged(&self) -> Vec<&str> {
        let log = self.log.iter().map(String::as_str);
        log.filter(|it| it.contains(" acknowledged through "))
            .collect()
    }

    /// Fails unless the log has entries that begin so, in this order.
    pub(crate) fn assert_in_order(&self, entries: &[String]) {
        let mut log = self.log.iter();
        for entry in entries {
            let found = log.any(|it| it.starts_with(entry.as_str()));
            assert!(found, "{entry} is missing, or too early: {:#?}", self.log);
        }
    }
}

/// Ada's contacts.
fn people(ways: &[(&dyn Way, &str)]) -> String {
    let contact = |kind, address| format!("{{ kind = {kind:?}, address = {address:?} }}");
    let contacts: Vec<String> = match ways {
        [(way, _)] => way.addresses().map(|it| contact(way.kind(), it)).into(),
        ways => ways
            .iter()
            .map(|it| contact(it.0.kind(), it.0.addresses()[0]))
            .collect(),
    };
    format!(
        "[people.ada]\ncontacts = [{}]\n[people.bob]\ncontacts = []\n",
        contacts.join(", ")
    )
}

/// As the guide names them.
fn secrets() -> Vec<(String, String)> {
    let secrets = [
        ("NTFY_TOKEN", ntfy::TOKEN),
        ("PUSHOVER_TOKEN", pushover::TOKEN),
        ("TWILIO_AUTH_TOKEN", twilio::TOKEN),
        ("TELEGRAM_BOT_TOKEN", chat::SECRET),
    ];
    secrets
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// Copies the files of a folder that another lacks. What fails is only compiled again.
fn copy_missing(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).into_iter().flatten().flatten() {
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_missing(&path, &copy);
        } else if !copy.exists() && private_folder(to).is_ok() {
            // Through another name, as other tests copy the same.
            let part = tempfile::NamedTempFile::new_in(to).unwrap();
            if fs::copy(&path, part.path()).is_ok() {
                let _kept = part.persist(&copy);
            }
        }
    }
}

/// The program trusts no folder that others can write.
fn private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path)
}
