//! The daemon and its environment during one run of a scenario.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;
use tocsin::app::{App, Ingredients};
use tocsin::auth::AckKey;
use tocsin::runtime::state::tables::summary;
use tocsin::runtime::{ManualClock, events_of};
use tocsin::standin::slack::{Member, Message, Place, Seen, Setup as Workspace, SlackStandIn};
use tocsin_core::{Audience, Question, Role, Timestamp, narrate};
use tocsin_store::{MemoryStore, SledStore, Store, StoreError};
use tokio::sync::broadcast;

use super::endpoints::{Endpoints, SentAlert, Tokens};
use super::relay::Relay;
use super::setup::{Outside, Setup, StoreKind};
use super::story::{Page, Story, TestArrived};
use super::words::format_span;
use crate::paths;

/// What marks a test page as one, for people.
const TEST_MARKS: [&str; 2] = ["is a test of the way to you", "Your on-call shift for"];
/// Turns at one instant after which the daemon is assumed to loop.
const TURNS_MAX: usize = 10_000;
/// Longest step of the clock while the sweep has work, in milliseconds.
const SWEEP_STEP_MS: u64 = 5_000;
/// Time limit of a plugin call in scenarios where Slack hangs, in milliseconds.
const SHORT_CALL_MS: u64 = 1_500;
/// Time limit elsewhere, in milliseconds, so that slow machines do not matter.
const LONG_CALL_MS: u64 = 30_000;

/// How long threads of a daemon that was killed may hold its store. A process that is killed holds
/// nothing, but this daemon is one in a process: a call that was under way on a thread ends first.
const RELEASED_WITHIN: Duration = Duration::from_secs(30);

enum StoreHandle {
    Memory(Arc<MemoryStore>),
    Sled(PathBuf),
}

/// The daemon and its environment.
pub struct World {
    pub(super) setup: Setup,
    folder: TempDir,
    clock: Arc<ManualClock>,
    config: String,
    kept: StoreHandle,
    app: Option<Arc<App>>,
    pub(super) slack: Option<SlackStandIn>,
    seen: Option<broadcast::Receiver<Seen>>,
    pub(super) relay: Relay,
    mails_read: usize,
    tokens: Tokens,
    /// Every page so far, and whether a line has expected it.
    pub(super) pages: Vec<(Page, bool)>,
    /// Every test page so far, and whether a line has expected it.
    pub(super) tests: Vec<(TestArrived, bool)>,
    /// Every message that brought pages, with its person and its text.
    pub(super) messages: Vec<(String, String)>,
    /// What each person was told last about a command.
    pub(super) told: BTreeMap<String, String>,
    /// The person of every question so far, and the channel.
    pub(super) questions: Vec<(String, &'static str)>,
    /// Alerts that were fired.
    pub(super) fired: Vec<SentAlert>,
    /// Silences that were set.
    pub(super) silences: Vec<String>,
    notes: Vec<(u64, String)>,
    /// Whether a channel failed, so that retries have random times.
    pub(super) has_retries: bool,
}

impl World {
    /// Starts the daemon, at the scenario's start.
    ///
    /// # Errors
    /// When something cannot be started.
    pub async fn begin(setup: &Setup, keep: StoreKind, hangs: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let slack = setup.needs_slack().then(|| workspace(setup)).transpose()?;
        let addresses = setup.people.values().flatten();
        let addresses = addresses
            .filter(|it| it.0 == "email")
            .map(|it| it.1.clone());
        let relay = Relay::start(addresses.collect()).await?;
        let plugin = paths::plugins().join("slack");
        let outside = Outside {
            mail_port: relay.port(),
            slack: slack
                .as_ref()
                .map(|it| it.install(folder.path(), &plugin))
                .transpose()?,
            call_ms: if hangs { SHORT_CALL_MS } else { LONG_CALL_MS },
        };
        let kept = match keep {
            StoreKind::Memory => StoreHandle::Memory(Arc::new(MemoryStore::new())),
            StoreKind::Sled => StoreHandle::Sled(folder.path().join("data")),
        };
        let mut world = Self {
            setup: setup.clone(),
            clock: Arc::new(ManualClock::new(setup.start)),
            config: setup.config(&outside),
            kept,
            app: None,
            seen: slack.as_ref().map(SlackStandIn::watch),
            slack,
            relay,
            folder,
            mails_read: 0,
            tokens: Tokens::default(),
            pages: Vec::new(),
            tests: Vec::new(),
            messages: Vec::new(),
            told: BTreeMap::new(),
            questions: Vec::new(),
            fired: Vec::new(),
            silences: Vec::new(),
            notes: Vec::new(),
            has_retries: false,
        };
        world.write_policies()?;
        for (file, text) in setup.calendars() {
            std::fs::write(world.folder.path().join(file), text)?;
        }
        world.build().await?;
        world.tokens = Tokens::make(world.app()?).await?;
        Ok(world)
    }

