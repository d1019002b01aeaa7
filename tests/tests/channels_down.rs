//! Channels down: a critical page reaches a person while Slack refuses, limits or never answers.
//!
//! The daemon is whole but for its doors, Slack is the stand-in, and the mail server is real.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tocsin::app::{App, Ingredients};
use tocsin::config;
use tocsin::runtime::SystemClock;
use tocsin::standin::slack::{Fault, FaultRule, Member, Setup, SlackStandIn};
use tocsin_core::{Fingerprint, IntegrationId, Signal, SignalStatus, Timestamp};
use tocsin_store::MemoryStore;
use tocsin_tests::support::SmtpServer;
use tocsin_tests::{paths, skip, spec, wait::until};

/// The configured wait for a channel is two seconds; the machine may be slow.
const PAGED_WITHIN: Duration = Duration::from_secs(20);
const TOKEN: &str = "xoxb-canary";

struct Night {
    app: Arc<App>,
    slack: SlackStandIn,
    mail: SmtpServer,
    _dir: TempDir,
}

impl Night {
    /// A daemon with Ada on call, by Slack first; absent where something cannot be had.
    async fn start(test: &str) -> Option<Self> {
        let plugin = paths::plugins().join("slack");
        if !plugin.join("plugin.wasm").is_file() {
            skip::skipped(
                test,
                "the Slack plugin is not built; run `cargo xtask plugins`",
            );
            return None;
        }
        let mail = SmtpServer::start(test).await.unwrap()?;
        let ada = Member {
            id: "U0ADA".into(),
            name: "Ada".into(),
            email: "ada@x.org".into(),
        };
        let slack = SlackStandIn::start(Setup {
            token: TOKEN.into(),
            signing_secret: "signing".into(),
            members: vec![ada],
            channels: Vec::new(),
        });
        let slack = slack.unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("token"), TOKEN).unwrap();
        let text = CONFIG
            .replace(
                "POLICIES",
                &paths::root().join("policies").display().to_string(),
            )
            .replace("PLUGIN", &plugin.display().to_string())
            .replace("FOLDER", &dir.path().display().to_string())
            .replace("BASE", &slack.base_url())
            .replace("1025", &mail.port.to_string());
        let file = dir.path().join("tocsin.toml");
        fs::write(&file, text).unwrap();
        let loaded = config::load(&file).unwrap();
        let ingredients = Ingredients {
            clock: Arc::new(SystemClock),
            store: Arc::new(MemoryStore::new()),
            cache: Some(paths::tools().join("plugin-cache")),
            ack_key: tocsin::ack_links::fresh_key().unwrap(),
        };
        let app = App::build(loaded.config, ingredients).await.unwrap();
        assert!(app.plugin_faults.is_empty(), "{:?}", app.plugin_faults);
        app.start().await.unwrap();
        Some(Self {
            app,
            slack,
            mail,
            _dir: dir,
        })
    }

    async fn fire(&self) {
        let label = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
        let labels = [
            ("alertname", "CheckoutDown"),
            ("severity", "critical"),
            ("service", "shop"),
        ];
        let signal = Signal {
            integration: IntegrationId("monitor".into()),
            fingerprint: Fingerprint("checkout".into()),
            status: SignalStatus::Firing,
            title: "The checkout does not answer".into(),
            summary: String::new(),
            labels: labels.iter().map(label).collect(),
            annotations: BTreeMap::new(),
            starts_at: Timestamp(0),
            ends_at: None,
            link: None,
        };
        self.app.runtime.take(vec![signal]).await.unwrap();
    }

    /// Whether everything that Slack was sent is what Slack takes.
    fn assert_sound(&self) {
        assert_eq!(self.slack.unexpected(), Vec::<String>::new());
        let document = spec::Document::load("slack-web-api.json").unwrap();
        for request in self.slack.requests() {
            let least = spec::minimum::check_slack(&request);
            document
                .as_ref()
                .map_or(least, |it| it.check_slack(&request))
                .unwrap();
        }
    }

    fn pages_by_mail(&self) -> usize {
        self.mail
            .mails()
            .iter()
            .filter(|it| it.to == ["ada@x.org"])
            .count()
    }
}

const CONFIG: &str = r#"
[policy]
path = "POLICIES"
[escalation]
fallback = ["person:ada"]
contact-wait = "2s"
[mail]
host = "127.0.0.1"
port = 1025
tls = "none"
from = "tocsin <tocsin@x.org>"
[people.ada]
name = "Ada"
contacts = [{ kind = "slack", address = "U0ADA" }, { kind = "email", address = "ada@x.org" }]
[rotations.default]
timezone = "UTC"
layers = [{ people = ["ada"], handover = "monday 09:00", every = "1 week", start = "2026-01-05" }]
[integrations.monitor]
kind = "alertmanager"
[plugins.slack]
path = "PLUGIN"
settings = { base-url = "BASE" }
secrets.bot-token = { file = "FOLDER/token" }
secrets.signing-secret = { file = "FOLDER/token" }
grant = { http = ["*"], webhook = ["*"], schedule = ["*"], commands = ["*"], events = ["*"] }
allow-networks = ["loopback"]
"#;

async fn page_goes_by_mail_once(test: &str, fault: Fault) {
    let Some(night) = Night::start(test).await else {
        return;
    };
    night.slack.fail(FaultRule::always(fault));
    night.fire().await;
    let mailed = async || (night.pages_by_mail() > 0).then_some(());
    until("a page by mail", PAGED_WITHIN, mailed).await.unwrap();
    assert!(night.slack.direct_messages("U0ADA").is_empty());

    night.slack.heal();
    let room = async || (!night.slack.channels().is_empty()).then_some(());
    until("the war room", Duration::from_secs(60), room)
        .await
        .unwrap();
    night.app.drain(Duration::from_secs(5)).await;
    assert_eq!(night.slack.channels().len(), 1, "one war room");
    assert_eq!(night.pages_by_mail(), 1, "one mail");
    night.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_by_mail_when_slack_refuses() {
    page_goes_by_mail_once("refuses", Fault::NotOk("internal_error".into())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_by_mail_when_slack_limits() {
    page_goes_by_mail_once("limits", Fault::RateLimited { retry_after_s: 5 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_by_mail_when_slack_never_answers() {
    page_goes_by_mail_once("never answers", Fault::Hang).await;
}
