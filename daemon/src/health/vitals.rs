//! What is read of a running daemon to say how it does.

use std::path::Path;
use std::time::Duration;

use tocsin_core::incident::PageState;
use tocsin_core::time::HOUR_MS;
use tocsin_core::{IncidentId, Timestamp};
use tocsin_plugin_host::PluginState;
use tocsin_store::{Class, OutboxKey, OutboxRow, StoreError, Table};

use super::heartbeat::BeatState;
use crate::app::App;
use crate::config::MAIL_CONTACT;
use crate::metrics::CommitTimes;
use crate::runtime::{Delivery, EngineError, Writer};

/// How late a timer may be before it counts as overdue, in milliseconds: firing takes a commit.
pub const OVERDUE_GRACE_MS: u64 = 5_000;
/// Most timers and rows of the outbox that one read brings.
const PAGE_ROWS: usize = 1_000;
/// Most pages of the outbox that are looked at for the oldest.
const PAGES_LOOKED_AT_MAX: usize = 10_000;
/// Most dead letters that are counted.
const DEAD_LETTERS_MAX: usize = 10_000;
/// How far back dead letters are counted, in milliseconds: a day.
const DEAD_LETTERS_MS: u64 = 24 * HOUR_MS;

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    /// When.
    pub at: Timestamp,
    /// Why the store failed, if it did.
    pub store_failure: Option<String>,
    /// Requests that wait for the writer, and how many may.
    pub queued: (usize, usize),
    /// How long the newest commits took.
    pub commits: CommitTimes,
    /// Bytes that the store takes on its disk.
    pub store_bytes: u64,
    /// Bytes that are free there; none when that cannot be told.
    pub disk_free_bytes: Option<u64>,
    /// Timers that are overdue, counted to a thousand.
    pub timers_overdue: usize,
    /// How late the oldest of them is, in milliseconds.
    pub timer_late_ms: u64,
    /// Pages that wait and that no channel has taken yet.
    pub pages_waiting: usize,
    /// How long the oldest of them waits, in milliseconds.
    pub page_wait_ms: u64,
    /// Unanswered incidents, by number, with a page that every channel refused.
    pub pages_exhausted: Vec<u64>,
    /// How late the sweep is that ends silent alerts, in milliseconds.
    pub sweep_late_ms: u64,
    /// Deliveries given up within a day, counted to ten thousand, and why the newest was.
    pub dead_letters: (usize, Option<String>),
    /// The hash of the policies in force; none when none ever loaded.
    pub policy_hash: Option<String>,
    /// What is wrong with the policies' folder.
    pub policy_faults: Option<String>,
    /// Policy calls that failed within an hour, and what the last one said.
    pub policy_failures: (usize, Option<String>),
    /// The plugins.
    pub plugins: Vec<PluginVitals>,
    /// Kinds of contacts that people have and nobody serves.
    pub unserved: Vec<String>,
    /// People of whose contacts nobody serves one.
    pub unreached: Vec<String>,
    /// Rotations that have nobody on call now.
    pub uncovered: Vec<String>,
    /// Whether the host has a mail relay of its own.
    pub has_mail: bool,
    /// The heartbeat; none when none is configured.
    pub heartbeat: Option<BeatState>,
    /// Incidents that are active.
    pub incidents_active: usize,
    /// Alerts that fire.
    pub alerts_firing: u64,
    /// Bytes of memory that the process takes; none when the system does not tell.
    pub resident_bytes: Option<u64>,
}

/// A plugin that is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginVitals {
    /// Its id.
    pub id: String,
    /// How it does; or why it could not be loaded.
    pub state: Result<PluginState, String>,
    /// The last time that it broke or was stopped, in words.
    pub last_fault: Option<String>,
}

impl Vitals {
    /// Reads them. Blocks on the store.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read.
    pub fn read(app: &App) -> Result<Self, EngineError> {
        let now = app.clock.now();
        let held = app.view.in_memory();
        let active = held.iter().filter(|it| it.incident.is_active());
        let exhausted = held.iter().map(|it| &it.incident).filter(|it| {
            let mut pages = it.paging.pages.values();
            it.is_unanswered() && pages.any(|page| page.state == PageState::Exhausted)
        });
        let overdue = app
            .store
            .timers_due(now.minus_ms(OVERDUE_GRACE_MS), PAGE_ROWS)?;
        let (pages_waiting, oldest_page) = pages_waiting(app)?;
        Ok(Self {
            at: now,
            store_failure: app.writer.failure().map(|it| it.to_string()),
            queued: (app.writer.queued(), Writer::QUEUE_REQUESTS_MAX),
            commits: app.metrics.commits.recent(),
            store_bytes: app.store.size_bytes()?,
            disk_free_bytes: disk_free(&app.config.store.path),
            timers_overdue: overdue.len(),
            timer_late_ms: overdue.first().map_or(0, |it| now.since(it.key.due)),
            pages_waiting,
            page_wait_ms: oldest_page.map_or(0, |at| now.since(at)),
            pages_exhausted: exhausted.map(|it| it.number).collect(),
            sweep_late_ms: app.due.sweep_late_ms(now),
            dead_letters: dead_letters(app, now)?,
            policy_hash: app.policies.hash(),
            policy_faults: app.policies.faults().map(|it| it.to_string()),
            policy_failures: app
                .intake
                .assessor()
                .failures
                .lock()
                .within(Duration::from_millis(HOUR_MS)),
            plugins: plugins(app),
            unserved: unserved(app),
            unreached: unreached(app),
            uncovered: uncovered(app, now),
            has_mail: app.config.mail.is_some(),
            heartbeat: app.heartbeat.as_ref().map(|it| it.state()),
            incidents_active: active.count(),
            alerts_firing: app.leases.firing(),
            resident_bytes: resident_bytes(),
        })
    }
}