    /// The daemon.
    ///
    /// # Errors
    /// When it is down.
    pub fn app(&self) -> Result<&Arc<App>> {
        self.app.as_ref().context("the daemon is down")
    }

    /// Milliseconds since the scenario's start.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.instant().since(self.setup.start)
    }

    /// The time that the daemon sees.
    #[must_use]
    pub fn instant(&self) -> Timestamp {
        use tocsin::runtime::Clock as _;
        self.clock.now()
    }

    pub(super) fn set_clock(&self, at: u64) {
        self.clock.set(self.setup.start.plus_ms(at));
    }

    pub(super) fn endpoints(&self) -> Result<Endpoints<'_>> {
        Ok(Endpoints {
            app: self.app()?,
            tokens: &self.tokens,
        })
    }

    pub(super) fn note(&mut self, what: impl Into<String>) {
        self.notes.push((self.now(), what.into()));
    }

    /// Writes the initial policies: the shipped ones, except those that the scenario replaces.
    pub(super) fn write_policies(&self) -> Result<()> {
        let folder = self.policies();
        std::fs::create_dir_all(&folder)?;
        for entry in std::fs::read_dir(paths::root().join("policies"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|it| it == "rhai") {
                let name = path.file_name().unwrap_or_default();
                std::fs::copy(&path, folder.join(name))?;
            }
        }
        for (name, text) in &self.setup.policies {
            let path = folder.join(format!("{name}.rhai"));
            std::fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            std::fs::write(path, text)?;
        }
        Ok(())
    }

    /// Writes the daemon's configuration to a file.
    pub(super) fn write_config(&self) -> Result<OsString> {
        let file = self.folder.path().join("tocsin.toml");
        std::fs::write(&file, &self.config)?;
        Ok(file.into_os_string())
    }

    pub(super) fn policies(&self) -> PathBuf {
        self.folder.path().join("policies")
    }

    /// Kills the daemon and restarts it on the durable state.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart(&mut self) -> Result<()> {
        let app = self.app.take().context("the daemon is down")?;
        let writer = app.take_writer_thread();
        drop(app);
        match &self.kept {
            // The old daemon may continue on its own copy, without visible effects.
            StoreHandle::Memory(store) => {
                self.kept = StoreHandle::Memory(Arc::new(store.crash_copy()))
            }
            StoreHandle::Sled(_) => {
                if let Some(thread) = writer {
                    tokio::task::spawn_blocking(move || thread.join().is_ok()).await?;
                }
            }
        }
        self.build().await
    }

    async fn build(&mut self) -> Result<()> {
        let store: Arc<dyn Store> = match &self.kept {
            StoreHandle::Memory(store) => Arc::clone(store) as Arc<dyn Store>,
            StoreHandle::Sled(path) => Arc::new(open_when_free(path).await?),
        };
        let cache = paths::target().join("scenario-cache");
        std::fs::create_dir_all(&cache)?;
        let ingredients = Ingredients {
            clock: self.clock.clone(),
            cache: Some(cache),
            ack_key: AckKey::new([7; 32]),
            ..Ingredients::on(store)?
        };
        let app = App::embed(&self.config, self.folder.path(), ingredients).await;
        let app = app.with_context(|| format!("a daemon of this setup:\n{}", self.config))?;
        app.due.arm().await?;
        app.calendars.read_due().await;
        app.set_ready();
        self.app = Some(app);
        Ok(())
    }

    /// Takes turns until nothing is due.
    ///
    /// # Errors
    /// When the daemon fails or loops.
    pub async fn settle(&mut self) -> Result<()> {
        for _ in 0..TURNS_MAX {
            let app = Arc::clone(self.app()?);
            let turn = app.due.turn().await?;
            app.outbox.settle_all().await;
            self.observe()?;
            if turn.is_idle() {
                return Ok(());
            }
        }
        bail!("the daemon does not become idle: {TURNS_MAX} turns at one instant")
    }

    /// When the clock stops next on its way to `to`, and whether something is due then.
    pub(super) fn next_stop(&self, to: u64) -> Result<(u64, bool)> {
        let (now, app) = (self.now(), self.app()?);
        let mut stop = (to, false);
        // Anything that is already due is waiting for its lane, so the clock need not stop for it.
        let due = app.due.next_due()?;
        let due = due.map(|it| it.since(self.setup.start));
        if let Some(due) = due.filter(|&it| it > now && it <= to) {
            stop = (due, true);
        }
        let swept = now + SWEEP_STEP_MS;
        if !app.leases.aside("", 1).is_empty() && swept < stop.0 {
            stop = (swept, false);
        }
        Ok(stop)
    }

    /// Records what has arrived at the external services.
    fn observe(&mut self) -> Result<()> {
        let mut arrived = Vec::new();
        while let Some(seen) = self.seen.as_mut().and_then(|it| it.try_recv().ok()) {
            match seen {
                Seen::Posted {
                    place: Place::Direct(members),
                    message,
                } if is_question(&message) => {
                    let person = members.join(",");
                    self.note(format!("{person} is asked {:?}", message.text));
                    self.questions.push((person, "slack"));
                }
                Seen::Posted {
                    place: Place::Direct(members),
                    message,
                } => arrived.push((members.join(","), "slack", said_in(&message))),
                other => self.note(format!("slack: {}", shown(&other))),
            }
        }
        let mut asked = Vec::new();
        let mails = self.relay.mails();
        for mail in &mails[self.mails_read..] {
            let who = self.setup.who("email", &mail.to);
            let who = who.unwrap_or("?").to_owned();
            match is_question_mail(&mail.text) {
                true => asked.push((who, "mail")),
                false => arrived.push((who, "mail", mail.text.clone())),
            }
        }
        self.mails_read = mails.len();
        for (who, channel) in asked {
            self.note(format!("{who} is asked by {channel}"));
            self.questions.push((who, channel));
        }
        let at = self.now();
        for (person, channel, text) in arrived {
            if TEST_MARKS.iter().any(|it| text.contains(it)) {
                let channel = channel.to_owned();
                let test = TestArrived {
                    at,
                    person,
                    channel,
                    text,
                };
                self.note(test.to_string());
                self.tests.push((test, false));
                continue;
            }
            let mut named = Vec::new();
            for number in numbers_in(&text) {
                let state = self.app()?.view.incident_of_number(number)?;
                named.extend(state.map(|it| it.incident.number));
            }
            ensure!(!named.is_empty(), "a page to {person} names no incident");
            self.messages.push((person.clone(), text));
            for incident in named {
                let page = Page {
                    at,
                    person: person.clone(),
                    channel: channel.to_owned(),
                    incident,
                };
                self.note(page.to_string());
                self.pages.push((page, false));
            }
        }
        Ok(())
    }

    /// What has happened so far.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn story(&self) -> Result<Story> {
        let store = &self.app()?.store;
        let mut events = Vec::new();
        // Faults of policies name their files, and each run has a folder of its own.
        let folder = self.folder.path().display().to_string();
        for summary in summary::after(store.as_ref(), None, 1_000)? {
            let stream = events_of(store.as_ref(), summary.id())?;
            for count in 1..=stream.len() {
                let incident = tocsin_core::Incident::replay(summary.id(), &stream[..count])?;
                let recorded = &stream[count - 1];
                let at = recorded.at.since(self.setup.start);
                let text = narrate(&incident, recorded).replace(&folder, "");
                events.push((at, summary.number(), text));
            }
        }
        Ok(Story {
            pages: self.pages.iter().map(|it| it.0.clone()).collect(),
            tests: self.tests.iter().map(|it| it.0.clone()).collect(),
            events,
        })
    }

    /// What has happened, with scenario times, for failure reports.
    #[must_use]
    pub fn log(&self) -> String {
        let mut lines = self.notes.clone();
        match self.story() {
            Ok(story) => lines.extend(
                story
                    .events
                    .into_iter()
                    .map(|(at, number, text)| (at, format!("  incident {number}: {text}"))),
            ),
            Err(error) => lines.push((self.now(), format!("cannot read incidents: {error}"))),
        }
        lines.sort_by_key(|it| it.0);
        let lines = lines.iter().map(|(at, what)| {
            let at = format_span(*at);
            format!("  {at:>10}  {what}\n")
        });
        lines.collect()
    }

    #[must_use]
    pub fn unexpected(&self) -> Vec<String> {
        let slack = self.slack.as_ref().map(SlackStandIn::unexpected);
        let mut found = slack.unwrap_or_default();
        found.extend(self.relay.unexpected());
        let pages = self.pages.iter().filter(|it| !it.1);
        found.extend(pages.map(|(page, _)| format!("{page}, which no line expects")));
        let tests = self.tests.iter().filter(|it| !it.1);
        found.extend(tests.map(|(test, _)| format!("{test}, which no line expects")));
        found
    }
}

