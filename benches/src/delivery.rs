//! The delivery of an event to a plugin, compared with a bare wasmtime that instantiates the same
//! guest and makes the same call in the same process; and loading from the cache, compared with
//! compiling.
//!
//! The guest is the Slack plugin. The event carries an incident before and after a change that
//! Slack does not show, so that the guest reads it all and calls no import. The bare side has
//! wasmtime's default configuration, asynchronous imports that trap, and no limits.

mod nothing;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tocsin_plugin_host::{CodeOrigin, HostConfig, LoadedPlugin, PluginGrant, PluginHost, wit};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use crate::figure::{Bound, Figure, median};
use crate::paths;
use nothing::Nothing;

mod bare {
    #![allow(clippy::all, clippy::pedantic)]

    wasmtime::component::bindgen!({
        path: "../plugin-sdk/wit",
        world: "plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        additional_derives: [serde::Serialize, serde::Deserialize],
    });
}
use bare::PluginPre;
use bare::tocsin::plugin::types;

/// Blocks of calls; tocsin's and wasmtime's alternate.
const BLOCKS: usize = 21;
const CALLS: u32 = 200;
/// Loads of each kind.
const LOADS: usize = 5;

/// Measures the figures.
pub(crate) fn run() -> Result<Vec<Figure>> {
    let folder = paths::target().join("plugins").join("slack");
    let wasm = std::fs::read(folder.join("plugin.wasm"));
    let wasm = wasm.context("the Slack plugin is not built; run `cargo xtask plugins`")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut figures = vec![loads(&folder).await?];
        let dir = paths::fresh_dir()?;
        let (_host, plugin) = load(&folder, dir.path()).await?;
        figures.push(deliveries(plugin, &wasm).await?);
        Ok(figures)
    })
}

/// A new host with the plugin loaded.
async fn load(folder: &Path, cache: &Path) -> Result<(PluginHost, LoadedPlugin)> {
    let config = HostConfig {
        cache_dir: Some(cache.join("aot")),
        ..HostConfig::default()
    };
    let host = PluginHost::new(config, Arc::new(Nothing))?;
    let plugin = host.load("slack", grant(folder, cache)?).await?;
    Ok((host, plugin))
}

fn grant(folder: &Path, dir: &Path) -> Result<PluginGrant> {
    let secret = dir.join("secret");
    std::fs::write(&secret, "a secret of a benchmark")?;
    let secret = json!({ "file": secret });
    let all = ["*"];
    Ok(serde_json::from_value(json!({
        "path": folder,
        "secrets": { "bot-token": secret, "signing-secret": secret },
        "grant": { "http": all, "webhook": all, "schedule": all, "commands": all, "events": all },
    }))?)
}

/// Loads the plugin from the cache and by compiling it, as the daemon does at start.
async fn loads(folder: &Path) -> Result<Figure> {
    let (mut compiled, mut cached) = (Vec::new(), Vec::new());
    for _ in 0..LOADS {
        let dir = paths::fresh_dir()?;
        for (times, origin) in [
            (&mut compiled, CodeOrigin::Compiled),
            (&mut cached, CodeOrigin::Cached),
        ] {
            let config = HostConfig {
                cache_dir: Some(dir.path().join("aot")),
                ..HostConfig::default()
            };
            let host = PluginHost::new(config, Arc::new(Nothing))?;
            let grant = grant(folder, dir.path())?;
            let began = Instant::now();
            let plugin = host.load("slack", grant).await?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
            ensure!(
                plugin.inspect().code == origin,
                "the code is not {origin:?}"
            );
        }
    }
    let (compiled, cached) = (median(compiled), median(cached));
    let what = "a plugin compiled (peer: loaded from the cache)";
    Ok(Figure::ratio(
        what,
        compiled,
        cached,
        "ms",
        Bound::Least(100.0),
    ))
}

async fn deliveries(plugin: LoadedPlugin, wasm: &[u8]) -> Result<Figure> {
    let bare = Bare::new(wasm)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..BLOCKS {
        ours.push(delivered(&plugin).await?);
        theirs.push(bare.called().await?);
    }
    let what = "an event delivered to the Slack plugin";
    Ok(Figure::ratio(
        what,
        median(ours),
        median(theirs),
        "µs",
        Bound::Most(1.5),
    ))
}

