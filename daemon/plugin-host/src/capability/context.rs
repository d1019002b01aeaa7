//! The context of a call for the imports: its rights, its time, and what it has done so far.

use super::Services;
use super::http::HttpTrace;
use super::jobs::JobQueue;
use super::log::{LogBudget, LogLines};
use super::meter::{CpuMeter, Pause};
use super::rate::RateBucket;
use crate::keys;
use crate::net::Net;
use crate::rights::{Denied, Rights, SecretSet, SecretSource, Settings};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// Shared by all calls of one generation.
pub(crate) struct Shared {
    pub(crate) services: Arc<dyn Services>,
    pub(crate) rights: Rights,
    pub(crate) settings: Settings,
    pub(crate) settings_json: String,
    pub(crate) secrets: BTreeMap<String, SecretSource>,
    pub(crate) net: Net,
    pub(crate) log: LogBudget,
}

/// The parameters of a call.
#[derive(Debug, Clone)]
pub(crate) struct CallFacts {
    pub(crate) export: &'static str,
    /// The delivery's idempotency key.
    pub(crate) delivery: String,
    /// Set for `describe` and `check-config`, which have no rights.
    pub(crate) without_rights: bool,
    /// The request rate of the call's lane.
    pub(crate) http_rate: Arc<RateBucket>,
    pub(crate) deadline: Instant,
}

/// The state of one call that the imports work on.
pub(crate) struct Context {
    pub(crate) shared: Arc<Shared>,
    pub(crate) facts: CallFacts,
    pub(crate) started: Instant,
    pub(crate) meter: CpuMeter,
    pub(crate) stats: CallStats,
    pub(crate) denials: Vec<Denied>,
    pub(crate) log: LogLines,
    pub(crate) jobs: JobQueue,
    pub(crate) http: Vec<HttpTrace>,
    pub(crate) commands: u32,
    pub(crate) people: u32,
    pub(crate) mails: u32,
    /// Effects with unknown outcome, by their `once`: started, and neither finished nor refused.
    pub(crate) effects_unknown: BTreeSet<String>,
    secrets: Option<Arc<SecretSet>>,
    repeats: HashMap<String, u32>,
}

/// The resources that a call used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CallStats {
    /// Guest CPU time, in microseconds.
    pub cpu_us: u64,
    /// Epoch ticks that occurred inside the guest, 10 ms apart.
    pub ticks: u32,
    /// Wall-clock time, in microseconds, without waiting for a slot.
    pub wall_us: u64,
    /// Largest linear memory, in bytes.
    pub memory_bytes: u64,
    pub host_calls: u32,
    /// HTTP requests sent, not counting redirects.
    pub http_requests: u32,
    /// Stored responses that were replayed.
    pub effects_replayed: u32,
    /// Effects that were started and have an unknown outcome.
    pub effects_unknown: u32,
    /// Secrets redacted from responses and log lines.
    pub redactions: u32,
    /// Denied uses of rights.
    pub denials: u32,
    /// Log lines dropped over the limit.
    pub log_lines_dropped: u32,
}

/// Denials kept per call for the report.
const DENIALS_MAX: usize = 20;

impl Context {
    pub(crate) fn new(shared: Arc<Shared>, facts: CallFacts) -> Self {
        Self {
            shared,
            facts,
            started: Instant::now(),
            meter: CpuMeter::default(),
            stats: CallStats::default(),
            denials: Vec::new(),
            log: LogLines::default(),
            jobs: JobQueue::default(),
            http: Vec::new(),
            commands: 0,
            people: 0,
            mails: 0,
            effects_unknown: BTreeSet::new(),
            secrets: None,
            repeats: HashMap::new(),
        }
    }

    /// Stops charging CPU time to the guest until the pause is dropped.
    pub(crate) fn pause(&mut self) -> Pause {
        self.stats.host_calls += 1;
        self.meter.pause()
    }

    pub(crate) fn plugin(&self) -> &str {
        self.shared.rights.plugin()
    }

    /// The current secrets, read once per call.
    pub(crate) fn secrets(&mut self) -> Arc<SecretSet> {
        let shared = &self.shared;
        let read = self.secrets.get_or_insert_with(|| {
            let mut secrets = SecretSet::read(&shared.secrets);
            secrets.also_redact(shared.net.policy().encoded(&secrets));
            Arc::new(secrets)
        });
        Arc::clone(read)
    }

    /// A key for something that the guest does: stable when a retry does the same things again,
    /// even when it leaves some out.
    pub(crate) fn operation_key(&mut self, function: &str, arguments: &str) -> String {
        let act = keys::digest("act1", &[&self.facts.delivery, function, arguments]);
        let repeat = self.repeats.entry(act.clone()).or_insert(0);
        *repeat += 1;
        if *repeat == 1 {
            act
        } else {
            format!("{act}-{repeat}")
        }
    }

    /// Records a denial and returns its text for the guest.
    pub(crate) fn deny(&mut self, denied: Denied) -> String {
        let text = denied.to_string();
        tracing::warn!(plugin = self.plugin(), export = self.facts.export, "{text}");
        self.stats.denials += 1;
        if self.denials.len() < DENIALS_MAX && !self.denials.contains(&denied) {
            self.denials.push(denied);
        }
        text
    }
}
