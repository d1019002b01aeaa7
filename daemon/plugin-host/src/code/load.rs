//! Loads a folder into a generation: reads, checks, compiles, links, and verifies that the guest
//! matches its manifest.

use super::compile::Compiler;
use super::error::LoadError;
use super::folder::read_folder;
use super::warnings::warnings;
use crate::call::{Call, Generation, Guest, LaneKind, Lanes};
use crate::capability::{LogBudget, Services, Shared};
use crate::net::{Net, OutboundPolicy};
use crate::rights::manifest::Manifest;
use crate::rights::{GlobalPolicy, PluginGrant, Rights, all_as_json, check_settings};
use crate::wit::Descriptor;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// The dependencies of every load.
pub(super) struct Loader {
    pub(super) compiler: Arc<Compiler>,
    pub(super) services: Arc<dyn Services>,
    pub(super) policy: GlobalPolicy,
    /// Where guests run.
    pub(super) runtime: Handle,
}

impl Loader {
    /// Creates a generation without installing it.
    pub(super) async fn load(
        &self,
        id: &str,
        grant: &PluginGrant,
    ) -> Result<Arc<Generation>, LoadError> {
        let folder = read_folder(id, grant.path.clone()).await?;
        let manifest = Arc::new(folder.manifest);
        let settings = check_settings(id, &manifest, grant).map_err(LoadError::Settings)?;
        let code = self.compiler.code(id, folder.wasm, folder.wasm_path);
        let code = code.await?;
        let rights = Rights::new(id, manifest, grant, self.policy.clone());
        let outbound = OutboundPolicy::new(&rights, &settings);
        for denied in outbound.unreachable() {
            tracing::warn!(plugin = id, "{denied}");
        }
        let settings_json = all_as_json(&settings);
        let shared = Shared {
            services: Arc::clone(&self.services),
            net: Net::new(outbound),
            rights,
            settings,
            settings_json: settings_json.clone(),
            secrets: grant.secrets.clone(),
            log: LogBudget::default(),
        };
        for warning in warnings(&shared) {
            tracing::warn!(plugin = id, "{warning}");
        }
        let generation = Arc::new(Generation::new(shared, code, grant.clearance));
        self.check_guest(&generation, settings_json).await?;
        Ok(generation)
    }

    /// Calls the guest, without rights, to check its descriptor and its settings.
    async fn check_guest(
        &self,
        generation: &Arc<Generation>,
        settings_json: String,
    ) -> Result<(), LoadError> {
        let lanes = Lanes::default();
        let manifest = generation.shared.rights.manifest();
        let call = |export| Call {
            export,
            delivery: "load".into(),
            wall: Duration::from_millis(generation.shared.rights.limits().wall_ms),
            lane: LaneKind::Background,
            without_rights: true,
        };
        let guest: Guest<_> = Box::new(|plugin, store| {
            Box::pin(async move { plugin.tocsin_plugin_handler().call_describe(store).await })
        });
        let described = Arc::clone(generation)
            .run(&self.runtime, &lanes, call("describe"), guest)
            .await;
        let descriptor = described.outcome.map_err(LoadError::Call)?;
        compare(manifest, &descriptor).map_err(|reason| LoadError::Describe {
            plugin: manifest.id.clone(),
            reason,
        })?;
        let guest: Guest<_> = Box::new(move |plugin, store| {
            Box::pin(async move {
                plugin
                    .tocsin_plugin_handler()
                    .call_check_config(store, &settings_json)
                    .await
            })
        });
        let checked = Arc::clone(generation)
            .run(&self.runtime, &lanes, call("check-config"), guest)
            .await;
        let issues = checked.outcome.map_err(LoadError::Call)?;
        if issues.is_empty() {
            return Ok(());
        }
        Err(LoadError::Config {
            plugin: manifest.id.clone(),
            issues,
        })
    }
}

fn compare(manifest: &Manifest, descriptor: &Descriptor) -> Result<(), String> {
    let differ = |what: &str, toml: &str, wasm: &str| {
        Err(format!(
            "{what} is \"{toml}\" in plugin.toml and \"{wasm}\" in plugin.wasm"
        ))
    };
    if manifest.id != descriptor.id {
        return differ("id", &manifest.id, &descriptor.id);
    }
    if manifest.version != descriptor.version {
        return differ("version", &manifest.version, &descriptor.version);
    }
    let asked: BTreeSet<&str> = manifest.events.iter().map(|it| it.as_str()).collect();
    let handled: BTreeSet<&str> = descriptor.events.iter().map(String::as_str).collect();
    if asked != handled {
        let odd: Vec<_> = asked.symmetric_difference(&handled).copied().collect();
        return Err(format!(
            "only one of them lists these events: {}",
            odd.join(", ")
        ));
    }
    Ok(())
}
