//! Loud channels: a person is woken by a notification and acknowledges from it, and when the
//! channel is down, the next rung follows.
//!
//! A whole daemon with the real plugins, against their stand-ins on loopback.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tocsin::auth::Scope;
use tocsin::http::Limits;
use tocsin_standins::Loopback;
use tocsin_standins::ntfy::{Ntfy, TOKEN};
use tocsin_standins::pushover::{self, Pushover, USERS};
use tocsin_tests::support::{Embedded, config};
use tocsin_tests::wait::until;
use tocsin_tests::{paths, skip};
use tokio::net::TcpListener;

/// The machine may be slow, and Pushover's receipts are read every ten seconds.
const WITHIN: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(5);
/// Ada's topic.
const TOPIC: &str = "ada-x7KqWz";

struct Night {
    daemon: Embedded,
    url: String,
    ntfy: Loopback<Ntfy>,
    pushover: Loopback<Pushover>,
    ingest: String,
    admin: String,
}

impl Night {
    /// A daemon with Ada on call, by ntfy and then by Pushover; `None` if a plugin is not built.
    async fn start(test: &str) -> Option<Self> {
        // The clients need a TLS provider even for plain HTTP; an installed one will do.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let (ntfy_folder, pushover_folder) = (built(test, "ntfy")?, built(test, "pushover")?);
        let dir = tempfile::tempdir().unwrap();
        let secret = |name: &str, value: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, value).unwrap();
            path
        };
        let now_s = u64::try_from(chrono::Utc::now().timestamp()).unwrap();
        let ntfy = Ntfy {
            is_private: true,
            now_s,
            ..Ntfy::default()
        };
        let ntfy = Loopback::start(ntfy).unwrap();
        let pushover = Loopback::start(Pushover::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let all = "grant = { http = [\"*\"], events = [\"*\"], commands = [\"*\"] }\n\
                   allow-networks = [\"loopback\"]";
        let additions = format!(
            "[escalation]\ncontact-wait = \"2s\"\n\
             [plugins.ntfy]\npath = {ntfy_folder:?}\n{all}\n\
             settings = {{ base-url = {:?} }}\nsecrets = {{ token = {{ file = {:?} }} }}\n\
             [plugins.pushover]\npath = {pushover_folder:?}\n{all}\n\
             settings = {{ base-url = {:?} }}\nsecrets = {{ token = {{ file = {:?} }} }}\n\
             [people.ada]\ncontacts = [\n  {{ kind = \"ntfy\", address = \"{TOPIC}\" }},\n  \
             {{ kind = \"pushover\", address = {:?} }},\n]\n[people.bob]\ncontacts = []\n",
            ntfy.url(),
            secret("ntfy-token", TOKEN),
            pushover.url(),
            secret("pushover-token", pushover::TOKEN),
            USERS[0],
        );
        let server = format!("server.public-url = {url:?}");
        let text = config::with(&[&server, &additions]).unwrap();
        let daemon = Embedded::start(dir, &text, listener, Limits::default()).await;
        let daemon = daemon.unwrap();
        Some(Self {
            ingest: daemon
                .token(Scope::Ingest, Some("prometheus"))
                .await
                .unwrap(),
            admin: daemon.token(Scope::Admin, None).await.unwrap(),
            daemon,
            url,
            ntfy,
            pushover,
        })
    }

    async fn fire(&self) {
        let labels = json!({
            "alertname": "CheckoutDown", "severity": "critical", "service": "checkout",
            "team": "payments",
        });
        let alerts = json!([{ "labels": labels, "annotations": { "summary": "It is down" } }]);
        let asked = reqwest::Client::new()
            .post(format!("{}/api/v2/alerts", self.url))
            .bearer_auth(&self.ingest)
            .json(&alerts);
        assert_eq!(asked.send().await.unwrap().status().as_u16(), 200);
    }

    async fn incident(&self) -> Value {
        let asked = reqwest::Client::new()
            .get(format!("{}/api/v1/incidents/1", self.url))
            .bearer_auth(&self.admin);
        let shown = asked.send().await.unwrap();
        shown.json().await.unwrap()
    }

    async fn until_acknowledged(&self) -> String {
        let acknowledged = async || {
            let incident = self.incident().await;
            let timeline = incident["timeline"].as_array()?.iter();
            let mut texts = timeline.filter_map(|it| it["text"].as_str());
            texts
                .find(|it| it.contains("acknowledged"))
                .map(str::to_owned)
        };
        match until("an acknowledgement", WITHIN, acknowledged).await {
            Ok(text) => text,
            Err(error) => panic!("{error}: {}", self.incident().await["timeline"]),
        }
    }

    async fn end(self) {
        self.daemon.serving.stop(GRACE).await;
    }
}

fn built(test: &str, id: &str) -> Option<PathBuf> {
    let plugin = paths::plugins().join(id);
    if plugin.join("plugin.wasm").is_file() {
        return Some(plugin);
    }
    skip::skipped(
        test,
        &format!("the plugin {id} is not built; run `cargo xtask plugins`"),
    );
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_on_the_notification_acknowledges_and_clears_it() {
    let Some(night) = Night::start("loud: a press on the notification").await else {
        return;
    };
    night.fire().await;
    let message = async || night.ntfy.service().messages.first().cloned();
    let message = until("a notification", WITHIN, message).await.unwrap();
    assert_eq!(
        (&message["topic"], &message["priority"]),
        (&json!(TOPIC), &json!(5))
    );
    let action = &message["actions"][0];
    assert_eq!(
        (&action["label"], &action["method"]),
        (&json!("Acknowledge"), &json!("POST"))
    );
    let press = reqwest::Client::new().post(action["url"].as_str().unwrap());
    assert!(press.send().await.unwrap().status().is_success());
    let text = night.until_acknowledged().await;
    assert_eq!(text, "ada acknowledged through ntfy");
    let cleared = async || night.ntfy.service().cleared.first().cloned();
    let (topic, id) = until("the notification to be cleared", WITHIN, cleared)
        .await
        .unwrap();
    assert_eq!(
        (topic.as_str(), json!(id)),
        (TOPIC, message["sequence_id"].clone())
    );
    assert!(night.pushover.service().messages.is_empty());
    night.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_ntfy_is_down_pushover_follows_and_its_receipt_acknowledges() {
    let Some(night) = Night::start("loud: ntfy is down").await else {
        return;
    };
    night.ntfy.service().fault = Some(503);
    night.fire().await;
    let receipt = async || {
        let mut pushover = night.pushover.service();
        let receipt = pushover.receipts.values_mut().next()?;
        receipt.acknowledged_by = Some(USERS[0].to_owned());
        Some(())
    };
    until("a message in Pushover", WITHIN, receipt)
        .await
        .unwrap();
    let text = night.until_acknowledged().await;
    assert_eq!(text, "ada acknowledged through pushover");
    let silent = async || {
        let pushover = night.pushover.service();
        pushover
            .receipts
            .values()
            .all(|it| it.is_canceled)
            .then_some(())
    };
    until("the message to fall silent", WITHIN, silent)
        .await
        .unwrap();
    assert_eq!(night.pushover.service().messages.len(), 1);
    assert!(night.ntfy.service().messages.is_empty());
    night.end().await;
}
