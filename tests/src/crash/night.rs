//! One night: start, load, kill, look; again and again; then quiet, and everything is counted.

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
use super::load::{Desk, Door, client, work};
use super::outside;
use super::plant::plant;
use super::record::Record;
use super::setup::{self, Folder};
use super::toll::{Sums, Toll};
use crate::sim::Rng;
use crate::support::{admin_token, new_token};
use crate::wait::until;

/// Workers who ask at once.
const WORKERS: usize = 5;
/// Longest life between open doors and a kill, in milliseconds.
const LIFE_MS_MAX: u64 = 350;
/// Kills of a hundred that fall while the program starts.
const KILLS_AT_START: u64 = 15;
/// Kills of a hundred after which the store is opened and looked at whole. After the others the
/// program is the first to open what it left.
const LOOKS: u64 = 40;
/// A timer that has been due since this many lives was passed over.
const LIVES_LATE_MAX: usize = 25;
/// Longest that the load may take to end its stories, and an escalation to go on.
const QUIET_WITHIN: Duration = Duration::from_secs(60);
/// Longest that nothing may become less of what is owed once nothing is asked any more.
const REST_WITHIN: Duration = Duration::from_secs(40);
/// Longest that one retry is waited for; the rest stays in the outbox and is counted.
const RETRY_WITHIN: Duration = Duration::from_secs(15);
/// How long the program runs until the first look at whether all is delivered; twice as long
/// until each one after it, since a machine that is busy with other things delivers little between
/// two starts.
const QUIET_LOOK: Duration = Duration::from_millis(1_500);

/// What to live through.
#[derive(Clone, Debug)]
pub struct Night {
    pub program: PathBuf,
    /// Everything that is drawn is drawn from it.
    pub seed: u64,
    /// How often it is killed.
    pub kills: u32,
}

/// Lives through a night.
///
/// # Errors
/// When it cannot be lived through: the program does not start, or does not come to rest.
pub async fn survive(night: &Night) -> Result<Toll, String> {
    let mut field = Field::new(night).map_err(|error| error.to_string())?;
    let outcome = field.live(night).await;
    outcome.map_err(|error| {
        let log = child::read(&field.log).tail(40);
        format!("{error}\nthe program's log ends:\n{log}")
    })
}

struct Field {
    _dir: TempDir,
    folder: Folder,
    slack: SlackStandIn,
    log: SharedLog,
    rng: Rng,
    desk: Arc<Desk>,
    door: watch::Sender<Option<Door>>,
    tokens: Door,
    counts: Counts,
    /// When each life began.
    lives: Vec<Timestamp>,
}

/// What is counted on the way.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) kills: u32,
    /// Kills while it started.
    pub(super) at_start: u32,
    /// Looks into the store after a kill.
    pub(super) looks: u32,
    pub(super) starts: Vec<Duration>,
    /// Effects whose outcome was unknown at a look: what the plugin calls each.
    pub(super) unknown: BTreeMap<String, String>,
    /// Faults planted in what a look found, and whether the auditor reported each.
    pub(super) planted: BTreeMap<&'static str, bool>,
    pub(super) most_timers: usize,
    /// Incidents that were packed when the last look was taken; the rest is packed afterwards.
    pub(super) packed: usize,
    pub(super) most_waiting: usize,
}

impl Field {
    fn new(night: &Night) -> std::io::Result<Self> {
        let dir = tempfile::tempdir()?;
        let slack = setup::outside()?;
        let folder = setup::lay_out(dir.path(), Some(&slack))?;
        let (door, doors) = watch::channel(None);
        let desk = Desk::new(doors).map_err(std::io::Error::other)?;
        Ok(Self {
            folder,
            slack,
            log: SharedLog::default(),
            rng: Rng::new(night.seed),
            desk: Arc::new(desk),
            door,
            tokens: Door::default(),
            counts: Counts::default(),
            lives: Vec::new(),
            _dir: dir,
        })
    }

