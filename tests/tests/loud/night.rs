//! The program on a night with Ada on call: it is paged, killed, started again and asked.

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use tocsin_standins::{chat, ntfy, pushover, twilio};
use tocsin_tests::support::{Home, Lives, PROGRAM, config, free_port};
use tocsin_tests::{paths, skip};
use tokio::task::JoinHandle;

use crate::way::{Request, Way};

/// The machine may be slow, and some answers are read every ten seconds.
pub(crate) const WITHIN: Duration = Duration::from_secs(120);

pub(crate) struct Night {
    /// What is tried.
    name: String,
    pub(crate) life: Lives,
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
        let life = Lives::begin(home, port, &plugins).await;
        let life = life.unwrap_or_else(|why| panic!("{why}"));
        let ingest = life.token("ingest", Some("prometheus")).await.unwrap();
        Some(Self {
            name: name.to_owned(),
            life,
            ingest,
            client: reqwest::Client::new(),
        })
    }

    /// Runs `tocsin page test`, beside the program.
    pub(crate) fn page_test(&self, person: &str, channel: &str) -> JoinHandle<Output> {
        let (token, url) = (self.life.admin().unwrap(), self.life.url());
        let mut command = Command::new(paths::built(PROGRAM));
        command
            .args(["page", "test", person, "--channel", channel, "--wait", "2m"])
            .args(["--url", &url, "--token", &token]);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    }

    /// Looks again and again, while the program runs, until there is something.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        match self.life.until(what, look).await {
            Ok(found) => found,
            Err(late) => panic!("{late}\n{}", self.report().await),
        }
    }

    /// Everything that explains a failure.
    pub(crate) async fn report(&self) -> String {
        let shown = self.shown().await;
        let shown = shown.map_or_else(Vec::new, |it| [it.attempts, it.log].concat());
        let (shown, log) = (shown.join("\n"), self.life.log());
        format!("{}:\n{shown}\n{log}", self.name)
    }

    /// An alert, sent until it is accepted, as its sender would.
    pub(crate) async fn fire(&self) {
        let labels = json!({
            "alertname": "CheckoutDown", "severity": "critical", "service": "checkout",
            "team": "payments",
        });
        let alerts = json!([{ "labels": labels, "annotations": { "summary": "It is down" } }]);
        let fired = async || {
            let asked = self
                .client
                .post(format!("{}/api/v2/alerts", self.life.url()));
            let asked = asked.bearer_auth(&self.ingest).json(&alerts);
            let answer = asked.send().await.ok()?;
            answer.status().is_success().then_some(())
        };
        self.until("the alert to be accepted", fired).await;
    }

    /// The incident, or nothing of it, if the program answers.
    pub(crate) async fn shown(&self) -> Option<Shown> {
        let incident = self.life.show("incidents/1").await.ok()?;
        let incident = incident.unwrap_or_default();
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
        let path = request.url.strip_prefix(&self.life.url()).unwrap();
        let sent = self
            .life
            .post_and_kill(path, &request.headers, &request.body);
        sent.unwrap();
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