fn workspace(setup: &Setup) -> std::io::Result<SlackStandIn> {
    let member = |name: &String| {
        let id = setup.contact(name, "slack")?;
        Some(Member {
            id: id.to_owned(),
            name: name.clone(),
            email: setup.contact(name, "email").unwrap_or_default().to_owned(),
        })
    };
    let members = setup.people.keys().filter_map(member);
    SlackStandIn::start(Workspace {
        channels: setup.channels.clone(),
        ..Workspace::of(members.collect())
    })
}

/// All that a message says.
fn said_in(message: &Message) -> String {
    format!("{} {}", message.text, message.blocks)
}

/// Whether a message asks a question, by the key under which the plugin posted it.
fn is_question(message: &Message) -> bool {
    let metadata = message.metadata.as_ref();
    let key = metadata.and_then(|it| it["event_payload"]["effect_id"].as_str());
    key.is_some_and(|it| it.starts_with("prompt:"))
}

/// Whether a mail asks a question, by its subject.
fn is_question_mail(text: &str) -> bool {
    let roles = Role::ALL.map(Question::Accept);
    let updates = Audience::ALL.map(Question::UpdateDue);
    let others = [
        Question::StillOnIt,
        Question::TakeTask(1),
        Question::HandOver,
    ];
    let mut all = roles.into_iter().chain(updates).chain(others);
    all.any(|it| text.contains(&format!("\r\nSubject: {}", it.text())))
}

