//! The effect records behind `once`: a mark before a request is sent, and its answer afterwards.
//! After a crash in between, the outcome is unknown, and the next try gets
//! [`EffectState::Started`].

use std::sync::Arc;

use tocsin_plugin_host::capability::effects::{EffectKey, EffectService, EffectState};
use tocsin_plugin_host::capability::{Reply, ServiceError};
use tocsin_store::{CommitError, Store};

use super::{DaemonServices, PluginAccess};
use crate::runtime::state::tables::RowWrites;
use crate::runtime::state::tables::effect::{self, Known};
use crate::runtime::{EngineError, Request};

/// Tries of a mark that conflicted with another one.
const TRIES_MAX: usize = 4;

impl EffectService for DaemonServices {
    fn effect_begin<'a>(&'a self, effect: &'a EffectKey) -> Reply<'a, EffectState> {
        Box::pin(async move { begin(self.access()?, effect).await })
    }

    fn effect_finish<'a>(&'a self, effect: &'a EffectKey, answer: Vec<u8>) -> Reply<'a, ()> {
        Box::pin(async move { finish(self.access()?, effect, &answer).await })
    }

    fn effect_forget<'a>(&'a self, effect: &'a EffectKey) -> Reply<'a, ()> {
        Box::pin(async move { forget(self.access()?, effect).await })
    }
}

async fn begin(access: &PluginAccess, effect: &EffectKey) -> Result<EffectState, ServiceError> {
    let key = effect.digest();
    for _ in 0..TRIES_MAX {
        if let Some(state) = look(access, &key, known).await? {
            if state == EffectState::Started {
                let EffectKey { plugin, once, .. } = effect;
                tracing::warn!(
                    plugin,
                    once,
                    "the outcome of an earlier request is unknown; the plugin checks it before \
                     sending again"
                );
                access.metrics.effect_unknown(plugin);
            }
            return Ok(state);
        }
        let EffectKey { plugin, once, .. } = effect;
        let mark = effect::start(&key, plugin, once, access.clock.now()).map_err(failed)?;
        match access.writer.ask(Request::rows(mark)).await {
            Ok(_) => return Ok(EffectState::New),
            Err(EngineError::Commit(CommitError::Conflict { .. })) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(ServiceError(
        "the effect is being marked by another call; try again".to_owned(),
    ))
}

async fn finish(
    access: &PluginAccess,
    effect: &EffectKey,
    answer: &[u8],
) -> Result<(), ServiceError> {
    let rows = effect::finish(&effect.digest(), answer, access.clock.now());
    write(access, rows.map_err(failed)?).await
}

async fn forget(access: &PluginAccess, effect: &EffectKey) -> Result<(), ServiceError> {
    let rows = look(access, &effect.digest(), effect::forget).await?;
    if rows.is_empty() {
        return Ok(());
    }
    write(access, rows).await
}

async fn write(access: &PluginAccess, rows: RowWrites) -> Result<(), ServiceError> {
    let asked = access.writer.ask(Request::rows(rows)).await;
    asked.map(|_| ()).map_err(failed)
}

/// The stored state of an effect.
fn known(store: &dyn Store, digest: &str) -> Result<Option<EffectState>, EngineError> {
    Ok(effect::known(store, digest)?.map(|known| match known {
        Known::Started => EffectState::Started,
        Known::Finished(answer) => EffectState::Finished(answer),
    }))
}

/// Reads on a thread for blocking work: reads wait while the writer flushes, and a few plugins
/// would block every request.
async fn look<T: Send + 'static>(
    access: &PluginAccess,
    key: &str,
    read: impl FnOnce(&dyn Store, &str) -> Result<T, EngineError> + Send + 'static,
) -> Result<T, ServiceError> {
    let (store, key) = (Arc::clone(&access.store), key.to_owned());
    let looked = tokio::task::spawn_blocking(move || read(store.as_ref(), &key)).await;
    looked.map_err(failed)?.map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> ServiceError {
    ServiceError(error.to_string())
}
