//! Host services for a guest that calls no import.

use tocsin_plugin_host::capability::clock::ClockService;
use tocsin_plugin_host::capability::commands::CommandService;
use tocsin_plugin_host::capability::effects::EffectService;
use tocsin_plugin_host::capability::jobs::JobService;
use tocsin_plugin_host::capability::kv::KvService;
use tocsin_plugin_host::capability::mail::MailService;
use tocsin_plugin_host::capability::people::PeopleService;

/// Provides the time, and nothing else.
pub(super) struct Nothing;

impl ClockService for Nothing {
    fn now_ms(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX))
    }
}

impl CommandService for Nothing {}
impl EffectService for Nothing {}
impl JobService for Nothing {}
impl KvService for Nothing {}
impl MailService for Nothing {}
impl PeopleService for Nothing {}
