//! One run: start, load, kill and inspect, many times; then a quiet period and a final count.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;
use tocsin::standin::slack::SlackStandIn;
use tocsin_core::Timestamp;
use tocsin_store::SledStore;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::audit::{audit, left_alone, settled};
use super::child::{self, Running, SharedLog};
use super::load::{Access, Shared, client, work};
use super::outside;
use super::plant::plant;
use super::record::Record;
use super::setup::{self, Folder, WORKERS};
use super::summary::{Summary, Sums};
use crate::sim::Rng;
use crate::support::{admin_token, new_token};
use crate::wait::until;

/// Longest time between a start and a kill, in milliseconds.
const LIFE_MS_MAX: u64 = 350;
/// Percentage of kills during a start.
const KILLS_AT_START: u64 = 15;
/// Percentage of kills after which the whole store is inspected. After the others the program is
/// the first to open it.
const LOOKS: u64 = 40;
/// A timer that is still due after this many starts was passed over.
const LIVES_LATE_MAX: usize = 25;
/// Time limit for the load to complete its cycles, and for an escalation to take its next step.
const QUIET_WITHIN: Duration = Duration::from_secs(60);
/// Longest time without progress on pending work after the load has ended.
const REST_WITHIN: Duration = Duration::from_secs(40);
/// Longest wait for one retry; later ones stay in the outbox and are counted.
const RETRY_WITHIN: Duration = Duration::from_secs(15);
/// How long the program runs until the first check whether everything is delivered; doubled for
/// each further check, since a busy machine delivers little between two starts.
const QUIET_LOOK: Duration = Duration::from_millis(1_500);

/// The parameters of a run.
#[derive(Clone, Debug)]
pub struct Parameters {
    pub program: PathBuf,
    /// Seed of all random choices.
    pub seed: u64,
    /// How often it is killed.
    pub kills: u32,
}

/// Runs the crash test with these parameters.
///
/// # Errors
/// When the program does not start, or does not finish its pending work.
pub async fn run(parameters: &Parameters) -> Result<Summary, String> {
    let mut run = Run::new(parameters).map_err(|error| error.to_string())?;
    let outcome = run.run(parameters).await;
    outcome.map_err(|error| {
        let log = child::read(&run.log).tail(40);
        format!("{error}\nthe program's log ends:\n{log}")
    })
}

struct Run {
    _dir: TempDir,
    folder: Folder,
    slack: SlackStandIn,
    log: SharedLog,
    rng: Rng,
    shared: Arc<Shared>,
    access: watch::Sender<Option<Access>>,
    tokens: Access,
    counts: Counts,
    /// When the program accepted connections after each start.
    lives: Vec<Timestamp>,
}

/// Counts during a run.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) kills: u32,
    /// Kills during a start.
    pub(super) at_start: u32,
    /// Inspections of the store after a kill.
    pub(super) looks: u32,
    pub(super) starts: Vec<Duration>,
    /// Effects whose outcome was unknown at an inspection, with the plugin's `once`.
    pub(super) unknown: BTreeMap<String, String>,
    /// Planted faults, and whether the audit reported each.
    pub(super) planted: BTreeMap<&'static str, bool>,
    pub(super) most_timers: usize,
    /// Incidents that were packed at the last inspection; the others are packed later.
    pub(super) packed: usize,
    pub(super) most_waiting: usize,
}

impl Run {
    fn new(parameters: &Parameters) -> std::io::Result<Self> {
        let dir = tempfile::tempdir()?;
        let slack = setup::outside()?;
        let folder = setup::lay_out(dir.path(), Some(&slack))?;
        let (access, receiver) = watch::channel(None);
        let shared = Shared::new(receiver).map_err(std::io::Error::other)?;
        Ok(Self {
            folder,
            slack,
            log: SharedLog::default(),
            rng: Rng::new(parameters.seed),
            shared: Arc::new(shared),
            access,
            tokens: Access::default(),
            counts: Counts::default(),
            lives: Vec::new(),
            _dir: dir,
        })
    }

