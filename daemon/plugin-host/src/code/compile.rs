//! Turns bytes into instantiable code: compiles, checks the interface, links.

use super::cache::Cache;
use super::engine;
use super::error::{HostError, LoadError};
use crate::call::{CallState, Code, CodeOrigin};
use crate::capability;
use crate::wit::PluginPre;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

/// The interface that plugins must export, without its version.
const INTERFACE: &str = "tocsin:plugin/handler@";
const INTERFACE_VERSION: &str = "0.1";

/// One engine with its linker and its cache.
pub(super) struct Compiler {
    engine: Engine,
    linker: Linker<CallState>,
    cache: Option<Cache>,
    /// Locked while a component compiles.
    compiling: tokio::sync::Mutex<()>,
}

impl Compiler {
    /// Starts an engine, without a cache if its folder cannot be used.
    pub(super) fn start(
        cache_dir: Option<&Path>,
        cache_key: Option<[u8; 32]>,
    ) -> Result<Self, HostError> {
        let engine = engine::start()?;
        let mut linker = Linker::new(&engine);
        let linked = capability::link(&mut linker, |state: &mut CallState| &mut state.context);
        linked.map_err(|error| HostError::Link(format!("{error:#}")))?;
        Ok(Self {
            cache: cache_dir.and_then(|folder| Cache::open(folder, cache_key, &engine)),
            engine,
            linker,
            compiling: tokio::sync::Mutex::new(()),
        })
    }

    /// Loads code from the cache or compiles it, and links it: one component at a time, on a
    /// blocking thread.
    pub(super) async fn code(
        self: &Arc<Self>,
        plugin: &str,
        wasm: Vec<u8>,
        path: PathBuf,
    ) -> Result<Code, LoadError> {
        let _turn = self.compiling.lock().await;
        let this = Arc::clone(self);
        let compiled = tokio::task::spawn_blocking(move || this.compile(&wasm));
        let compiled = compiled
            .await
            .unwrap_or_else(|error| Err(error.to_string()));
        let (component, digest, origin) =
            compiled.map_err(|reason| LoadError::Compile { path, reason })?;
        let pre = self
            .link(&component)
            .map_err(|reason| LoadError::Interface {
                plugin: plugin.to_owned(),
                reason,
            })?;
        Ok(Code {
            pre,
            digest,
            origin,
        })
    }

    fn compile(&self, wasm: &[u8]) -> Result<(Component, blake3::Hash, CodeOrigin), String> {
        let digest = blake3::hash(wasm);
        let cache = self.cache.as_ref();
        if let Some(component) = cache.and_then(|it| it.load(&self.engine, &digest)) {
            return Ok((component, digest, CodeOrigin::Cached));
        }
        // Compilers can panic on unexpected input.
        let compiled = catch_unwind(AssertUnwindSafe(|| {
            Component::from_binary(&self.engine, wasm)
        }));
        let component = compiled
            .map_err(|_| "the compiler panicked".to_owned())?
            .map_err(|error| format!("{error:#}"))?;
        if let (Some(cache), Ok(bytes)) = (cache, component.serialize()) {
            cache.store(&digest, &bytes);
        }
        Ok((component, digest, CodeOrigin::Compiled))
    }

    fn link(&self, component: &Component) -> Result<PluginPre<CallState>, String> {
        self.check_interface(component)?;
        let pre = self.linker.instantiate_pre(component);
        pre.and_then(PluginPre::new)
            .map_err(|error| format!("{error:#}"))
    }

    /// Checks the interface first, since the linker would only report mismatched types.
    fn check_interface(&self, component: &Component) -> Result<(), String> {
        let ty = component.component_type();
        let engine = &self.engine;
        let version = ty
            .exports(engine)
            .find_map(|(name, _)| name.strip_prefix(INTERFACE));
        match version {
            None => {
                return Err(format!(
                    "no export {INTERFACE}{INTERFACE_VERSION}; build it with the plugin SDK"
                ));
            }
            Some(version) if !version.starts_with(&format!("{INTERFACE_VERSION}.")) => {
                return Err(format!(
                    "it was built for tocsin:plugin@{version} and this daemon has \
                     {INTERFACE_VERSION}; use matching versions"
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
            "it imports {}, which plugins cannot use; build it for wasm32-unknown-unknown without \
             WASI or JavaScript shims (chrono's `wasmbind` and getrandom are common causes)",
            foreign.join(", ")
        ))
    }
}
