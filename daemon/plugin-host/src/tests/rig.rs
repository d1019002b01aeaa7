//! A test rig: a host with one loaded plugin.

use super::fakes::FakeServices;
use crate::guests::Guest;
use crate::wit::{
    Delivery, Event, EventBody, Grade, Incident, Job, Label, Outcome, Page, PageItem, Person,
    Status, Tick, Urgency,
};
use crate::{CallResult, HostConfig, LoadError, LoadedPlugin, PluginGrant, PluginHost, TrapReport};
use crate::{Failure, WebhookCall};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tempfile::TempDir;

pub(super) const MANIFEST: &str = r#"
schema = 1
id = "probe"
version = "0.1.0"
name = "Probe"
events = ["page", "job"]
[[config]]
key = "base"
kind = "string"
default = "http://127.0.0.1:1"
[[secret]]
name = "token"
[[http]]
name = "api"
origin = "config:base"
paths = ["*"]
methods = ["GET", "POST"]
inject = { secret = "token", header = "authorization", format = "Bearer {}" }
[[webhook]]
route = "in"
methods = ["POST"]
budget-ms = 2500
max-body-bytes = 1024
verify = { scheme = "slack-v0", secret = "token" }
[[schedule]]
name = "hourly"
cron = "0 * * * *"
[commands]
verbs = ["signal"]
[limits]
cpu-ms = 100
wall-ms = 5000
"#;

pub(super) const SECRET: &str = "xoxb-very-secret-1234";

pub(super) struct Rig {
    pub(super) host: PluginHost,
    pub(super) services: Arc<FakeServices>,
    pub(super) folder: TempDir,
    pub(super) base: String,
    pub(super) grant: String,
    pub(super) manifest: String,
}

impl Rig {
    pub(super) fn new() -> Self {
        let services = Arc::new(FakeServices::default());
        services.now_ms.store(1_800_000_000_000, Ordering::Relaxed);
        let folder = tempfile::tempdir().unwrap();
        let config = HostConfig {
            cache_dir: Some(folder.path().join("aot")),
            ..HostConfig::default()
        };
        std::fs::write(folder.path().join("token"), SECRET).unwrap();
        Self {
            host: PluginHost::new(config, Arc::clone(&services) as _).unwrap(),
            services,
            folder,
            base: "http://127.0.0.1:1".into(),
            grant: "grant = { http = [\"*\"], webhook = [\"*\"], schedule = [\"*\"], \
                    commands = [\"*\"], events = [\"*\"] }\nallow-networks = [\"loopback\"]"
                .into(),
            manifest: MANIFEST.into(),
        }
    }

    pub(super) fn plugin_folder(&self) -> PathBuf {
        self.folder.path().join("probe")
    }

    pub(super) fn grant(&self) -> PluginGrant {
        let text = format!(
            "path = {:?}\nsettings = {{ base = {:?} }}\n\
             secrets = {{ token = {{ file = {:?} }} }}\n{}",
            self.plugin_folder(),
            self.base,
            self.folder.path().join("token"),
            self.grant
        );
        toml::from_str(&text).unwrap()
    }

    pub(super) async fn load(&self, guest: &Guest) -> LoadedPlugin {
        self.try_load(guest).await.unwrap()
    }

    pub(super) async fn try_load(&self, guest: &Guest) -> Result<LoadedPlugin, LoadError> {
        self.try_load_bytes(&guest.component()).await
    }

    pub(super) async fn try_load_bytes(&self, wasm: &[u8]) -> Result<LoadedPlugin, LoadError> {
        let folder = self.plugin_folder();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("plugin.toml"), &self.manifest).unwrap();
        std::fs::write(folder.join("plugin.wasm"), wasm).unwrap();
        self.host.load("probe", self.grant()).await
    }
}