    async fn run(&mut self, parameters: &Parameters) -> Result<Summary, String> {
        let began = Instant::now();
        let (end, ends) = watch::channel(false);
        let mut running = Some(self.first_start(parameters).await?);
        let workers: Vec<JoinHandle<()>> = (0..WORKERS)
            .map(|it| {
                tokio::spawn(work(
                    Arc::clone(&self.shared),
                    it,
                    self.rng.draw(),
                    ends.clone(),
                ))
            })
            .collect();
        let mut faults = Vec::new();
        while self.counts.kills < parameters.kills && faults.is_empty() {
            outside::misbehave(&self.slack, &mut self.rng);
            let life = running.take();
            self.start_and_kill(parameters, life).await?;
            if self.rng.chance(LOOKS) {
                faults = self.inspect().await?;
            }
            faults.extend(self.shared.faults());
        }
        if !faults.is_empty() {
            return Ok(self.summary(began, faults, &Record::default()));
        }
        let record = self.finish(parameters, &end, workers).await?;
        let mut faults = self.shared.faults();
        faults.extend(audit(&self.shared.ledger(), &record));
        Ok(self.summary(began, faults, &record))
    }

    async fn first_start(&mut self, parameters: &Parameters) -> Result<Running, String> {
        let running = self.start(parameters)?;
        let (url, _) = tokio::task::block_in_place(|| running.url())?;
        self.tokens = ingest_token(&url, &self.folder.data).await?;
        self.publish_access(self.tokens.url.clone());
        Ok(running)
    }

    fn start(&self, parameters: &Parameters) -> Result<Running, String> {
        Running::start(&parameters.program, &self.folder.config, &self.log)
    }

    fn publish_access(&mut self, url: String) {
        self.lives.push(now());
        let access = Access {
            url,
            ..self.tokens.clone()
        };
        self.access.send_replace(Some(access));
    }

    /// Starts the program unless it is running, and kills it after a random time.
    async fn start_and_kill(
        &mut self,
        parameters: &Parameters,
        life: Option<Running>,
    ) -> Result<(), String> {
        let running = match life {
            Some(running) => running,
            None => self.start(parameters)?,
        };
        let usual = self.counts.starts.last().map_or(200, |it| it.as_millis());
        let usual = u64::try_from(usual).unwrap_or(u64::MAX).max(1);
        let is_open = self.access.borrow().is_some();
        if !is_open && self.rng.chance(KILLS_AT_START) {
            self.counts.at_start += 1;
            let delay = Duration::from_millis(self.rng.below(usual));
            tokio::time::sleep(delay).await;
        } else {
            if !is_open {
                let (url, took) = tokio::task::block_in_place(|| running.url())?;
                self.counts.starts.push(took);
                self.publish_access(url);
            }
            let delay = Duration::from_micros(self.rng.below(LIFE_MS_MAX * 1_000));
            tokio::time::sleep(delay).await;
        }
        running.kill();
        self.access.send_replace(None);
        self.counts.kills += 1;
        Ok(())
    }

    /// Opens the store after a kill and audits it.
    async fn inspect(&mut self) -> Result<Vec<String>, String> {
        let shared = Arc::clone(&self.shared);
        let _none = shared.under_way.write().await;
        let record = tokio::task::block_in_place(|| self.record())?;
        self.counts.looks += 1;
        self.counts.most_timers = self.counts.most_timers.max(record.timers.len());
        self.counts.most_waiting = self.counts.most_waiting.max(record.waiting.len());
        self.counts.packed = record.packed;
        let unknown = record.unknown.iter();
        self.counts
            .unknown
            .extend(unknown.map(|(key, once)| (key.clone(), once.clone())));
        let mut faults = audit(&shared.ledger(), &record);
        if faults.is_empty() {
            plant(&shared.ledger(), &record, &mut self.counts.planted);
        }
        let late = self
            .lives
            .len()
            .checked_sub(LIVES_LATE_MAX)
            .and_then(|it| self.lives.get(it));
        for timer in late.into_iter().flat_map(|at| record.due_before(*at)) {
            faults.push(format!(
                "passed over: timer {} due {}",
                timer.id, timer.due.0
            ));
        }
        Ok(faults)
    }

    fn record(&self) -> Result<Record, String> {
        let store = SledStore::open(&self.folder.data).map_err(|error| error.to_string())?;
        Record::of(&store)
    }