/// The mean time of one delivery of a block, in microseconds.
async fn delivered(plugin: &LoadedPlugin) -> Result<f64> {
    let (event, delivery): (wit::Event, wit::Delivery) = (read(event())?, read(delivery())?);
    let began = Instant::now();
    for _ in 0..CALLS {
        let result = plugin.deliver(event.clone(), delivery.clone()).await;
        let ignored = matches!(result.outcome, Ok(wit::Outcome::Ignored));
        ensure!(
            ignored,
            "the plugin did not ignore the event: {:?}",
            result.outcome
        );
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS))
}

/// A bare wasmtime.
struct Bare {
    pre: PluginPre<()>,
    event: types::Event,
    delivery: types::Delivery,
}

impl Bare {
    fn new(wasm: &[u8]) -> Result<Self> {
        let engine = Engine::default();
        let component = Component::new(&engine, wasm)?;
        let mut linker = Linker::<()>::new(&engine);
        linker.define_unknown_imports_as_traps(&component)?;
        Ok(Self {
            pre: PluginPre::new(linker.instantiate_pre(&component)?)?,
            event: read(event())?,
            delivery: read(delivery())?,
        })
    }

    /// The mean time of one instantiation and call of a block, in microseconds.
    async fn called(&self) -> Result<f64> {
        let began = Instant::now();
        for _ in 0..CALLS {
            let mut store = Store::new(self.pre.engine(), ());
            let plugin = self.pre.instantiate_async(&mut store).await?;
            let handler = plugin.tocsin_plugin_handler();
            let called = handler.call_on_event(&mut store, &self.event, &self.delivery);
            let ignored = matches!(called.await?, Ok(types::Outcome::Ignored));
            ensure!(ignored, "the bare guest did not ignore the event");
        }
        Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS))
    }
}

fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T> {
    Ok(serde_json::from_value(value)?)
}

/// An incident of some size, before and after its summary changed.
fn event() -> serde_json::Value {
    let incident = |revision: u32, summary: &str| {
        let label = |key: &str, value: &str| json!({ "key": key, "value": value });
        let ada = json!({
            "id": "ada",
            "name": "Ada",
            "contacts": [label("slack", "U0ADA"), label("email", "ada@example.com")],
            "extra": "{}",
        });
        json!({
            "id": "01997a4e-5d1c-7000-8000-000000000001",
            "number": 17,
            "revision": revision,
            "title": "HighErrorRate checkout",
            "summary": summary,
            "grade": "Critical",
            "security": false,
            "status": "Open",
            "drill": false,
            "services": ["checkout"],
            "public_title": null,
            "operator": ada,
            "spokesperson": null,
            "next_updates": [{ "audience": "Engineering", "due": 1_790_000_900_000_u64 }],
            "labels": [
                label("alertname", "HighErrorRate"),
                label("service", "checkout"),
                label("team", "payments"),
                label("severity", "critical"),
                label("namespace", "shop"),
                label("instance", "10.0.0.7:9090"),
                label("environment", "production"),
            ],
            "refs": [{ "plugin": "slack", "kind": "channel", "id": "C0123456789", "url": null }],
            "opened_at": 1_790_000_000_000_u64,
            "acknowledged_at": 1_790_000_060_000_u64,
            "mitigated_at": null,
            "resolved_at": null,
            "url": "http://127.0.0.1:9377/incidents/17",
            "extra": "{\"grade-reason\":\"severity critical\"}",
        })
    };
    json!({
        "id": "01997a4e-5d1c-7000-8000-000000000002",
        "seq": 5,
        "origin": null,
        "incident_id": "01997a4e-5d1c-7000-8000-000000000001",
        "at": 1_790_000_120_000_u64,
        "body": { "IncidentChanged": {
            "before": incident(4, "5 % of the requests to checkout fail"),
            "after": incident(5, "8 % of the requests to checkout fail"),
            "by": { "kind": "person", "id": "ada", "display_name": "Ada" },
            "changed": ["summary"],
        }},
    })
}

fn delivery() -> serde_json::Value {
    json!({
        "id": "01997a4e-5d1c-7000-8000-000000000002",
        "attempt": 1,
        "max_attempts": 20,
        "idempotency_key": "a key",
        "deadline": u64::MAX,
        "traceparent": null,
        "extra": "{\"interrupted\":false}",
    })
}
