//! The demo's environment: a temporary data folder, two people, the stand-in workspace and the
//! daemon itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tocsin_store::SledStore;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::teller::Teller;
use crate::app::{App, Ingredients};
use crate::auth::{AckKey, NewToken, Scope};
use crate::config::{self, SHIPPED_POLICIES};
use crate::runtime::{Clock, FastClock};
use crate::standin::slack::{Member, Setup, SlackStandIn};

/// How many times as fast the demo's clock runs.
pub const SPEED: u32 = 40;
/// The stand-in workspace's secrets. Only this process can reach it.
const BOT_TOKEN: &str = "xoxb-demo-stand-in";
const SIGNING_SECRET: &str = "demo-signing-secret";
/// How long the daemon may take to stop, in milliseconds.
const GRACE_MS: u64 = 3_000;

pub(super) struct World {
    pub(super) app: Arc<App>,
    pub(super) slack: SlackStandIn,
    pub(super) clock: Arc<FastClock>,
    pub(super) teller: Teller,
    pub(super) url: String,
    pub(super) ingest_token: String,
    pub(super) admin_token: String,
    folder: Folder,
    stop: CancellationToken,
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
        for (name, secret) in [("bot-token", BOT_TOKEN), ("signing-secret", SIGNING_SECRET)] {
            std::fs::write(folder.path(name), secret)?;
        }
        let slack = SlackStandIn::start(Setup {
            token: BOT_TOKEN.to_owned(),
            signing_secret: SIGNING_SECRET.to_owned(),
            members: vec![member("U0ADA", "Ada"), member("U0BOB", "Bob")],
            channels: Vec::new(),
        })?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let text = configuration(&url, &slack.base_url(), plugin)?;
        let loaded = config::parse(&text, "the demo's configuration", &folder.0)
            .context("the demo's own configuration is wrong")?;
        let clock = Arc::new(FastClock::new(SPEED));
        std::fs::create_dir_all(folder.path("data"))?;
        let ingredients = Ingredients {
            clock: clock.clone(),
            store: Arc::new(SledStore::open(&folder.path("data"))?),
            cache: Some(folder.path("aot")),
            policies_kept: None,
            ack_key: AckKey::random()?,
        };
        let app = App::build(loaded.config, ingredients).await?;
        if let Some((plugin, why)) = app.plugin_faults.first() {
            bail!("plugin {plugin} cannot be loaded: {why}");
        }
        let ingest_token = issue(&app, Scope::Ingest, Some("alertmanager".into())).await?;
        let admin_token = issue(&app, Scope::Admin, None).await?;
        app.start().await?;
        let stop = CancellationToken::new();
        let serving = crate::http::serve(app.clone(), listener, stop.clone().cancelled_owned());
        tokio::spawn(serving);
        let teller = Teller::new(clock.clone());
        Ok(Self {
            app,
            slack,
            clock,
            teller,
            url,
            ingest_token,
            admin_token,
            folder,
            stop,
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
        self.stop.cancel();
        self.app.drain(Duration::from_millis(GRACE_MS)).await;
    }

    /// Seconds since the Unix epoch on the story's clock.
    pub(super) fn story_seconds(&self) -> u64 {
        u64::try_from(self.clock.now().0 / 1_000).unwrap_or(0)
    }

    pub(super) fn signing_secret(&self) -> &'static str {
        SIGNING_SECRET
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

/// A token of the demo's own, as text.
async fn issue(
    app: &App,
    scope: Scope,
    integration: Option<tocsin_core::IntegrationId>,
) -> Result<String> {
    let wanted = NewToken {
        name: format!("demo {scope}"),
        scope,
        integration,
        person: None,
    };
    let (now, writer) = (app.clock.now(), &app.writer);
    let (token, _) = app.tokens.create(wanted, &app.config, now, writer).await?;
    Ok(token.reveal().to_owned())
}

fn member(id: &str, name: &str) -> Member {
    let email = format!("{}@example.com", name.to_lowercase());
    Member {
        id: id.to_owned(),
        name: name.to_owned(),
        email,
    }
}

fn configuration(url: &str, slack: &str, plugin: &Path) -> Result<String> {
    let plugin = plugin
        .canonicalize()
        .with_context(|| format!("cannot find {}", plugin.display()))?;
    Ok(format!(
        r#"
[server]
public-url = "{url}"
[policy]
path = "policies"
[incidents]
resolve-after = "2m"
[escalation]
fallback = ["person:ada"]
[people.ada]
name = "Ada"
contacts = [{{ kind = "slack", address = "U0ADA" }}]
teams = ["payments"]
[people.bob]
name = "Bob"
contacts = [{{ kind = "slack", address = "U0BOB" }}]
teams = ["payments"]
[teams.payments]
name = "Payments"
rotation = "payments"
[rotations.payments]
timezone = "UTC"
layers = [{{ people = ["ada"], handover = "monday 09:00", every = "1 week", start = "2026-01-05" }}]
[integrations.alertmanager]
kind = "alertmanager"
[plugins.slack]
path = "{plugin}"
settings = {{ base-url = "{slack}" }}
secrets = {{ bot-token = {{ file = "bot-token" }}, signing-secret = {{ file = "signing-secret" }} }}
grant = {{ http = ["*"], webhook = ["*"], schedule = ["*"], commands = ["*"], events = ["*"] }}
allow-networks = ["loopback"]
limits = {{ http-per-min = 240 }}
"#,
        plugin = plugin.display(),
    ))
}
