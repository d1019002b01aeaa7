//! The daemon and the world around it during one telling of a story.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use tempfile::TempDir;
use tocsin::app::{App, Ingredients};
use tocsin::auth::AckKey;
use tocsin::config::{self, Config};
use tocsin::runtime::state::tables::summary;
use tocsin::runtime::{ManualClock, events_of};
use tocsin::standin::slack::{Member, Message, Place, Seen, Setup as Workspace, SlackStandIn};
use tocsin_core::{IncidentId, Timestamp, narrate};
use tocsin_store::{MemoryStore, SledStore, Store};
use tokio::sync::broadcast;

use super::door::{Door, Keys, Told};
use super::relay::Relay;
use super::setup::{Keep, Outside, Setup};
use super::story::{Page, Story};
use super::words::told;
use crate::paths;

/// Turns at one instant after which the daemon counts as running in circles.
const TURNS_MAX: usize = 10_000;
/// Longest move of the clock while something waits for the sweep, in milliseconds.
const SWEEP_STEP_MS: u64 = 5_000;
/// How long one call of a plugin lasts at most where Slack never answers, in milliseconds.
const SHORT_CALL_MS: u64 = 1_500;
/// And elsewhere: these scenarios are not about a slow machine.
const LONG_CALL_MS: u64 = 30_000;
/// What signs Slack's requests.
pub(super) const SIGNING_SECRET: &str = "a-signing-secret";
const BOT_TOKEN: &str = "xoxb-a-bot-token";

enum Kept {
    Memory(Arc<MemoryStore>),
    Sled(PathBuf),
}

/// The daemon and the world around it.
pub struct World {
    pub(super) setup: Setup,
    folder: TempDir,
    clock: Arc<ManualClock>,
    config: Config,
    kept: Kept,
    app: Option<Arc<App>>,
    pub(super) slack: Option<SlackStandIn>,
    seen: Option<broadcast::Receiver<Seen>>,
    pub(super) relay: Relay,
    letters_read: usize,
    keys: Keys,
    /// Every page so far, and whether a line has claimed it.
    pub(super) pages: Vec<(Page, bool)>,
    /// Alerts that were fired.
    pub(super) fired: Vec<Told>,
    /// Silences that were set.
    pub(super) silences: Vec<String>,
    notes: Vec<(u64, String)>,
    /// Whether a channel failed, so that retries have random times.
    pub(super) has_retries: bool,
}

