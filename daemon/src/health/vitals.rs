//! What the health checks read from a running daemon.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tocsin_core::time::HOUR_MS;
use tocsin_core::{PersonId, Timestamp};
use tocsin_plugin_host::PluginState;
use tocsin_policy::CacheStats;

use super::heartbeat::BeatState;
use super::relay::RelayState;
use super::subject::Subject;
use crate::metrics::CommitTimes;
use crate::people::{ResponderLookup, Roster};
use crate::runtime::state::tables::{dead_letter, history};
use crate::runtime::{EngineError, IncidentState, SWITCH_KEY_PART, Writer};
use crate::silence::Silence;

/// How late a timer may be before it counts as overdue, in milliseconds.
pub const OVERDUE_GRACE_MS: u64 = 5_000;
/// Most timers or outbox rows per read.
const PAGE_ROWS: usize = 1_000;
/// Most dead letters that are counted.
const DEAD_LETTERS_MAX: usize = 10_000;
/// How far back dead letters are counted, in milliseconds: a day.
const DEAD_LETTERS_MS: u64 = 24 * HOUR_MS;

/// What the health checks read from a daemon.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    pub at: Timestamp,
    /// Why the store failed, if it did.
    pub store_failure: Option<String>,
    /// Requests waiting for the writer, and the limit.
    pub queued: (usize, usize),
    /// How long the newest commits took.
    pub commits: CommitTimes,
    /// Size of the store on its disk, in bytes.
    pub store_bytes: u64,
    /// Free bytes there; `None` when unknown.
    pub disk_free_bytes: Option<u64>,
    /// Overdue timers, at most 1000.
    pub timers_overdue: usize,
    /// How late the oldest of them is, in milliseconds.
    pub timer_late_ms: u64,
    /// Pages that no channel has delivered yet.
    pub pages_waiting: usize,
    /// How long the oldest of them has waited, in milliseconds.
    pub page_wait_ms: u64,
    /// Numbers of unacknowledged incidents with a page that every channel refused.
    pub pages_exhausted: Vec<u64>,
    /// How late the sweep that resolves alerts with expired leases is, in milliseconds.
    pub sweep_late_ms: u64,
    /// How many dead man's switches there are, and the titles of those that fire.
    pub expected: (usize, Vec<String>),
    /// Deliveries given up in the last day, at most 10,000, and why the newest was.
    pub dead_letters: (usize, Option<String>),
    /// The hash of the policies in force; `None` if none ever loaded.
    pub policy_hash: Option<String>,
    /// What is wrong with the policies' folder.
    pub policy_faults: Option<String>,
    /// Policy calls that failed in the last hour, and the last error.
    pub policy_failures: (usize, Option<String>),
    /// How often a verdict was known without running a script.
    pub policy_cache: CacheStats,
    /// The packed part of the history of alerts.
    pub history: history::Extent,
    pub plugins: Vec<PluginVitals>,
    /// Kinds of contacts that nothing serves.
    pub unserved: Vec<String>,
    /// People none of whose contacts is served.
    pub unreached: Vec<String>,
    /// Rotations with nobody on call now.
    pub uncovered: Vec<String>,
    /// What goes wrong with who is on call in the next 14 days, each with the remedy.
    pub on_call_warnings: Vec<(String, String)>,
    /// What keeps pages from waking whoever is on call in the next 14 days, each with the remedy.
    pub waking_warnings: Vec<(String, String)>,
    /// Whose calendar could not be read, and why.
    pub calendar_faults: Vec<(PersonId, String)>,
    /// What is dangerous about silences that have not ended, each by its ID.
    pub dangerous_silences: Vec<String>,
    /// The mail relay, if one is configured.
    pub relay: Option<RelayState>,
    /// The heartbeat, if one is configured.
    pub heartbeat: Option<BeatState>,
    pub incidents_active: usize,
    pub alerts_firing: u64,
    /// Resident memory of the process, in bytes; `None` when unknown.
    pub resident_bytes: Option<u64>,
}

/// A configured plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginVitals {
    pub id: String,
    /// Its state, or why it could not be loaded.
    pub state: Result<PluginState, String>,
    pub last_fault: Option<String>,
}

