//! What plugins reach of the daemon: [`Services`] over the runtime.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tocsin_plugin_host::Services;
use tocsin_plugin_host::capability::services::{
    CommandAnswer, EffectKey, EffectState, PluginCommand, ServiceError,
};
use tocsin_plugin_host::wit::{
    CommandError, Email, KvEntry, KvError, KvPage, MailError, Person, Receipt,
};

use super::kv::{Expected, KnownUsage};
use super::{commands, effects, jobs, kv};
use crate::runtime::{Clock, Runtime};

/// Services over a runtime, which is made after the plugin host that needs them.
pub struct DaemonServices {
    clock: Arc<dyn Clock>,
    runtime: OnceLock<Weak<Runtime>>,
    /// One write to a plugin's keys at a time, and what it keeps.
    kv_writes: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<KnownUsage>>>>,
}

impl DaemonServices {
    /// Services that are unavailable until [`attach`](Self::attach).
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            runtime: OnceLock::new(),
            kv_writes: Mutex::default(),
        }
    }

    /// Gives them their runtime, once.
    pub fn attach(&self, runtime: &Arc<Runtime>) {
        // A second runtime would be another daemon's; the first one stays.
        let _was_set = self.runtime.set(Arc::downgrade(runtime));
    }

    fn runtime(&self) -> Result<Arc<Runtime>, ServiceError> {
        let runtime = self.runtime.get().and_then(Weak::upgrade);
        runtime.ok_or_else(|| ServiceError("the daemon is starting or stopping".to_owned()))
    }

    async fn kv_turn(&self, plugin: &str) -> tokio::sync::OwnedMutexGuard<KnownUsage> {
        let turn = Arc::clone(self.kv_writes.lock().entry(plugin.to_owned()).or_default());
        turn.lock_owned().await
    }

    fn kv_runtime(&self) -> Result<Arc<Runtime>, KvError> {
        self.runtime()
            .map_err(|error| KvError::Unavailable(error.to_string()))
    }
}

impl Services for DaemonServices {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.clock.now().0).unwrap_or(0)
    }

    fn kv_get<'a>(
        &'a self,
        plugin: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<KvEntry>, KvError>> {
        Box::pin(async move { kv::get(&*self.kv_runtime()?, plugin, key) })
    }

    fn kv_set<'a>(
        &'a self,
        plugin: &'a str,
        key: &'a str,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> BoxFuture<'a, Result<u64, KvError>> {
        Box::pin(async move {
            let runtime = self.kv_runtime()?;
            let mut known = self.kv_turn(plugin).await;
            let any = Expected::Any;
            kv::set(&runtime, &mut known, plugin, key, any, &value, ttl_ms).await
        })
    }

    fn kv_swap<'a>(
        &'a self,
        plugin: &'a str,
        key: &'a str,
        expected: Option<u64>,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> BoxFuture<'a, Result<u64, KvError>> {
        Box::pin(async move {
            let runtime = self.kv_runtime()?;
            let mut known = self.kv_turn(plugin).await;
            kv::set(
                &runtime,
                &mut known,
                plugin,
                key,
                Expected::At(expected),
                &value,
                ttl_ms,
            )
            .await
        })
    }

    fn kv_delete<'a>(
        &'a self,
        plugin: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<bool, KvError>> {
        Box::pin(async move {
            let runtime = self.kv_runtime()?;
            let mut known = self.kv_turn(plugin).await;
            kv::delete(&runtime, &mut known, plugin, key).await
        })
    }

    fn kv_keys<'a>(
        &'a self,
        plugin: &'a str,
        prefix: &'a str,
        cursor: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<KvPage, KvError>> {
        Box::pin(async move { kv::keys(&*self.kv_runtime()?, plugin, prefix, cursor, limit) })
    }

    fn effect_begin<'a>(
        &'a self,
        effect: &'a EffectKey,
    ) -> BoxFuture<'a, Result<EffectState, ServiceError>> {
        Box::pin(async move { effects::begin(&*self.runtime()?, effect).await })
    }

    fn effect_finish<'a>(
        &'a self,
        effect: &'a EffectKey,
        answer: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), ServiceError>> {
        Box::pin(async move { effects::finish(&*self.runtime()?, effect, &answer).await })
    }

    fn effect_forget<'a>(
        &'a self,
        effect: &'a EffectKey,
    ) -> BoxFuture<'a, Result<(), ServiceError>> {
        Box::pin(async move { effects::forget(&*self.runtime()?, effect).await })
    }

    fn jobs_waiting<'a>(&'a self, plugin: &'a str) -> BoxFuture<'a, Result<usize, ServiceError>> {
        Box::pin(async move { jobs::waiting(&*self.runtime()?, plugin).await })
    }

    fn command(
        &self,
        command: PluginCommand,
    ) -> BoxFuture<'_, Result<CommandAnswer, CommandError>> {
        Box::pin(async move {
            let runtime = self.runtime();
            let runtime = runtime.map_err(|error| CommandError::Unavailable(error.to_string()))?;
            commands::carry_out(&runtime, command).await
        })
    }

    fn person_by_contact<'a>(
        &'a self,
        kind: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Person>, ServiceError>> {
        Box::pin(async move {
            let runtime = self.runtime()?;
            let person = commands::person_by_contact(&runtime, kind, id);
            Ok(person.map(|id| runtime.payloads.person(&id)))
        })
    }

    fn send_mail<'a>(
        &'a self,
        plugin: &'a str,
        email: Email,
        _message_key: Option<String>,
    ) -> BoxFuture<'a, Result<Receipt, MailError>> {
        Box::pin(async move {
            Err(MailError::Denied(format!(
                "plugin {plugin} may not use the relay `{}`: this release lends its relay to no \
                 plugin",
                email.relay
            )))
        })
    }
}