/// Where `cargo xtask plugins` puts a plugin, if it has been built: next to the folder that this
/// test runs from.
pub(super) fn built(id: &str) -> Option<PathBuf> {
    let exe = std::env::current_exe().ok()?;
    let target = exe
        .ancestors()
        .find(|folder| folder.join("debug").is_dir())?;
    let folder = target.join("plugins").join(id);
    folder.join("plugin.wasm").is_file().then_some(folder)
}

pub(super) fn event(id: &str) -> Event {
    Event {
        id: id.into(),
        seq: 1,
        origin: None,
        incident_id: None,
        at: 0,
        body: EventBody::Job(Job {
            topic: "t".into(),
            payload: "{}".into(),
        }),
    }
}

pub(super) fn delivery() -> Delivery {
    Delivery {
        id: "d".into(),
        attempt: 1,
        max_attempts: 12,
        idempotency_key: String::new(),
        deadline: 0,
        traceparent: None,
        extra: "{}".into(),
    }
}

pub(super) async fn deliver(plugin: &LoadedPlugin) -> CallResult<Outcome> {
    plugin.deliver(event("e1"), delivery()).await
}

pub(super) async fn tick(plugin: &LoadedPlugin) -> CallResult<Outcome> {
    plugin
        .tick(
            Tick {
                schedule: "hourly".into(),
                due: 0,
                missed: 0,
            },
            delivery(),
        )
        .await
}

/// A request signed as Slack would at the rig's time.
pub(super) fn signed(body: &str) -> WebhookCall {
    use hmac::{KeyInit as _, Mac as _};
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("v0:1800000000:{body}").as_bytes());
    let signature = format!("v0={}", hex::encode(mac.finalize().into_bytes()));
    WebhookCall {
        route: "in".into(),
        method: "POST".into(),
        url: "https://tocsin.example/hooks/probe/in".into(),
        path: "/hooks/probe/in".into(),
        query: String::new(),
        headers: vec![
            ("X-Slack-Request-Timestamp".into(), b"1800000000".to_vec()),
            ("X-Slack-Signature".into(), signature.into_bytes()),
        ],
        body: body.as_bytes().to_vec(),
    }
}

pub(super) fn report<T: std::fmt::Debug>(result: &CallResult<T>) -> &TrapReport {
    match &result.outcome {
        Err(Failure::Trapped { report } | Failure::LimitReached { report }) => report,
        other => panic!("no trap: {other:?}, log {:?}", result.log),
    }
}

/// The last line that the guest logged.
pub(super) fn last_line<T>(result: &CallResult<T>) -> &str {
    result.log.last().map_or("", |line| line.text.as_str())
}

/// A page about a new incident.
pub(super) fn page() -> EventBody {
    let person = Person {
        id: "ada".into(),
        name: "Ada".into(),
        contacts: vec![Label {
            key: "slack".into(),
            value: "U1".into(),
        }],
        extra: "{}".into(),
    };
    let incident = Incident {
        id: "i1".into(),
        number: 1,
        revision: 1,
        title: "Checkout is down".into(),
        summary: String::new(),
        grade: Grade::Critical,
        security: false,
        status: Status::Open,
        drill: false,
        services: vec!["checkout".into()],
        public_title: None,
        operator: None,
        spokesperson: None,
        next_updates: vec![],
        labels: vec![],
        refs: vec![],
        opened_at: 0,
        acknowledged_at: None,
        mitigated_at: None,
        resolved_at: None,
        url: None,
        extra: "{}".into(),
    };
    EventBody::Page(Page {
        id: "p1".into(),
        to: person,
        items: vec![PageItem {
            id: "p1".into(),
            incident,
            step: 0,
            reason: "on call".into(),
            headline: "CRITICAL checkout: Checkout is down".into(),
            facts: vec![],
            links: vec![],
            ack_url: None,
            extra: "{}".into(),
        }],
        others: vec![],
        summary: "CRITICAL checkout: Checkout is down".into(),
        ack_url: None,
        test: false,
        urgency: Urgency::Critical,
        extra: "{}".into(),
    })
}
