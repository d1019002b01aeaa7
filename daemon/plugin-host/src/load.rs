//! From a folder to a generation that can be called: read, check, compile, link, and ask the guest
//! whether it is what its manifest says.

use crate::PluginHost;
use crate::aot::CodeOrigin;
use crate::call::Failure;
use crate::generation::{Call, Generation, Guest, LaneKind, Lanes};
use crate::grant::{PluginGrant, Rights};
use crate::limits::{COMPONENT_BYTES_MAX, LOG_LINES_PER_MIN, MANIFEST_BYTES_MAX};
use crate::manifest::{Manifest, ManifestFaults, OriginAsk};
use crate::net::Net;
use crate::quarantine::Quarantine;
use crate::rate::RateBucket;
use crate::settings::{self, Settings};
use crate::state::{CallState, Shared};
use crate::wit::{Descriptor, Issue, PluginPre};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;
use wasmtime::component::Component;

/// The interface that this host speaks.
const INTERFACE: &str = "tocsin:plugin/handler@";
/// Its version.
const INTERFACE_VERSION: &str = "0.1";

/// Why a plugin is not loaded. The message names the file and the remedy.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("{path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The manifest has faults.
    #[error("{path}:\n{faults}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// All of them.
        faults: ManifestFaults,
    },
    /// The configuration and the manifest do not agree on the id.
    #[error(
        "[plugins.{configured}] leads to {path}, whose plugin.toml says id = \"{found}\"; \
         the two must be the same"
    )]
    Id {
        /// In tocsin.toml.
        configured: String,
        /// In plugin.toml.
        found: String,
        /// The folder.
        path: PathBuf,
    },
    /// Settings or secrets have faults.
    #[error("{}", .0.join("\n"))]
    Settings(Vec<String>),
    /// The component does not compile.
    #[error("{path} is no component that can be compiled: {reason}")]
    Compile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The component does not fit the interface.
    #[error("plugin `{plugin}` does not fit this daemon: {reason}")]
    Interface {
        /// The plugin.
        plugin: String,
        /// Why, with the remedy.
        reason: String,
    },
    /// The component says that it is something else than its manifest does.
    #[error("plugin `{plugin}`: plugin.wasm and plugin.toml differ: {reason}; build both together")]
    Describe {
        /// The plugin.
        plugin: String,
        /// How.
        reason: String,
    },
    /// The plugin does not accept its settings.
    #[error("plugin `{plugin}` does not accept its settings:\n{}", issue_lines(.issues))]
    Config {
        /// The plugin.
        plugin: String,
        /// Each with the setting's path.
        issues: Vec<Issue>,
    },
    /// A call during the load failed.
    #[error("{0}")]
    Call(Failure),
}

