//! The demo's environment: a temporary data folder, three people, the stand-in workspace and the
//! daemon itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tocsin_core::Timestamp;
use tocsin_store::SledStore;
use tokio::net::TcpListener;

use super::CONFIG;
use super::people::{ADA, BOB, EVE};
use super::printer::Printer;
use crate::app::{App, Ingredients};
use crate::auth::{NewToken, Scope};
use crate::config::SHIPPED_POLICIES;
use crate::http::Serving;
use crate::runtime::{Clock, FastClock};
use crate::standin::slack::{Member, Setup, SlackStandIn};

/// How many times as fast the demo's clock runs.
pub const SPEED: u32 = 40;
/// When the story begins: on the night of Monday, 2026-11-23, at 2:58 UTC.
const BEGAN: Timestamp = Timestamp(1_795_402_680_000);
/// How long the daemon may take to stop, in milliseconds.
const GRACE_MS: u64 = 3_000;

pub(super) struct World {
    daemon: Serving,
    pub(super) slack: SlackStandIn,
    clock: Arc<FastClock>,
    pub(super) printer: Printer,
    pub(super) url: String,
    pub(super) http: reqwest::Client,
    pub(super) alertmanager_token: String,
    pub(super) pagerduty_token: String,
    admin_token: String,
    folder: Folder,
}

impl World {
    pub(super) async fn build(plugin: &Path) -> Result<Self> {
        if !plugin.join("plugin.wasm").is_file() {
            bail!(
                "the Slack plugin is not built: {} has no plugin.wasm; in a checkout run \
                 `cargo xtask demo`, which builds it, or name its folder with --plugin",
                plugin.display()
            );
        }
        let folder = Folder::make()?;
        let policies = folder.path("policies");
        std::fs::create_dir(&policies)?;
        for (name, text) in SHIPPED_POLICIES {
            std::fs::write(policies.join(name), text)?;
        }
        let members = [ADA, BOB, EVE].map(|it| Member::new(it.id, it.name));
        let slack = SlackStandIn::start(Setup {
            channels: vec!["engineering".to_owned(), "company".to_owned()],
            ..Setup::of(members.into())
        })?;
        let plugin = plugin
            .canonicalize()
            .with_context(|| format!("cannot find {}", plugin.display()))?;
        let table = slack.install(&folder.0, &plugin)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let clock = Arc::new(FastClock::new(BEGAN, SPEED));
        std::fs::create_dir_all(folder.path("data"))?;
        let ingredients = Ingredients {
            clock: clock.clone(),
            cache: Some(folder.path("aot")),
            ..Ingredients::on(Arc::new(SledStore::open(&folder.path("data"))?))?
        };
        let app = App::embed(&configuration(&url, &table), &folder.0, ingredients).await?;
        let mut tokens = [String::new(), String::new()];
        for (token, integration) in tokens.iter_mut().zip(["alertmanager", "pagerduty"]) {
            let wanted = NewToken {
                integration: Some(integration.into()),
                ..NewToken::new(integration, Scope::Ingest)
            };
            app.issue(wanted).await?.0.reveal().clone_into(token);
        }
        let [alertmanager_token, pagerduty_token] = tokens;
        let (admin, _) = app.issue(NewToken::admin("demo admin")).await?;
        let printer = Printer::new(clock.clone());
        Ok(Self {
            daemon: Serving::start(app, listener).await?,
            slack,
            clock,
            printer,
            url,
            http: reqwest::Client::new(),
            alertmanager_token,
            pagerduty_token,
            admin_token: admin.reveal().to_owned(),
            folder,
        })
    }

    /// Keeps running until Ctrl-C.
    pub(super) async fn hold(&self) -> Result<()> {
        let token = self.folder.path("admin.token");
        std::fs::write(&token, &self.admin_token)?;
        println!(
            "\nThe daemon keeps running at {}; its clock runs {SPEED} times as fast.",
            self.url
        );
        println!("To try it from another shell (press Ctrl-C here to stop it):\n");
        println!(
            "  export TOCSIN_URL={} TOCSIN_TOKEN_FILE={}",
            self.url,
            token.display()
        );
        println!("  tocsin incident show 1\n  tocsin alert list\n  tocsin oncall who");
        tokio::signal::ctrl_c().await?;
        Ok(())
    }

    pub(super) async fn end(self) {
        self.daemon.stop(Duration::from_millis(GRACE_MS)).await;
    }

    /// The incident as the API shows it, once it exists.
    pub(super) async fn incident(&self) -> Result<Option<Value>> {
        let answer = self
            .http
            .get(format!("{}/api/v1/incidents/1", self.url))
            .bearer_auth(&self.admin_token)
            .send()
            .await?;
        match answer.status().as_u16() {
            404 => Ok(None),
            200 => Ok(Some(answer.json().await?)),
            other => bail!("the daemon responds with status {other} to a request for the incident"),
        }
    }

    /// The time on the story's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Seconds since the Unix epoch on the story's clock.
    pub(super) fn seconds(&self) -> u64 {
        u64::try_from(self.now().0 / 1_000).unwrap_or(0)
    }
}

/// A temporary folder, removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|error| anyhow::anyhow!("cannot get random bytes: {error}"))?;
        let path = std::env::temp_dir().join(format!("tocsin-demo-{}", hex::encode(random)));
        std::fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // If this fails, the system cleans up its temporary folder.
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

/// The demo's configuration; `slack` is the table of the Slack plugin.
fn configuration(url: &str, slack: &str) -> String {
    format!(
        r#"
[server]
public-url = "{url}"
[policy]
path = "policies"
[incidents]
resolve-after = "2m"
ask-approach-after = "2m"
{CONFIG}[people.eve]
name = "Eve"
contacts = [{{ kind = "slack", address = "U0EVE" }}]
timezone = "America/Los_Angeles"
{slack}limits = {{ http-per-min = 240 }}
"#
    )
}
