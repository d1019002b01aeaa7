//! The daemon's side of the plugins' imports, for a guest that asks nothing.

use std::future::{Future, ready};
use std::pin::Pin;

use tocsin_plugin_host::capability::services::{
    CommandAnswer, EffectKey, EffectState, PluginCommand, ServiceError, Services,
};
use tocsin_plugin_host::wit::Receipt;
use tocsin_plugin_host::wit::{CommandError, Email, KvEntry, KvError, KvPage, MailError, Person};

/// Answers everything with nothing.
pub(super) struct Nothing;

type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

fn now<'a, T: Send + 'a>(value: T) -> Later<'a, T> {
    Box::pin(ready(value))
}

impl Services for Nothing {
    fn now_ms(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX))
    }

    fn kv_get<'a>(&'a self, _: &'a str, _: &'a str) -> Later<'a, Result<Option<KvEntry>, KvError>> {
        now(Ok(None))
    }

    fn kv_set<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: Vec<u8>,
        _: Option<u64>,
    ) -> Later<'a, Result<u64, KvError>> {
        now(Ok(1))
    }

    fn kv_swap<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: Option<u64>,
        _: Vec<u8>,
        _: Option<u64>,
    ) -> Later<'a, Result<u64, KvError>> {
        now(Ok(1))
    }

    fn kv_delete<'a>(&'a self, _: &'a str, _: &'a str) -> Later<'a, Result<bool, KvError>> {
        now(Ok(false))
    }

    fn kv_keys<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: Option<&'a str>,
        _: u32,
    ) -> Later<'a, Result<KvPage, KvError>> {
        now(Ok(KvPage {
            keys: Vec::new(),
            cursor: None,
        }))
    }

    fn effect_begin<'a>(
        &'a self,
        _: &'a EffectKey,
    ) -> Later<'a, Result<EffectState, ServiceError>> {
        now(Ok(EffectState::Fresh))
    }

    fn effect_finish<'a>(
        &'a self,
        _: &'a EffectKey,
        _: Vec<u8>,
    ) -> Later<'a, Result<(), ServiceError>> {
        now(Ok(()))
    }

    fn effect_forget<'a>(&'a self, _: &'a EffectKey) -> Later<'a, Result<(), ServiceError>> {
        now(Ok(()))
    }

    fn jobs_waiting<'a>(&'a self, _: &'a str) -> Later<'a, Result<usize, ServiceError>> {
        now(Ok(0))
    }

    fn command(&self, _: PluginCommand) -> Later<'_, Result<CommandAnswer, CommandError>> {
        now(Ok(CommandAnswer::Done))
    }

    fn person_by_contact<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
    ) -> Later<'a, Result<Option<Person>, ServiceError>> {
        now(Ok(None))
    }

    fn send_mail<'a>(
        &'a self,
        _: &'a str,
        _: Email,
        _: Option<String>,
    ) -> Later<'a, Result<Receipt, MailError>> {
        now(Err(MailError::Denied("this is a benchmark".to_owned())))
    }
}