fn issue_lines(issues: &[Issue]) -> String {
    let line = |issue: &Issue| format!("  {}: {}", issue.path, issue.message);
    issues.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What was read from a plugin's folder.
struct Folder {
    manifest: Manifest,
    wasm: Vec<u8>,
    wasm_path: PathBuf,
}

impl PluginHost {
    /// Does everything that a load does, and keeps the old generation in place.
    pub(crate) async fn prepare(
        &self,
        id: &str,
        grant: &PluginGrant,
    ) -> Result<Arc<Generation>, LoadError> {
        let folder = read_folder(id, grant.path.clone()).await?;
        let manifest = Arc::new(folder.manifest);
        let settings = check_settings(id, &manifest, grant)?;
        let (component, digest, code) = self.compile(folder.wasm, folder.wasm_path).await?;
        let pre = self.link(id, &component)?;
        let global = self.inner.policy.clone();
        let rights = Rights::new(id, Arc::clone(&manifest), grant, &settings, global);
        for warning in rights.warnings() {
            tracing::warn!(plugin = id, "{warning}");
        }
        let rate = || Arc::new(RateBucket::new(rights.limits().http_per_min));
        let rates = [rate(), rate(), rate()];
        let settings_json = settings::all_as_json(&settings);
        let generation = Arc::new(Generation {
            shared: Arc::new(Shared {
                services: Arc::clone(&self.inner.services),
                net: Net::new(Arc::clone(rights.outbound())),
                rights,
                settings,
                settings_json: settings_json.clone(),
                secrets: grant.secrets.clone(),
                log_rate: RateBucket::new(LOG_LINES_PER_MIN),
                log_left_out: AtomicU64::new(0),
                cancelled: AtomicBool::new(false),
            }),
            pre,
            digest,
            code,
            clearance: grant.clearance,
            quarantine: Mutex::new(Quarantine::default()),
            last_fault: Mutex::new(None),
            misconfigured: Mutex::new(None),
            rates,
        });
        self.interview(&generation, settings_json).await?;
        Ok(generation)
    }

    /// Loads compiled code, or compiles: one component at a time, away from every other thread.
    async fn compile(
        &self,
        wasm: Vec<u8>,
        path: PathBuf,
    ) -> Result<(Component, blake3::Hash, CodeOrigin), LoadError> {
        let inner = Arc::clone(&self.inner);
        let _turn = self.inner.compiling.lock().await;
        let shown = path.clone();
        let fault = move |reason: String| LoadError::Compile {
            path: shown.clone(),
            reason,
        };
        let panicked = fault.clone();
        let work = move || {
            let digest = blake3::hash(&wasm);
            let cached = inner
                .cache
                .as_ref()
                .and_then(|cache| cache.load(&inner.engine, &digest));
            if let Some(component) = cached {
                return Ok((component, digest, CodeOrigin::Cached));
            }
            // Compilers have panicked on input that nobody expected.
            let compiled = catch_unwind(AssertUnwindSafe(|| {
                Component::from_binary(&inner.engine, &wasm)
            }));
            let component = compiled
                .map_err(|_| fault("the compiler panicked on it".into()))?
                .map_err(|error| fault(format!("{error:#}")))?;
            if let (Some(cache), Ok(bytes)) = (&inner.cache, component.serialize()) {
                cache.store(&digest, &bytes);
            }
            Ok((component, digest, CodeOrigin::Compiled))
        };
        let compiled = tokio::task::spawn_blocking(work).await;
        compiled.unwrap_or_else(|error| Err(panicked(error.to_string())))
    }

    fn link(&self, plugin: &str, component: &Component) -> Result<PluginPre<CallState>, LoadError> {
        let fault = |reason: String| LoadError::Interface {
            plugin: plugin.to_owned(),
            reason,
        };
        self.check_interface(component).map_err(fault)?;
        let pre = self.inner.linker.instantiate_pre(component);
        let pre = pre.map_err(|error| fault(format!("{error:#}")))?;
        PluginPre::new(pre).map_err(|error| fault(format!("{error:#}")))
    }

    /// Says in words what the linker would say in types.
    fn check_interface(&self, component: &Component) -> Result<(), String> {
        let ty = component.component_type();
        let engine = &self.inner.engine;
        let version = ty
            .exports(engine)
            .find_map(|(name, _)| name.strip_prefix(INTERFACE));
        match version {
            None => {
                return Err(format!(
                    "it exports no {INTERFACE}{INTERFACE_VERSION}; build it with the plugin SDK"
                ));
            }
            Some(version) if !version.starts_with(&format!("{INTERFACE_VERSION}.")) => {
                return Err(format!(
                    "it speaks tocsin:plugin@{version} and this daemon {INTERFACE_VERSION}; \
                     use versions of both that fit"
                ));
            }
            Some(_) => {}
        }
        let foreign: Vec<_> = ty
            .imports(engine)
            .map(|(name, _)| name)
            .filter(|name| !name.starts_with("tocsin:plugin/"))
            .collect();
        if foreign.is_empty() {
            return Ok(());
        }
        Err(format!(
            "it imports {}, which plugins do not get; build it for wasm32-unknown-unknown without \
             WASI or JavaScript shims (chrono's `wasmbind` and getrandom are common causes)",
            foreign.join(", ")
        ))
    }

    /// Asks the guest, without rights, who it is and whether it accepts its settings.
    async fn interview(
        &self,
        generation: &Arc<Generation>,
        settings_json: String,
    ) -> Result<(), LoadError> {
        let runtime = self.handle();
        let lanes = Lanes::default();
        let manifest = generation.shared.rights.manifest();
        let call = |export| Call {
            export,
            delivery: "load".into(),
            wall: Duration::from_millis(generation.shared.rights.limits().wall_ms),
            lane: LaneKind::Chore,
            powerless: true,
        };
        let guest: Guest<_> = Box::new(|plugin, store| {
            Box::pin(async move { plugin.tocsin_plugin_handler().call_describe(store).await })
        });
        let described = Arc::clone(generation)
            .run(&runtime, &lanes, call("describe"), guest)
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
            .run(&runtime, &lanes, call("check-config"), guest)
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
    let asked: BTreeSet<&String> = manifest.events.iter().collect();
    let handled: BTreeSet<&String> = descriptor.events.iter().collect();
    if asked != handled {
        let odd: Vec<_> = asked
            .symmetric_difference(&handled)
            .map(|one| one.as_str())
            .collect();
        return Err(format!(
            "only one of them lists the events {}",
            odd.join(", ")
        ));
    }
    Ok(())
}

fn check_settings(
    id: &str,
    manifest: &Manifest,
    grant: &PluginGrant,
) -> Result<Settings, LoadError> {
    let checked = settings::check(id, manifest, &grant.settings);
    let mut faults = checked.as_ref().err().cloned().unwrap_or_default();
    for ask in &manifest.secrets {
        match grant.secrets.get(&ask.name) {
            None if ask.optional => {}
            None => faults.push(format!(
                "[plugins.{id}] secrets.{} is missing ({}); write {{ env = \"VARIABLE\" }} or \
                 {{ file = \"/path\" }}",
                ask.name, ask.help
            )),
            Some(source) => faults.extend(
                source
                    .read(&ask.name)
                    .err()
                    .map(|error| format!("[plugins.{id}] {error}")),
            ),
        }
    }
    if let Ok(settings) = &checked {
        faults.extend(unusable_origins(id, manifest, settings));
    }
    for name in grant.secrets.keys() {
        if !manifest.secrets.iter().any(|ask| ask.name == *name) {
            faults.push(format!(
                "[plugins.{id}] secrets.{name} is no secret of this plugin"
            ));
        }
    }
    match checked {
        Ok(settings) if faults.is_empty() => Ok(settings),
        _ => Err(LoadError::Settings(faults)),
    }
}

/// Settings that an outbound right takes its origin from, and that lead nowhere.
fn unusable_origins(id: &str, manifest: &Manifest, settings: &Settings) -> Vec<String> {
    let mut faults = Vec::new();
    for ask in &manifest.http {
        let OriginAsk::Setting(key) = &ask.origin else {
            continue;
        };
        let Some(text) = settings.get(key).and_then(toml::Value::as_str) else {
            continue;
        };
        let usable = url::Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !usable {
            faults.push(format!(
                "[plugins.{id}] settings.{key} is no http or https URL: `{}`",
                text.escape_debug()
            ));
        }
    }
    faults
}

async fn read_folder(id: &str, path: PathBuf) -> Result<Folder, LoadError> {
    let configured = id.to_owned();
    let shown = path.clone();
    let work = move || {
        let manifest_path = path.join("plugin.toml");
        let text = read_bounded(&manifest_path, MANIFEST_BYTES_MAX)?;
        let text = String::from_utf8(text).map_err(|error| LoadError::Read {
            path: manifest_path.clone(),
            reason: error.to_string(),
        })?;
        let manifest = Manifest::parse(&text).map_err(|faults| LoadError::Manifest {
            path: manifest_path,
            faults,
        })?;
        if manifest.id != configured {
            return Err(LoadError::Id {
                configured,
                found: manifest.id,
                path,
            });
        }
        let wasm_path = path.join("plugin.wasm");
        let wasm = read_bounded(&wasm_path, COMPONENT_BYTES_MAX)?;
        Ok(Folder {
            manifest,
            wasm,
            wasm_path,
        })
    };
    let read = tokio::task::spawn_blocking(work).await;
    read.unwrap_or_else(|error| {
        Err(LoadError::Read {
            path: shown,
            reason: error.to_string(),
        })
    })
}

fn read_bounded(path: &Path, bytes_max: u64) -> Result<Vec<u8>, LoadError> {
    let fault = |reason: String| LoadError::Read {
        path: path.to_owned(),
        reason,
    };
    let length = std::fs::metadata(path)
        .map_err(|error| fault(error.to_string()))?
        .len();
    if length > bytes_max {
        return Err(fault(format!(
            "it has {length} bytes, more than {bytes_max}"
        )));
    }
    std::fs::read(path).map_err(|error| fault(error.to_string()))
}