impl Vitals {
    /// Reads the vitals. Blocks on the store.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read.
    pub fn read(subject: &Subject) -> Result<Self, EngineError> {
        let (store, writer, assessor) = (&subject.store, &subject.writer, &subject.assessor);
        let now = subject.clock.now();
        let held = subject.view.in_memory();
        let is_real = |it: &&Arc<IncidentState>| !it.incident.about.drill;
        let active = held.iter().filter(|it| it.incident.is_active());
        let active = active.filter(is_real);
        let exhausted = held.iter().map(|it| &it.incident).filter(|it| {
            let mut pages = it.paging.pages.values();
            it.is_unanswered() && pages.any(|page| page.is_exhausted())
        });
        let overdue = store.timers_due(now.minus_ms(OVERDUE_GRACE_MS), PAGE_ROWS)?;
        let (pages_waiting, oldest_page) = pages_waiting(&held);
        let look = subject.foresight.look(assessor, now);
        let since = now.minus_ms(DEAD_LETTERS_MS);
        let an_hour = Duration::from_millis(HOUR_MS);
        Ok(Self {
            at: now,
            store_failure: writer.failure().map(|it| it.to_string()),
            queued: (writer.queued(), Writer::QUEUE_REQUESTS_MAX),
            commits: subject.metrics.commits.recent(),
            store_bytes: store.size_bytes()?,
            disk_free_bytes: disk_free(&subject.config.store.path),
            timers_overdue: overdue.len(),
            timer_late_ms: overdue.first().map_or(0, |it| now.since(it.key.due)),
            pages_waiting,
            page_wait_ms: oldest_page.map_or(0, |at| now.since(at)),
            pages_exhausted: exhausted.map(|it| it.number).collect(),
            sweep_late_ms: subject.due.sweep_late_ms(now),
            expected: expected(subject)?,
            dead_letters: dead_letter::count_since(store.as_ref(), since, DEAD_LETTERS_MAX)?,
            policy_hash: assessor.policies.hash(),
            policy_faults: assessor.policies.faults().map(|it| it.to_string()),
            policy_failures: assessor.failures.lock().within(an_hour),
            policy_cache: assessor.policies.cache_stats(),
            history: history::extent(store.as_ref())?.value,
            plugins: plugins(subject),
            unserved: unserved(&assessor.responders),
            unreached: unreached(&assessor.responders),
            uncovered: uncovered(&assessor.responders.rosters.now(), now),
            waking_warnings: look.waking(&assessor.responders, store.as_ref(), now),
            on_call_warnings: look.on_call.clone(),
            calendar_faults: subject.calendars.faults(),
            dangerous_silences: dangerous_silences(&assessor.silences.all(), now),
            relay: subject.relay.as_ref().map(|it| it.state()),
            heartbeat: subject.heartbeat.as_ref().map(|it| it.state()),
            incidents_active: active.count(),
            alerts_firing: subject.leases.firing(),
            resident_bytes: resident_bytes(),
        })
    }
}

fn dangerous_silences(all: &[Arc<Silence>], now: Timestamp) -> Vec<String> {
    let left = all.iter().filter(|it| it.ends_at > now);
    let dangers = left.flat_map(|silence| {
        let dangers = silence.dangers().into_iter();
        dangers.map(|it| format!("{} by {}: {it}", silence.id, silence.created_by))
    });
    dangers.collect()
}

fn expected(subject: &Subject) -> Result<(usize, Vec<String>), EngineError> {
    let keys = subject.leases.unleased_with(SWITCH_KEY_PART);
    let mut silent = Vec::new();
    for key in &keys {
        let alert = subject.view.alert(key)?;
        silent.extend(alert.filter(|it| it.firing).map(|it| it.title));
    }
    Ok((keys.len(), silent))
}

/// Free bytes on the disk of a folder, for this process.
#[must_use]
pub fn disk_free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// How many pages no channel has delivered, and since when the oldest has been waiting.
fn pages_waiting(held: &[Arc<IncidentState>]) -> (usize, Option<Timestamp>) {
    let active = held.iter().filter(|it| it.incident.is_active());
    let pages = active.flat_map(|it| it.incident.paging.pages.values());
    let waiting = pages.filter(|it| !it.is_done() && it.wanted_at().next().is_some());
    let since: Vec<Timestamp> = waiting.map(|it| it.at).collect();
    (since.len(), since.iter().copied().min())
}

fn plugins(subject: &Subject) -> Vec<PluginVitals> {
    let loaded = subject
        .host
        .catalog()
        .into_iter()
        .map(|entry| PluginVitals {
            id: entry.id,
            state: Ok(entry.state),
            last_fault: entry.last_fault.map(|it| it.to_string()),
        });
    let faults = subject.plugin_faults.iter().map(|(id, why)| PluginVitals {
        id: id.clone(),
        state: Err(why.clone()),
        last_fault: None,
    });
    loaded.chain(faults).collect()
}

fn unserved(lookup: &ResponderLookup) -> Vec<String> {
    let roster = lookup.rosters.now();
    let contacts = roster.people.values().flat_map(|it| &it.contacts);
    let mut kinds: Vec<String> = contacts.map(|it| it.kind.clone()).collect();
    kinds.sort();
    kinds.dedup();
    kinds.retain(|kind| !lookup.is_served(kind));
    kinds
}

/// People all of whose contacts are unserved. People without contacts are not a fault.
fn unreached(lookup: &ResponderLookup) -> Vec<String> {
    let roster = lookup.rosters.now();
    let people = roster.people.iter();
    people
        .filter(|(_, person)| {
            let mut contacts = person.contacts.iter();
            !person.contacts.is_empty() && !contacts.any(|it| lookup.is_served(&it.kind))
        })
        .map(|(id, _)| id.to_string())
        .collect()
}

fn uncovered(roster: &Roster, now: Timestamp) -> Vec<String> {
    let rotations = roster.rotations.iter();
    rotations
        .filter(|(_, rotation)| rotation.on_call(now).is_empty())
        .map(|(name, _)| name.clone())
        .collect()
}

/// The second field of `/proc/self/statm` counts resident pages; see proc(5).
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(u64::try_from(rustix::param::page_size()).ok()?)
}
