//! The effect memory behind `once`: a mark before a request leaves, and its answer after. After
//! a crash between the two, the outcome is unknown, and the next try is told so.

use std::sync::Arc;

use serde_json::json;
use tocsin_core::time::HOUR_MS;
use tocsin_plugin_host::capability::effects::{EffectKey, EffectService, EffectState};
use tocsin_plugin_host::capability::{Reply, ServiceError};
use tocsin_store::{CommitError, Guard, RowChange, Store, Table};

use super::{DaemonServices, PluginAccess, blob};
use crate::runtime::{EngineError, Request, Write};

/// How long an effect is remembered, in milliseconds: a week, longer than any retry.
const EFFECT_TTL_MS: u64 = 7 * 24 * HOUR_MS;
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
                    "the outcome of an earlier request is unknown; the plugin looks before it \
                     sends again"
                );
                access.metrics.effect_unknown(plugin);
            }
            return Ok(state);
        }
        let now = access.clock.now();
        let mark = RowChange {
            table: Table::Effect,
            key: key.clone(),
            value: Some(
                json!({ "started": now, "plugin": effect.plugin, "once": effect.once }).into(),
            ),
            expires_at: Some(now.plus_ms(EFFECT_TTL_MS)),
        };
        let guard = Guard {
            table: Table::Effect,
            key: key.clone(),
            revision: 0,
        };
        let write = Write {
            guards: vec![guard],
            rows: vec![mark],
            ..Write::default()
        };
        match access.writer.ask(Request::Write(Box::new(write))).await {
            Ok(_) => return Ok(EffectState::Fresh),
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
    let expires_at = Some(access.clock.now().plus_ms(EFFECT_TTL_MS));
    let rows = blob::write(Table::Effect, &effect.digest(), answer, expires_at, None);
    let write = Write {
        rows: rows.map_err(failed)?,
        ..Write::default()
    };
    access
        .writer
        .ask(Request::Write(Box::new(write)))
        .await
        .map(|_| ())
        .map_err(failed)
}

async fn forget(access: &PluginAccess, effect: &EffectKey) -> Result<(), ServiceError> {
    let key = effect.digest();
    let stored = look(
        access,
        &key,
        |store, key| Ok(store.row(Table::Effect, key)?),
    );
    let Some(stored) = stored.await? else {
        return Ok(());
    };
    let is_mark = stored.value.get("started").is_some();
    let before = Some(&stored).filter(|_| !is_mark);
    let rows = blob::remove(Table::Effect, &key, before).map_err(failed)?;
    let write = Write {
        rows,
        ..Write::default()
    };
    access
        .writer
        .ask(Request::Write(Box::new(write)))
        .await
        .map(|_| ())
        .map_err(failed)
}

/// What is remembered of an effect.
fn known(store: &dyn Store, key: &str) -> Result<Option<EffectState>, EngineError> {
    match store.row(Table::Effect, key)? {
        Some(row) if row.value.get("started").is_some() => Ok(Some(EffectState::Started)),
        Some(row) => {
            let bytes = blob::read(store, Table::Effect, key, &row)?;
            Ok(Some(EffectState::Finished(bytes)))
        }
        None => Ok(None),
    }
}

/// Reads on a thread that may wait: the store's reads wait while the writer flushes, and a few
/// plugins at once would hold every door.
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
