//! The plugin host: one engine, one linker, its own threads, and the loaded plugins.

use super::catalog::CatalogEntry;
use super::compile::Compiler;
use super::error::{HostError, LoadError};
use super::load::Loader;
use crate::call::{Generation, Lanes, LoadedPlugin, Slot};
use crate::capability::Services;
use crate::rights::manifest::{Manifest, PatternAsk, whole_pattern};

use crate::rights::{Denied, GlobalPolicy, PluginGrant, Settings};
use arc_swap::ArcSwap;
use parking_lot::RwLock;
use regex::Regex;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Most threads that guests run on.
const WORKERS_MAX: usize = 4;
/// How long calls of a replaced generation may continue, in milliseconds.
const DRAIN_MS: u64 = 30_000;

/// The configuration of the host.
#[derive(Default)]
pub struct HostConfig {
    /// The cache of compiled code; none: compile at every load. Must belong to the daemon's user.
    pub cache_dir: Option<PathBuf>,
    /// A secret of this installation that authenticates the compiled code; none: one is generated
    /// and stored in the folder.
    pub cache_key: Option<[u8; 32]>,
    /// Applies to all plugins.
    pub policy: GlobalPolicy,
}

impl std::fmt::Debug for HostConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostConfig")
            .field("cache_dir", &self.cache_dir)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// The result of checking a plugin.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What would be loaded.
    pub entry: CatalogEntry,
    /// Origins from its settings and rights that it cannot reach as configured.
    pub unreachable: Vec<Denied>,
    /// What the addresses of its contacts must look like.
    pub addresses: Vec<AddressForm>,
    /// The setting with which its buttons would be no links to the daemon, if it has one that is
    /// not set.
    pub replaces_links: Option<String>,
}

/// What the addresses of a kind of contacts must look like.
#[derive(Debug, Clone)]
pub struct AddressForm {
    /// The kind of contacts.
    pub contact: String,
    /// Matches whole addresses.
    pub pattern: Regex,
    /// The same in words.
    pub help: String,
}

/// Loads plugins and calls them. Dropping it stops its threads and aborts running calls.
pub struct PluginHost {
    loader: Loader,
    plugins: RwLock<BTreeMap<String, Arc<Slot>>>,
    runtime: Option<Runtime>,
}

/// What addresses must look like, with the patterns that the operator has set.
fn address_forms(
    id: &str,
    manifest: &Manifest,
    settings: &Settings,
) -> Result<Vec<AddressForm>, LoadError> {
    let mut forms = Vec::new();
    for ask in &manifest.addresses {
        let (pattern, from) = match &ask.pattern {
            PatternAsk::Fixed(pattern) => (Some(pattern.as_str()), "plugin.toml".to_owned()),
            PatternAsk::Setting(key) => {
                let set = settings.get(key).and_then(toml::Value::as_str);
                (set, format!("[plugins.{id}] settings.{key}"))
            }
        };
        let Some(pattern) = pattern.filter(|it| !it.is_empty()) else {
            continue;
        };
        let pattern = whole_pattern(pattern);
        forms.push(AddressForm {
            contact: ask.contact.clone(),
            pattern: pattern.map_err(|why| LoadError::Settings(vec![format!("{from}: {why}")]))?,
            help: ask.help.clone(),
        });
    }
    Ok(forms)
}

/// One core is left to the daemon, so that its endpoints respond even if every guest spins.
fn workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.saturating_sub(1).clamp(1, WORKERS_MAX)
}

impl std::fmt::Debug for PluginHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginHost")
            .field("plugins", &self.plugins.read().keys())
            .finish()
    }
}

impl PluginHost {
    /// Starts the engine and its threads, without plugins.
    ///
    /// # Errors
    /// When the engine or its threads cannot start. A cache that cannot be used is a warning.
    pub fn new(config: HostConfig, services: Arc<dyn Services>) -> Result<Self, HostError> {
        let compiler = Compiler::start(config.cache_dir.as_deref(), config.cache_key)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers())
            .thread_name("plugins")
            .enable_all()
            .build()?;
        Ok(Self {
            loader: Loader {
                compiler: Arc::new(compiler),
                services,
                policy: config.policy,
                runtime: runtime.handle().clone(),
            },
            plugins: RwLock::default(),
            runtime: Some(runtime),
        })
    }

    /// Loads a plugin, or replaces its generation: the new one is compiled, linked and checked
    /// before it takes over; on any error the old one stays. Calls on the old one may continue
    /// for 30 s.
    ///
    /// # Errors
    /// What is wrong with the folder, the grant or the component.
    pub async fn load(&self, id: &str, grant: PluginGrant) -> Result<LoadedPlugin, LoadError> {
        let generation = self.loader.load(id, &grant).await?;
        Ok(self.install(id, generation))
    }

    /// Does the same as [`Self::load`] without installing the result, and also returns what the
    /// plugin cannot reach.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub async fn check(&self, id: &str, grant: &PluginGrant) -> Result<Checked, LoadError> {
        let generation = self.loader.load(id, grant).await?;
        let shared = &generation.shared;
        let manifest = shared.rights.manifest();
        Ok(Checked {
            entry: CatalogEntry::of(&generation),
            unreachable: shared.net.policy().unreachable(),
            addresses: address_forms(id, manifest, &shared.settings)?,
            replaces_links: manifest.replaces_links(&shared.settings),
        })
    }

    pub fn get(&self, id: &str) -> Option<LoadedPlugin> {
        self.plugins.read().get(id).map(|slot| self.handle_to(slot))
    }

    /// All loaded plugins, by id.
    pub fn plugins(&self) -> Vec<LoadedPlugin> {
        self.plugins
            .read()
            .values()
            .map(|slot| self.handle_to(slot))
            .collect()
    }

    /// Unloads a plugin; running calls may continue for 30 s. True if it was loaded.
    pub fn unload(&self, id: &str) -> bool {
        let removed = self.plugins.write().remove(id);
        if let Some(slot) = &removed {
            self.drain(slot.current.load_full());
        }
        removed.is_some()
    }

    /// What `tocsin plugin list` shows, by id.
    pub fn catalog(&self) -> Vec<CatalogEntry> {
        let plugins = self.plugins.read();
        plugins
            .values()
            .map(|slot| CatalogEntry::of(&slot.current.load()))
            .collect()
    }

    fn install(&self, id: &str, generation: Arc<Generation>) -> LoadedPlugin {
        let mut plugins = self.plugins.write();
        if let Some(slot) = plugins.get(id) {
            self.drain(slot.current.swap(generation));
            return self.handle_to(slot);
        }
        let slot = Slot {
            current: ArcSwap::new(generation),
            lanes: Lanes::default(),
        };
        let slot = Arc::new(slot);
        plugins.insert(id.to_owned(), Arc::clone(&slot));
        self.handle_to(&slot)
    }

    fn drain(&self, generation: Arc<Generation>) {
        self.loader.runtime.spawn(async move {
            tokio::time::sleep(Duration::from_millis(DRAIN_MS)).await;
            generation.cancelled.store(true, Ordering::Relaxed);
        });
    }

    fn handle_to(&self, slot: &Arc<Slot>) -> LoadedPlugin {
        LoadedPlugin {
            slot: Arc::clone(slot),
            runtime: self.loader.runtime.clone(),
        }
    }
}

impl Drop for PluginHost {
    fn drop(&mut self) {
        // A runtime must not block inside another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
