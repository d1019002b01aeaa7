//! A whole daemon with HTTP endpoints, a store on disk, the shipped policies, and the real Slack
//! plugin against a stand-in. Only its short delays are special to tests.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tocsin::auth::Scope;
use tocsin::http::Limits;
use tocsin::standin::slack::{Member, Setup, SlackStandIn};
use tocsin_store::Class;
use tokio::net::TcpListener;

use super::config;
use super::embedded::Embedded;
use super::program::shown;
use super::recorder::Recorder;
use crate::skip;
use crate::spec::{Document, minimum};

/// Short delays, to keep tests fast.
const ADDITIONS: &str = r#"
[incidents]
resolve-after = "1s"
[escalation]
contact-wait = "2s"
[people.ada]
contacts = [
    { kind = "slack", address = "U0ADA" },
    { kind = "slack", address = "U0ADATAB" },
    { kind = "email", address = "ada@x.org" },
]
"#;
const GRACE: Duration = Duration::from_secs(5);

/// A running daemon, and the workspace that it talks to.
pub struct Daemon {
    pub slack: SlackStandIn,
    /// A recording proxy in front of the endpoints; senders use it.
    pub recorder: Recorder,
    /// The HTTP endpoints, `http://127.0.0.1:PORT`, as senders reach them.
    pub url: String,
    admin: String,
    inside: Embedded,
}

impl Daemon {
    /// Starts one with Ada on call and Bob in her team. Ada has two contacts in Slack and then a
    /// mailbox, behind the relay on `mail_port`. Absent, and said to be skipped for `test`, when
    /// the plugin is not built.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(test: &str, mail_port: u16) -> Result<Option<Self>, String> {
        let Some(plugin) = skip::slack_plugin(test) else {
            return Ok(None);
        };
        let built = Self::build(&plugin, mail_port).await;
        built.map(Some).map_err(|error| format!("{error:#}"))
    }

    async fn build(plugin: &Path, mail_port: u16) -> anyhow::Result<Self> {
        let slack = SlackStandIn::start(Setup::of(vec![
            Member::new("U0ADA", "Ada"),
            Member::new("U0ADATAB", "Ada's tablet"),
            Member::new("U0BOB", "Bob"),
        ]))?;
        let dir = tempfile::tempdir()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let recorder = Recorder::start(&format!("http://{}", listener.local_addr()?)).await?;
        let url = format!("http://{}", recorder.address);
        let config = config::with(&[
            &format!("server.public-url = {url:?}"),
            &config::mail(mail_port),
            ADDITIONS,
            &slack.install(dir.path(), plugin)?,
        ])?;
        let inside = Embedded::start(dir, &config, listener, Limits::default()).await?;
        Ok(Self {
            slack,
            recorder,
            url,
            admin: inside.token(Scope::Admin, None).await?,
            inside,
        })
    }

    /// A fresh token: of a scope, and of an integration for scope `ingest`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn token(&self, scope: Scope, integration: Option<&str>) -> Result<String, String> {
        let issued = self.inside.token(scope, integration).await;
        issued.map_err(|error| format!("{error:#}"))
    }

    /// What the API shows at a path under `/api/v1`; absent when it answers 404.
    ///
    /// # Errors
    /// When it does not answer, or neither 200 nor 404.
    pub async fn show(&self, path: &str) -> Result<Option<Value>, String> {
        shown(&reqwest::Client::new(), &self.url, path, &self.admin).await
    }

    /// An incident as the API shows it, if `is` holds of it.
    pub async fn incident(&self, number: u64, is: impl Fn(&Value) -> bool) -> Option<Value> {
        let shown = self.show(&format!("incidents/{number}")).await.ok()?;
        shown.filter(is)
    }

    /// Whether nothing waits in the outbox: everything was delivered, or is wanted no more.
    #[must_use]
    pub fn has_delivered_all(&self) -> bool {
        let delays = |class: &Class| {
            let rows = self.inside.serving.app.store.outbox(*class, None, 1);
            rows.map_or(true, |it| !it.is_empty())
        };
        !Class::ALL.iter().any(delays)
    }

    /// Stops, and checks every request to Slack.
    ///
    /// # Errors
    /// When Slack would reject a request.
    pub async fn end(self) -> Result<(), String> {
        self.inside.serving.stop(GRACE).await;
        if let Some(unexpected) = self.slack.unexpected().first() {
            return Err(unexpected.clone());
        }
        let document = Document::load("slack-web-api.json")?;
        for request in self.slack.requests() {
            minimum::check_slack(&request)?;
            if let Some(document) = &document {
                document.check_slack(&request)?;
            }
        }
        Ok(())
    }
}