/// Bytes that are free for this process on the disk of a folder.
#[must_use]
pub fn disk_free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// How many pages wait that no channel has taken, and since when the oldest does. The page of a
/// broken channel waits on while another has long been taken; that one harms nobody.
fn pages_waiting(app: &App) -> Result<(usize, Option<Timestamp>), EngineError> {
    let mut waiting = std::collections::BTreeSet::new();
    let mut oldest: Option<Timestamp> = None;
    let mut after: Option<OutboxKey> = None;
    let mut looked_at = 0;
    while looked_at < PAGES_LOOKED_AT_MAX {
        let store = &app.store;
        let rows = store.outbox(Class::Page, after.as_ref(), PAGE_ROWS)?;
        looked_at += rows.len();
        let is_last = rows.len() < PAGE_ROWS;
        for row in rows {
            if let Some(page) = untaken(app, &row)? {
                waiting.insert(page);
                oldest = Some(oldest.map_or(row.created_at, |it| it.min(row.created_at)));
            }
            after = Some(row.key);
        }
        if is_last {
            break;
        }
    }
    Ok((waiting.len(), oldest))
}

/// The page that a row brings, if no channel has taken it.
fn untaken(app: &App, row: &OutboxRow) -> Result<Option<(IncidentId, u32)>, EngineError> {
    let Some((id, page)) = Delivery::page_of(&row.body) else {
        return Ok(None);
    };
    let held = app.view.incident(&id)?;
    let state = held.and_then(|it| it.incident.paging.pages.get(&page).map(|page| page.state));
    let is_taken = matches!(state, Some(PageState::Taken | PageState::Settled));
    Ok((!is_taken).then_some((id, page)))
}

fn dead_letters(app: &App, now: Timestamp) -> Result<(usize, Option<String>), StoreError> {
    let mut after = format!("{:015}", now.minus_ms(DEAD_LETTERS_MS).0);
    let (mut count, mut newest) = (0, None);
    while count < DEAD_LETTERS_MAX {
        let store = &app.store;
        let rows = store.rows(Table::DeadLetter, "", Some(&after), PAGE_ROWS)?;
        let Some((key, row)) = rows.last() else { break };
        count += rows.len();
        newest = row
            .value
            .get("why")
            .and_then(|it| it.as_str().map(str::to_owned));
        after.clone_from(key);
    }
    Ok((count, newest))
}

fn plugins(app: &App) -> Vec<PluginVitals> {
    let loaded = app.host.catalog().into_iter().map(|entry| PluginVitals {
        id: entry.id,
        state: Ok(entry.state),
        last_fault: entry.last_fault.map(|it| it.to_string()),
    });
    let faults = app.plugin_faults.iter().map(|(id, why)| PluginVitals {
        id: id.clone(),
        state: Err(why.clone()),
        last_fault: None,
    });
    loaded.chain(faults).collect()
}

fn unserved(app: &App) -> Vec<String> {
    let contacts = app.config.people.values().flat_map(|it| &it.contacts);
    let mut kinds: Vec<String> = contacts.map(|it| it.kind.clone()).collect();
    kinds.sort();
    kinds.dedup();
    kinds.retain(|kind| !is_served(app, kind));
    kinds
}

/// People without any contact are somebody's choice; people whose contacts all lead nowhere are
/// a fault.
fn unreached(app: &App) -> Vec<String> {
    let people = app.config.people.iter();
    people
        .filter(|(_, person)| {
            let mut contacts = person.contacts.iter();
            !person.contacts.is_empty() && !contacts.any(|it| is_served(app, &it.kind))
        })
        .map(|(id, _)| id.to_string())
        .collect()
}

fn is_served(app: &App, kind: &str) -> bool {
    let by_mail = app.config.mail.is_some() && kind == MAIL_CONTACT;
    by_mail || app.subscribers.load().for_contact(kind).is_some()
}

fn uncovered(app: &App, now: Timestamp) -> Vec<String> {
    let rotations = app.payloads.roster.rotations.iter();
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
