//! What plugins reach of the daemon: [`Services`] over its rooms.

use std::collections::BTreeMap;
use std::sync::Arc;

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
use super::{PluginAccess, commands, effects, jobs, kv};
use crate::runtime::Clock;

/// The services of a running daemon, or of none.
pub struct DaemonServices {
    clock: Arc<dyn Clock>,
    /// `None`: plugins are only looked at.
    access: Option<PluginAccess>,
    /// One write to a plugin's keys at a time, and what it keeps.
    kv_writes: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<KnownUsage>>>>,
}

impl DaemonServices {
    /// Services over what plugins may reach.
    #[must_use]
    pub fn new(access: PluginAccess) -> Self {
        Self {
            clock: Arc::clone(&access.clock),
            access: Some(access),
            kv_writes: Mutex::default(),
        }
    }

    /// Services that are unavailable: for loading plugins without a daemon.
    #[must_use]
    pub fn offline(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            access: None,
            kv_writes: Mutex::default(),
        }
    }

    fn access(&self) -> Result<&PluginAccess, ServiceError> {
        let offline = || ServiceError("no daemon runs here".to_owned());
        self.access.as_ref().ok_or_else(offline)
    }

    async fn kv_turn(&self, plugin: &str) -> tokio::sync::OwnedMutexGuard<KnownUsage> {
        let turn = Arc::clone(self.kv_writes.lock().entry(plugin.to_owned()).or_default());
        turn.lock_owned().await
    }

    fn kv_access(&self) -> Result<&PluginAccess, KvError> {
        self.access()
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
        Box::pin(async move { kv::get(self.kv_access()?, plugin, key) })
    }

    fn kv_set<'a>(
        &'a self,
        plugin: &'a str,
        key: &'a str,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> BoxFuture<'a, Result<u64, KvError>> {
        Box::pin(async move {
            let access = self.kv_access()?;
            let mut known = self.kv_turn(plugin).await;
            let any = Expected::Any;
            kv::set(access, &mut known, plugin, key, any, &value, ttl_ms).await
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
            let access = self.kv_access()?;
            let mut known = self.kv_turn(plugin).await;
            kv::set(
                access,
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
            let access = self.kv_access()?;
            let mut known = self.kv_turn(plugin).await;
            kv::delete(access, &mut known, plugin, key).await
        })
    }

    fn kv_keys<'a>(
        &'a self,
        plugin: &'a str,
        prefix: &'a str,
        cursor: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<KvPage, KvError>> {
        Box::pin(async move { kv::keys(self.kv_access()?, plugin, prefix, cursor, limit) })
    }

    fn effect_begin<'a>(
        &'a self,
        effect: &'a EffectKey,
    ) -> BoxFuture<'a, Result<EffectState, ServiceError>> {
        Box::pin(async move { effects::begin(self.access()?, effect).await })
    }

    fn effect_finish<'a>(
        &'a self,
        effect: &'a EffectKey,
        answer: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), ServiceError>> {
        Box::pin(async move { effects::finish(self.access()?, effect, &answer).await })
    }

    fn effect_forget<'a>(
        &'a self,
        effect: &'a EffectKey,
    ) -> BoxFuture<'a, Result<(), ServiceError>> {
        Box::pin(async move { effects::forget(self.access()?, effect).await })
    }

    fn jobs_waiting<'a>(&'a self, plugin: &'a str) -> BoxFuture<'a, Result<usize, ServiceError>> {
        Box::pin(async move { jobs::waiting(self.access()?, plugin).await })
    }

    fn command(
        &self,
        command: PluginCommand,
    ) -> BoxFuture<'_, Result<CommandAnswer, CommandError>> {
        Box::pin(async move {
            let access = self.access();
            let access = access.map_err(|error| CommandError::Unavailable(error.to_string()))?;
            commands::carry_out(access, command).await
        })
    }

    fn person_by_contact<'a>(
        &'a self,
        kind: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Person>, ServiceError>> {
        Box::pin(async move {
            let access = self.access()?;
            let person = commands::person_by_contact(access, kind, id);
            Ok(person.map(|id| access.payloads.person(&id)))
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
