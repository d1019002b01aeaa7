//! A whole daemon with HTTP endpoints, a store on disk, the shipped policies, and the real Slack
//! plugin against a stand-in. Only its short delays are special to tests.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tocsin::app::{App, Ingredients};
use tocsin::auth::{NewToken, Scope};
use tocsin::config;
use tocsin::runtime::SystemClock;
use tocsin::standin::slack::{Member, Setup, SlackStandIn};
use tocsin_core::IntegrationId;
use tocsin_store::{Class, SledStore};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::recorder::Recorder;
use crate::spec::{Document, minimum};
use crate::{paths, skip};

const BOT_TOKEN: &str = "xoxb-canary";
const SIGNING_SECRET: &str = "signing";
const CONFIG: &str = include_str!("scripts/tocsin.toml");
const GRACE: Duration = Duration::from_secs(5);

/// A running daemon, and the workspace that it talks to.
pub struct Daemon {
    /// The daemon's inside.
    pub app: Arc<App>,
    pub slack: SlackStandIn,
    /// A recording proxy in front of the endpoints; senders use it.
    pub recorder: Recorder,
    /// The HTTP endpoints, `http://127.0.0.1:PORT`, as senders reach them.
    pub url: String,
    admin: String,
    stop: Option<oneshot::Sender<()>>,
    _dir: TempDir,
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
        let slack = SlackStandIn::start(Setup {
            token: BOT_TOKEN.into(),
            signing_secret: SIGNING_SECRET.into(),
            members: vec![
                member("U0ADA", "Ada"),
                member("U0ADATAB", "Ada's tablet"),
                member("U0BOB", "Bob"),
            ],
            channels: Vec::new(),
        })?;
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join("bot-token"), BOT_TOKEN)?;
        fs::write(dir.path().join("signing-secret"), SIGNING_SECRET)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let behind = format!("http://{}", listener.local_addr()?);
        let recorder = Recorder::start(&behind).await?;
        let url = format!("http://{}", recorder.address);
        let text = CONFIG
            .replace("URL", &url)
            .replace(
                "POLICIES",
                &paths::root().join("policies").to_string_lossy(),
            )
            .replace("PLUGIN", &plugin.to_string_lossy())
            .replace("SLACK", &slack.base_url())
            .replace("1025", &mail_port.to_string());
        let loaded = config::parse(&text, "the test's configuration", dir.path())?;
        let data = dir.path().join("data");
        fs::create_dir(&data)?;
        let ingredients = Ingredients {
            clock: Arc::new(SystemClock),
            store: Arc::new(SledStore::open(&data)?),
            cache: Some(paths::tools().join("plugin-cache")),
            policies_kept: None,
            ack_key: tocsin::auth::AckKey::random()?,
        };
        let app = App::build(loaded.config, ingredients).await?;
        if let Some((plugin, why)) = app.plugin_faults.first() {
            anyhow::bail!("plugin {plugin} cannot be loaded: {why}");
        }
        let admin = issue(&app, Scope::Admin, None).await?;
        app.start().await?;
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(tocsin::http::serve(
            Arc::clone(&app),
            listener,
            async move {
                // A sender that is gone means the same.
                let _stopped = stopped.await;
            },
        ));
        Ok(Self {
            app,
            slack,
            recorder,
            url,
            admin,
            stop: Some(stop),
            _dir: dir,
        })
    }

    /// A fresh token: of a scope, and of an integration for scope `ingest`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn token(&self, scope: Scope, integration: Option<&str>) -> Result<String, String> {
        let issued = issue(&self.app, scope, integration).await;
        issued.map_err(|error| format!("{error:#}"))
    }

    /// What the API shows at a path under `/api/v1`; absent when it answers 404.
    ///
    /// # Errors
    /// When it does not answer, or neither 200 nor 404.
    pub async fn show(&self, path: &str) -> Result<Option<Value>, String> {
        let asked = reqwest::Client::new()
            .get(format!("{}/api/v1/{path}", self.url))
            .bearer_auth(&self.admin);
        let answer = asked.send().await.map_err(|error| error.to_string())?;
        match answer.status().as_u16() {
            200 => answer.json().await.map_err(|error| error.to_string()),
            404 => Ok(None),
            other => Err(format!("{path} answers {other}")),
        }
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
            let rows = self.app.store.outbox(*class, None, 1);
            rows.map_or(true, |it| !it.is_empty())
        };
        !Class::ALL.iter().any(delays)
    }

    /// Stops, and checks every request to Slack.
    ///
    /// # Errors
    /// When Slack would reject a request.
    pub async fn end(mut self) -> Result<(), String> {
        drop(self.stop.take());
        self.app.drain(GRACE).await;
        self.check_slack()
    }

    /// Checks every request to Slack against Slack's document, if available, and the minimum.
    ///
    /// # Errors
    /// When Slack would reject a request.
    pub fn check_slack(&self) -> Result<(), String> {
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

fn member(id: &str, name: &str) -> Member {
    Member {
        id: id.to_owned(),
        name: name.to_owned(),
        email: format!("{}@x.org", name.to_lowercase()),
    }
}

async fn issue(app: &App, scope: Scope, integration: Option<&str>) -> anyhow::Result<String> {
    let wanted = NewToken {
        name: format!("{scope} of the test"),
        scope,
        integration: integration.map(|it| IntegrationId(it.to_owned())),
        person: None,
    };
    let (now, writer) = (app.clock.now(), &app.writer);
    let (token, _) = app.tokens.create(wanted, &app.config, now, writer).await?;
    Ok(token.reveal().to_owned())
}