    /// Ends the load, lets the program finish its pending work, and reads the final store.
    async fn finish(
        &mut self,
        parameters: &Parameters,
        end: &watch::Sender<bool>,
        workers: Vec<JoinHandle<()>>,
    ) -> Result<Record, String> {
        self.slack.heal();
        let mut running = self.start(parameters)?;
        let (url, _) = tokio::task::block_in_place(|| running.url())?;
        self.publish_access(url);
        end.send_replace(true);
        for worker in workers {
            let ended = tokio::time::timeout(QUIET_WITHIN, worker).await;
            ended
                .map_err(|_| "the load did not end".to_owned())?
                .map_err(|error| error.to_string())?;
        }
        self.escalations_continue().await?;
        self.resolve_all().await?;
        let (mut fewest, mut since) = (usize::MAX, Instant::now());
        let (mut look, mut wait) = (QUIET_LOOK, QUIET_LOOK);
        loop {
            tokio::time::sleep(wait).await;
            running.kill();
            self.access.send_replace(None);
            let record = tokio::task::block_in_place(|| self.record())?;
            let left = settled(&record, now());
            if left.len() < fewest {
                (fewest, since) = (left.len(), Instant::now());
            }
            let is_over = since.elapsed() > REST_WITHIN;
            if left.is_empty() && (record.waiting.is_empty() || is_over) {
                return Ok(record);
            }
            if is_over {
                let left = left.join("\n");
                return Err(format!(
                    "no progress in {REST_WITHIN:?} although this is due:\n{left}"
                ));
            }
            // Wait for scheduled retries, unless that takes too long.
            let latest = record.waiting.iter().map(|it| it.not_before).max();
            let until = Duration::from_millis(latest.map_or(0, |it| it.since(now())));
            look = (look * 2).min(RETRY_WITHIN);
            wait = (until + look).min(RETRY_WITHIN);
            running = self.start(parameters)?;
            let (url, _) = tokio::task::block_in_place(|| running.url())?;
            self.publish_access(url);
        }
    }

    /// Waits until every unacknowledged incident takes its next escalation step.
    async fn escalations_continue(&self) -> Result<(), String> {
        for number in self.active().await? {
            let before = self.show(number).await?;
            let due = before["next_escalation_at"].clone();
            if due.is_null() || before["status"] != "open" {
                continue;
            }
            let what = format!("the next escalation step of incident {number}");
            until(&what, QUIET_WITHIN, async || {
                let after = self.show(number).await.ok()?;
                (after["next_escalation_at"] != due).then_some(())
            })
            .await?;
        }
        Ok(())
    }

    async fn resolve_all(&self) -> Result<(), String> {
        for number in self.active().await? {
            let access = self.access.borrow().clone().unwrap_or_default();
            let url = format!("{}/api/v1/incidents/{number}/actions", access.url);
            let action = json!({ "action": "resolve", "reason": "the run is over" });
            let asked = client()?.post(url).bearer_auth(&access.admin).json(&action);
            let answer = asked.send().await.map_err(|error| error.to_string())?;
            if !answer.status().is_success() {
                return Err(format!("resolving {number} returned {}", answer.status()));
            }
        }
        Ok(())
    }

    async fn active(&self) -> Result<Vec<u64>, String> {
        let list = self.get("incidents?status=active&limit=500").await?;
        let all = list["incidents"].as_array().cloned().unwrap_or_default();
        Ok(all.iter().filter_map(|it| it["number"].as_u64()).collect())
    }

    async fn show(&self, number: u64) -> Result<Value, String> {
        self.get(&format!("incidents/{number}")).await
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        let access = self.access.borrow().clone().unwrap_or_default();
        let asked = client()?
            .get(format!("{}/api/v1/{path}", access.url))
            .bearer_auth(&access.admin);
        let answer = asked.send().await.map_err(|error| error.to_string())?;
        answer.json().await.map_err(|error| error.to_string())
    }

    fn summary(&self, began: Instant, mut faults: Vec<String>, record: &Record) -> Summary {
        let seen = outside::seen(&self.slack, record);
        let log = child::read(&self.log);
        if !record.incidents.is_empty() {
            faults.extend(seen.faults.iter().cloned());
            faults.extend(left_alone(&self.counts.unknown, record, &log.unknown));
        }
        for (what, _) in self.counts.planted.iter().filter(|it| !it.1) {
            faults.push(format!("the audit does not report that {what}"));
        }
        let sums = Sums {
            counts: &self.counts,
            ledger: &self.shared.ledger(),
            log: &log,
            seen: &seen,
            record,
            took: began.elapsed(),
        };
        sums.summary(faults)
    }
}

/// Access to the program at `url`, with the admin token and a new token for senders.
pub(super) async fn ingest_token(url: &str, data: &Path) -> Result<Access, String> {
    let admin = admin_token(data).map_err(|error| error.to_string())?;
    let ingest = new_token(url, data, "ingest", Some("prometheus")).await?;
    let url = url.to_owned();
    Ok(Access { url, ingest, admin })
}

/// The current time of the program's clock.
fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