    async fn live(&mut self, night: &Night) -> Result<Toll, String> {
        let began = Instant::now();
        let (end, ends) = watch::channel(false);
        let mut running = Some(self.first_start(night).await?);
        let workers: Vec<JoinHandle<()>> = (0..WORKERS)
            .map(|it| {
                tokio::spawn(work(
                    Arc::clone(&self.desk),
                    it,
                    self.rng.draw(),
                    ends.clone(),
                ))
            })
            .collect();
        let mut faults = Vec::new();
        while self.counts.kills < night.kills && faults.is_empty() {
            outside::misbehave(&self.slack, &mut self.rng);
            let life = running.take();
            self.live_and_die(night, life).await?;
            if self.rng.chance(LOOKS) {
                faults = self.look().await?;
            }
            faults.extend(self.desk.faults());
        }
        if !faults.is_empty() {
            return Ok(self.toll(began, faults, &Record::default()));
        }
        let record = self.come_to_rest(night, &end, workers).await?;
        let mut faults = self.desk.faults();
        faults.extend(audit(&self.desk.ledger(), &record));
        Ok(self.toll(began, faults, &record))
    }

    async fn first_start(&mut self, night: &Night) -> Result<Running, String> {
        let running = self.start(night)?;
        let (url, _) = tokio::task::block_in_place(|| running.url())?;
        self.tokens = ingest_token(&url, &self.folder.data).await?;
        self.open_doors(self.tokens.url.clone());
        Ok(running)
    }

    fn start(&self, night: &Night) -> Result<Running, String> {
        Running::start(&night.program, &self.folder.config, &self.log)
    }

    fn open_doors(&mut self, url: String) {
        self.lives.push(now());
        let door = Door {
            url,
            ..self.tokens.clone()
        };
        self.door.send_replace(Some(door));
    }

    /// Goes on from a life that has begun, or begins one, and ends it.
    async fn live_and_die(&mut self, night: &Night, life: Option<Running>) -> Result<(), String> {
        let running = match life {
            Some(running) => running,
            None => self.start(night)?,
        };
        let usual = self.counts.starts.last().map_or(200, |it| it.as_millis());
        let usual = u64::try_from(usual).unwrap_or(u64::MAX).max(1);
        let is_open = self.door.borrow().is_some();
        if !is_open && self.rng.chance(KILLS_AT_START) {
            self.counts.at_start += 1;
            let delay = Duration::from_millis(self.rng.below(usual));
            tokio::time::sleep(delay).await;
        } else {
            if !is_open {
                let (url, took) = tokio::task::block_in_place(|| running.url())?;
                self.counts.starts.push(took);
                self.open_doors(url);
            }
            let delay = Duration::from_micros(self.rng.below(LIFE_MS_MAX * 1_000));
            tokio::time::sleep(delay).await;
        }
        running.kill();
        self.door.send_replace(None);
        self.counts.kills += 1;
        Ok(())
    }

