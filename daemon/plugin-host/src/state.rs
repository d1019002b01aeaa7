//! What one call knows: the data of its store. It lives as long as the call and no longer.

use crate::call::{CallStats, EnqueuedJob, HttpTrace, LogLine};
use crate::grant::{Denied, Rights};
use crate::keys;
use crate::limits::{LOG_LINE_BYTES_MAX, LOG_LINES_MAX, LOG_LINES_PER_MIN};
use crate::meter::{CpuMeter, Pause};
use crate::net::Net;
use crate::rate::RateBucket;
use crate::secrets::{SecretSet, SecretSource};
use crate::services::{EffectKey, EffectState, ServiceError, Services};
use crate::store_limits::StoreLimits;
use crate::wit::LogLevel;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// What all calls of one generation share.
pub(crate) struct Shared {
    pub(crate) services: Arc<dyn Services>,
    pub(crate) rights: Rights,
    pub(crate) settings: BTreeMap<String, toml::Value>,
    pub(crate) settings_json: String,
    pub(crate) secrets: BTreeMap<String, SecretSource>,
    pub(crate) net: Net,
    /// What may still go to the daemon's log.
    pub(crate) log_rate: RateBucket,
    /// Lines that did not go there since the last that did.
    pub(crate) log_left_out: AtomicU64,
    /// Set when the generation was replaced and its time to drain is over.
    pub(crate) cancelled: AtomicBool,
}

impl Shared {
    /// Puts a line into the daemon's log, unless the plugin floods it; says how much it left out
    /// once there is room again.
    fn tell(&self, now_ms: u64, emit: impl FnOnce()) {
        if self.log_rate.take(now_ms).is_err() {
            self.log_left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let left_out = self.log_left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            tracing::warn!(
                plugin = self.rights.plugin(),
                left_out,
                "a plugin logs more than {LOG_LINES_PER_MIN} lines a minute, and lines of it \
                 were left out; make it log less"
            );
        }
        emit();
    }
}

/// Why the host stopped a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Cpu,
    Wall,
    HostCalls,
    Replaced,
}

pub(crate) struct CallState {
    pub(crate) shared: Arc<Shared>,
    pub(crate) export: &'static str,
    /// The delivery's idempotency key.
    pub(crate) delivery: String,
    /// Without rights: `describe`, `check-config`.
    pub(crate) powerless: bool,
    pub(crate) rate: Option<Arc<RateBucket>>,
    pub(crate) started: Instant,
    pub(crate) deadline: Instant,
    pub(crate) meter: CpuMeter,
    pub(crate) limits: StoreLimits,
    pub(crate) stop: Option<Stop>,
    pub(crate) log: Vec<LogLine>,
    pub(crate) jobs: Vec<EnqueuedJob>,
    pub(crate) stats: CallStats,
    pub(crate) denials: Vec<Denied>,
    pub(crate) http: Vec<HttpTrace>,
    /// Jobs of this plugin that waited when the guest first queued one.
    pub(crate) jobs_waiting: Option<usize>,
    pub(crate) commands: u32,
    pub(crate) people: u32,
    pub(crate) mails: u32,
    /// Effects that may have taken place, by their `once`: begun, and neither done nor refused.
    pub(crate) effects_unknown: BTreeSet<String>,
    secrets: Option<Arc<SecretSet>>,
    repeats: HashMap<String, u32>,
}

/// Denials kept per call for the report.
const DENIALS_MAX: usize = 20;

impl CallState {
    pub(crate) fn new(
        shared: Arc<Shared>,
        export: &'static str,
        delivery: String,
        deadline: Instant,
    ) -> Self {
        let limits = StoreLimits::new(shared.rights.limits().memory_bytes);
        Self {
            shared,
            export,
            delivery,
            powerless: false,
            rate: None,
            started: Instant::now(),
            deadline,
            meter: CpuMeter::default(),
            limits,
            stop: None,
            log: Vec::new(),
            jobs: Vec::new(),
            stats: CallStats::default(),
            denials: Vec::new(),
            http: Vec::new(),
            jobs_waiting: None,
            commands: 0,
            people: 0,
            mails: 0,
            effects_unknown: BTreeSet::new(),
            secrets: None,
            repeats: HashMap::new(),
        }
    }

    /// The host works until the pause is dropped.
    pub(crate) fn pause(&mut self) -> Pause {
        self.stats.host_calls += 1;
        self.meter.pause()
    }

    pub(crate) fn plugin(&self) -> &str {
        self.shared.rights.plugin()
    }