impl World {
    /// A daemon that was just started, at the story's beginning.
    ///
    /// # Errors
    /// When something cannot be started.
    pub async fn begin(setup: &Setup, keep: Keep, hangs: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("bot-token"), BOT_TOKEN)?;
        std::fs::write(folder.path().join("signing-secret"), SIGNING_SECRET)?;
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
                .map(|it| (it.base_url(), plugin.display().to_string())),
            call_ms: if hangs { SHORT_CALL_MS } else { LONG_CALL_MS },
        };
        let text = setup.config(&outside);
        let config = config::parse(&text, "tocsin.toml", folder.path())
            .map_err(|faults| anyhow!("the setup makes a wrong configuration: {faults}\n{text}"))?;
        let kept = match keep {
            Keep::Memory => Kept::Memory(Arc::new(MemoryStore::new())),
            Keep::Sled => Kept::Sled(folder.path().join("data")),
        };
        let mut world = Self {
            setup: setup.clone(),
            clock: Arc::new(ManualClock::new(setup.start)),
            config: config.config,
            kept,
            app: None,
            seen: slack.as_ref().map(SlackStandIn::watch),
            slack,
            relay,
            folder,
            letters_read: 0,
            keys: Keys::default(),
            pages: Vec::new(),
            fired: Vec::new(),
            silences: Vec::new(),
            notes: Vec::new(),
            has_retries: false,
        };
        world.write_policies()?;
        world.build().await?;
        world.keys = Keys::make(world.app()?).await?;
        Ok(world)
    }

    /// The daemon.
    ///
    /// # Errors
    /// When it is down.
    pub fn app(&self) -> Result<&Arc<App>> {
        self.app.as_ref().context("the daemon is down")
    }

    /// Milliseconds since the story's beginning.
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

    pub(super) fn door(&self) -> Result<Door<'_>> {
        Ok(Door {
            app: self.app()?,
            keys: &self.keys,
        })
    }

    pub(super) fn note(&mut self, what: impl Into<String>) {
        self.notes.push((self.now(), what.into()));
    }

    /// The policies as the story begins: the shipped ones, and the story's own in their places.
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
            std::fs::write(folder.join(format!("{name}.rhai")), text)?;
        }
        Ok(())
    }

    pub(super) fn policies(&self) -> PathBuf {
        self.folder.path().join("policies")
    }

    /// Kills the daemon and starts it again on what was durable.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart(&mut self) -> Result<()> {
        let app = self.app.take().context("the daemon is down")?;
        let writer = app.take_writer_thread();
        drop(app);
        match &self.kept {
            // The old daemon may go on on its own copy; nobody hears of it.
            Kept::Memory(store) => self.kept = Kept::Memory(Arc::new(store.crash_copy())),
            Kept::Sled(_) => {
                if let Some(thread) = writer {
                    tokio::task::spawn_blocking(move || thread.join().is_ok()).await?;
                }
            }
        }
        self.build().await
    }

    async fn build(&mut self) -> Result<()> {
        let store: Arc<dyn Store> = match &self.kept {
            Kept::Memory(store) => Arc::clone(store) as Arc<dyn Store>,
            Kept::Sled(path) => Arc::new(SledStore::open(path)?),
        };
        let cache = paths::target().join("scenario-cache");
        std::fs::create_dir_all(&cache)?;
        let ingredients = Ingredients {
            clock: Arc::clone(&self.clock) as _,
            store,
            cache: Some(cache),
            policies_kept: None,
            ack_key: AckKey::new([7; 32]),
        };
        let app = App::build(self.config.clone(), ingredients).await?;
        if let Some((plugin, why)) = app.plugin_faults.first() {
            bail!("plugin {plugin} cannot be loaded: {why}");
        }
        app.due.arm_schedules().await?;
        app.set_ready();
        self.app = Some(app);
        Ok(())
    }

    /// Takes turns until nothing is due.
    ///
    /// # Errors
    /// When the daemon fails or runs in circles.
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
        bail!("the daemon does not come to rest: {TURNS_MAX} turns at one instant")
    }

    /// When the clock stops next on its way to `to`, and whether something is due then.
    pub(super) fn next_stop(&self, to: u64) -> Result<(u64, bool)> {
        let (now, app) = (self.now(), self.app()?);
        let mut stop = (to, false);
        // What is still due although nothing happens waits for a lane; it is no reason to stop.
        let due = app.due.next_due()?;
        let due = due.map(|it| it.since(self.setup.start));
        if let Some(due) = due.filter(|&it| it > now && it <= to) {
            stop = (due, true);
        }
        let swept = now + SWEEP_STEP_MS;
        if !app.leases.silenced("", 1).is_empty() && swept < stop.0 {
            stop = (swept, false);
        }
        Ok(stop)
    }

    /// Takes note of what has arrived outside.
    fn observe(&mut self) -> Result<()> {
        let mut arrived = Vec::new();
        while let Some(seen) = self.seen.as_mut().and_then(|it| it.try_recv().ok()) {
            match seen {
                Seen::Posted {
                    place: Place::Direct(members),
                    message,
                } => arrived.push((members.join(","), "slack", id_in_button(&message))),
                other => self.note(format!("slack: {}", shown(&other))),
            }
        }
        let letters = self.relay.letters();
        for letter in &letters[self.letters_read..] {
            let who = self.setup.who("email", &letter.to);
            let id = letter
                .text
                .lines()
                .find_map(|it| it.strip_prefix("Incident "));
            let id = match id.and_then(|it| it.trim().parse().ok()) {
                Some(number) => self.app()?.view.incident_of_number(number)?,
                None => None,
            };
            let id = id.map(|state| state.incident.id.clone());
            arrived.push((who.unwrap_or("?").to_owned(), "mail", id));
        }
        self.letters_read = letters.len();
        let at = self.now();
        for (person, channel, id) in arrived {
            let id = id.with_context(|| format!("a page to {person} names no incident"))?;
            let state = self.app()?.view.incident(&id)?;
            let page = Page {
                at,
                person,
                channel: channel.to_owned(),
                incident: state.map_or(0, |it| it.incident.number),
            };
            self.note(page.to_string());
            self.pages.push((page, false));
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
        for summary in summary::after(store.as_ref(), None, 1_000)? {
            let stream = events_of(store.as_ref(), summary.id())?;
            for count in 1..=stream.len() {
                let incident = tocsin_core::Incident::replay(summary.id(), &stream[..count])?;
                let recorded = &stream[count - 1];
                let at = recorded.at.since(self.setup.start);
                events.push((at, summary.number(), narrate(&incident, recorded)));
            }
        }
        Ok(Story {
            pages: self.pages.iter().map(|it| it.0.clone()).collect(),
            events,
        })
    }

    /// What has happened, with story times, for a failure's report.
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
            Err(error) => lines.push((self.now(), format!("no incidents can be read: {error}"))),
        }
        lines.sort_by_key(|it| it.0);
        let lines = lines.iter().map(|(at, what)| {
            let at = told(*at);
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
        found.extend(pages.map(|(page, _)| format!("{page}, and no line expects it")));
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
    SlackStandIn::start(Workspace {
        token: BOT_TOKEN.to_owned(),
        signing_secret: SIGNING_SECRET.to_owned(),
        members: setup.people.keys().filter_map(member).collect(),
        channels: Vec::new(),
    })
}

fn id_in_button(message: &Message) -> Option<IncidentId> {
    let buttons = message.buttons();
    let button = buttons.iter().find(|it| it.action_id == "ack")?;
    let value: serde_json::Value = serde_json::from_str(&button.value).ok()?;
    value["incident"].as_str().map(IncidentId::from)
}

fn shown(seen: &Seen) -> String {
    let text = match seen {
        Seen::Posted { place, message } => format!("{place:?} says {:?}", message.text),
        Seen::Edited { place, message } => format!("{place:?} now says {:?}", message.text),
        other => format!("{other:?}"),
    };
    text.chars().take(200).collect()
}