    /// Opens what the program left, and holds it against what it answered.
    async fn look(&mut self) -> Result<Vec<String>, String> {
        let desk = Arc::clone(&self.desk);
        let _none = desk.under_way.write().await;
        let record = tokio::task::block_in_place(|| self.record())?;
        self.counts.looks += 1;
        self.counts.most_timers = self.counts.most_timers.max(record.timers.len());
        self.counts.most_waiting = self.counts.most_waiting.max(record.waiting.len());
        self.counts.packed = record.packed;
        let unknown = record.unknown.iter();
        self.counts
            .unknown
            .extend(unknown.map(|(key, once)| (key.clone(), once.clone())));
        let mut faults = audit(&desk.ledger(), &record);
        if faults.is_empty() {
            plant(&desk.ledger(), &record, &mut self.counts.planted);
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

    /// Ends the load, lets the program do what it owes, and answers what it left then.
    async fn come_to_rest(
        &mut self,
        night: &Night,
        end: &watch::Sender<bool>,
        workers: Vec<JoinHandle<()>>,
    ) -> Result<Record, String> {
        self.slack.heal();
        let mut running = self.start(night)?;
        let (url, _) = tokio::task::block_in_place(|| running.url())?;
        self.open_doors(url);
        end.send_replace(true);
        for worker in workers {
            let ended = tokio::time::timeout(QUIET_WITHIN, worker).await;
            ended
                .map_err(|_| "the load did not end".to_owned())?
                .map_err(|error| error.to_string())?;
        }
        self.escalations_go_on().await?;
        self.resolve_all().await?;
        let (mut fewest, mut since) = (usize::MAX, Instant::now());
        let (mut look, mut wait) = (QUIET_LOOK, QUIET_LOOK);
        loop {
            tokio::time::sleep(wait).await;
            running.kill();
            self.door.send_replace(None);
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
                    "nothing was done in {REST_WITHIN:?} of quiet although this was due:\n{left}"
                ));
            }
            // A retry that is set for later is given its time, unless that is too long.
            let latest = record.waiting.iter().map(|it| it.not_before).max();
            let until = Duration::from_millis(latest.map_or(0, |it| it.since(now())));
            look = (look * 2).min(RETRY_WITHIN);
            wait = (until + look).min(RETRY_WITHIN);
            running = self.start(night)?;
            let (url, _) = tokio::task::block_in_place(|| running.url())?;
            self.open_doors(url);
        }
    }

    /// Every incident that nobody has takes its next step.
    async fn escalations_go_on(&self) -> Result<(), String> {
        for number in self.active().await? {
            let before = self.show(number).await?;
            let due = before["next_escalation_at"].clone();
            if due.is_null() || before["status"] != "open" {
                continue;
            }
            let what = format!("the escalation of incident {number} to go on");
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
            let door = self.door.borrow().clone().unwrap_or_default();
            let url = format!("{}/api/v1/incidents/{number}/actions", door.url);
            let action = json!({ "action": "resolve", "reason": "the night is over" });
            let asked = client()?.post(url).bearer_auth(&door.admin).json(&action);
            let answer = asked.send().await.map_err(|error| error.to_string())?;
            if !answer.status().is_success() {
                return Err(format!(
                    "resolving {number} was answered {}",
                    answer.status()
                ));
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
        let door = self.door.borrow().clone().unwrap_or_default();
        let asked = client()?
            .get(format!("{}/api/v1/{path}", door.url))
            .bearer_auth(&door.admin);
        let answer = asked.send().await.map_err(|error| error.to_string())?;
        answer.json().await.map_err(|error| error.to_string())
    }

    fn toll(&self, began: Instant, mut faults: Vec<String>, record: &Record) -> Toll {
        let seen = outside::seen(&self.slack, record);
        let log = child::read(&self.log);
        if !record.incidents.is_empty() {
            faults.extend(seen.faults.iter().cloned());
            faults.extend(left_alone(&self.counts.unknown, record, &log.unknown));
        }
        for (what, _) in self.counts.planted.iter().filter(|it| !it.1) {
            faults.push(format!("the auditor does not report that {what}"));
        }
        let sums = Sums {
            counts: &self.counts,
            ledger: &self.desk.ledger(),
            log: &log,
            seen: &seen,
            record,
            took: began.elapsed(),
        };
        sums.toll(faults)
    }
}

/// The way in at `url`, with the token of the first start and a new one for senders.
pub(super) async fn ingest_token(url: &str, data: &Path) -> Result<Door, String> {
    let admin = admin_token(data).map_err(|error| error.to_string())?;
    let ingest = new_token(url, data, "ingest", Some("prometheus")).await?;
    let url = url.to_owned();
    Ok(Door { url, ingest, admin })
}

/// Now, as the program's own clock has it.
fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