    /// The secrets as they are now, read once per call.
    pub(crate) fn secrets(&mut self) -> Arc<SecretSet> {
        let sources = &self.shared.secrets;
        let read = self
            .secrets
            .get_or_insert_with(|| Arc::new(SecretSet::read(sources)));
        Arc::clone(read)
    }

    pub(crate) fn effect(&self, once: String) -> EffectKey {
        EffectKey {
            plugin: self.plugin().to_owned(),
            delivery: self.delivery.clone(),
            once,
        }
    }

    /// Marks an effect as begun. Until [`finish_effect`](Self::finish_effect) or
    /// [`forget_effect`](Self::forget_effect) it counts as one of unknown outcome.
    pub(crate) async fn begin_effect(
        &mut self,
        effect: &EffectKey,
    ) -> Result<EffectState, ServiceError> {
        let state = self.shared.services.effect_begin(effect).await?;
        if !matches!(state, EffectState::Finished(_)) {
            self.effects_unknown.insert(effect.once.clone());
        }
        Ok(state)
    }

    /// It took place, and this was the answer.
    pub(crate) async fn finish_effect(
        &mut self,
        effect: &EffectKey,
        answer: Vec<u8>,
    ) -> Result<(), ServiceError> {
        self.effects_unknown.remove(&effect.once);
        self.shared.services.effect_finish(effect, answer).await
    }

    /// It did not take place.
    pub(crate) async fn forget_effect(&mut self, effect: &EffectKey) -> Result<(), ServiceError> {
        self.effects_unknown.remove(&effect.once);
        self.shared.services.effect_forget(effect).await
    }

    /// A key for something that the guest does: stable when a retry does the same things again,
    /// even when it leaves some out.
    pub(crate) fn act_key(&mut self, function: &str, arguments: &str) -> String {
        let act = keys::digest("act1", &[&self.delivery, function, arguments]);
        let repeat = self.repeats.entry(act.clone()).or_insert(0);
        *repeat += 1;
        if *repeat == 1 {
            act
        } else {
            format!("{act}-{repeat}")
        }
    }

    /// Notes a denial and gives its text for the guest.
    pub(crate) fn deny(&mut self, denied: Denied) -> String {
        let text = denied.to_string();
        tracing::warn!(plugin = self.plugin(), export = self.export, "{text}");
        self.stats.denials += 1;
        if self.denials.len() < DENIALS_MAX && !self.denials.contains(&denied) {
            self.denials.push(denied);
        }
        text
    }

    /// A line of the guest's log, cut and cleaned.
    pub(crate) fn log(&mut self, level: LogLevel, message: &str, fields: &[(String, String)]) {
        if self.log.len() >= LOG_LINES_MAX {
            self.stats.log_lines_dropped += 1;
            return;
        }
        let mut text = clean(message);
        for (key, value) in fields {
            text.push_str(&format!(" {}={}", clean(key), clean(value)));
            if text.len() > LOG_LINE_BYTES_MAX {
                break;
            }
        }
        cut(&mut text, LOG_LINE_BYTES_MAX);
        let secrets = self.secrets();
        let (text, redacted) = secrets.redact_text(&text);
        self.stats.redactions += redacted as u32;
        let at_ms = self.shared.services.now_ms();
        self.shared.tell(at_ms, || {
            emit(level, self.plugin(), self.export, &self.delivery, &text);
        });
        self.log.push(LogLine { at_ms, level, text });
    }
}

fn emit(level: LogLevel, plugin: &str, export: &str, delivery: &str, text: &str) {
    match level {
        LogLevel::Trace => tracing::trace!(target: "plugin", plugin, export, delivery, "{text}"),
        LogLevel::Debug => tracing::debug!(target: "plugin", plugin, export, delivery, "{text}"),
        LogLevel::Info => tracing::info!(target: "plugin", plugin, export, delivery, "{text}"),
        LogLevel::Warn => tracing::warn!(target: "plugin", plugin, export, delivery, "{text}"),
        LogLevel::Error => tracing::error!(target: "plugin", plugin, export, delivery, "{text}"),
    }
}

/// Escapes control characters: a guest must not paint on a terminal or forge a line of the log.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::new();
    for character in text.chars() {
        if clean.len() > LOG_LINE_BYTES_MAX {
            break;
        }
        if character.is_control()
            || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}')
        {
            clean.extend(character.escape_default());
        } else {
            clean.push(character);
        }
    }
    clean
}

/// Cuts at a character's boundary and says so.
pub(crate) fn cut(text: &mut String, bytes_max: usize) {
    if text.len() > bytes_max {
        let mut end = bytes_max.saturating_sub('…'.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
}