/// The numbers of incidents that a text names, as `#42` or `#42–#45`, each once in its order.
pub(super) fn numbers_in(text: &str) -> Vec<u64> {
    let mut found = Vec::new();
    let mut range_from = None;
    for part in text.split('#').skip(1) {
        let rest = part.trim_start_matches(|it: char| it.is_ascii_digit());
        let Ok(number) = part[..part.len() - rest.len()].parse::<u64>() else {
            range_from = None;
            continue;
        };
        found.extend(range_from.unwrap_or(number)..=number);
        range_from = (rest == "–").then_some(number);
    }
    let mut known = BTreeSet::new();
    found.retain(|it| known.insert(*it));
    found
}

fn shown(seen: &Seen) -> String {
    let text = match seen {
        Seen::Posted { place, message } => format!("{place:?} says {:?}", message.text),
        Seen::Edited { place, message } => format!("{place:?} now says {:?}", message.text),
        other => format!("{other:?}"),
    };
    text.chars().take(200).collect()
}

async fn open_when_free(path: &Path) -> Result<SledStore, StoreError> {
    let began = Instant::now();
    loop {
        match SledStore::open(path) {
            Err(StoreError::InUse { .. }) if began.elapsed() < RELEASED_WITHIN => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            opened => return opened,
        }
    }
}
