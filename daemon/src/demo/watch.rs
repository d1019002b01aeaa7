//! Prints what happens in the incident and in the workspace, and waits until something does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use super::people::{Person, is_room};
use super::world::World;
use crate::standin::slack::{Message, Place, Press, Seen};

/// How long one step may take, in real time.
const STEP_TIMEOUT: Duration = Duration::from_secs(45);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// What has been printed so far.
pub(super) struct Watch<'a> {
    world: &'a World,
    seen: Receiver<Seen>,
    log: Vec<String>,
    said: Vec<(String, String)>,
    topics: BTreeSet<String>,
    /// The lines of each message as last printed, by place and timestamp.
    messages: BTreeMap<(String, String), Vec<String>>,
}

impl<'a> Watch<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        Self {
            world,
            seen: world.slack.watch(),
            log: Vec::new(),
            said: Vec::new(),
            topics: BTreeSet::new(),
            messages: BTreeMap::new(),
        }
    }

    /// The lines of the incident's log so far.
    pub(super) fn log(&self) -> &[String] {
        &self.log
    }

    /// Waits until the incident satisfies the predicate.
    pub(super) async fn until(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Result<Value> {
        let began = Instant::now();
        loop {
            if let Some(incident) = self.poll().await?.filter(&is) {
                return Ok(incident);
            }
            pause(began, what).await?;
        }
    }

    /// Waits until the incident's log contains a text.
    pub(super) async fn until_logged(&mut self, text: &str) -> Result<()> {
        let what = format!("the log says {text:?}");
        self.wait(&what, |it| it.log.iter().any(|it| it.contains(text)))
            .await
    }

    /// Waits until somebody sees a button.
    pub(super) async fn until_asked(&mut self, person: Person, button: &str) -> Result<()> {
        let press = Press::newest(person.id, button);
        let what = format!("{} sees the button {button}", person.name);
        self.wait(&what, |it| it.world.slack.press_request(&press).is_ok())
            .await?;
        self.poll().await.map(drop)
    }

    /// Waits until a channel says something.
    pub(super) async fn until_said(&mut self, channel: &str, text: &str) -> Result<()> {
        let place = format!("#{channel}");
        let what = format!("{place} says {text:?}");
        let is_it = |(at, said): &(String, String)| *at == place && said.contains(text);
        self.wait(&what, |it| it.said.iter().any(is_it)).await
    }

    async fn wait(&mut self, what: &str, is: impl Fn(&Self) -> bool) -> Result<()> {
        let began = Instant::now();
        while !is(self) {
            self.poll().await?;
            pause(began, what).await?;
        }
        Ok(())
    }

    /// Somebody types a command, and sees the answer.
    pub(super) async fn types(&mut self, person: Person, line: &str) -> Result<()> {
        let printer = &self.world.printer;
        printer.line(&format!("{} types", person.name), line);
        let answer = self.world.types(person, line).await?;
        printer.line(&format!("only {} sees", person.name), &answer);
        self.poll().await.map(drop)
    }

    /// Somebody presses a button once they see it.
    pub(super) async fn presses(&mut self, person: Person, button: &str) -> Result<()> {
        self.until_asked(person, button).await?;
        let printer = &self.world.printer;
        printer.line(&format!("{} presses", person.name), &format!("[{button}]"));
        self.world.press(person, button).await
    }

    /// Prints what is new in the incident's log and in the workspace.
    async fn poll(&mut self) -> Result<Option<Value>> {
        let incident = self.world.incident().await?;
        let timeline = incident.as_ref().and_then(|it| it["timeline"].as_array());
        for entry in timeline.into_iter().flatten().skip(self.log.len()) {
            let text = entry["text"].as_str().unwrap_or_default();
            self.world.printer.line("incident 1", text);
            self.log.push(text.to_owned());
        }
        self.poll_slack()?;
        Ok(incident)
    }

    fn poll_slack(&mut self) -> Result<()> {
        let printer = &self.world.printer;
        loop {
            match self.seen.try_recv() {
                Ok(Seen::ChannelCreated { channel, .. }) => {
                    printer.line("Slack", &format!("war room #{channel} opens"));
                }
                Ok(Seen::Invited { channel, member }) => {
                    printer.line("Slack", &format!("{member} is invited to #{channel}"));
                }
                Ok(Seen::TopicSet { topic, .. }) => {
                    if self.topics.insert(topic.clone()) {
                        printer.line("Slack", &format!("topic: {topic}"));
                    }
                }
                Ok(Seen::Posted { place, message }) => self.message(&place, &message),
                // The summary of a war room changes with every line; it is shown at the end.
                Ok(Seen::Edited { place, message }) if !is_summary(&place, &message) => {
                    self.message(&place, &message);
                }
                Ok(_) => {}
                Err(TryRecvError::Empty) => return Ok(()),
                Err(error) => bail!("the workspace cannot be watched: {error}"),
            }
        }
    }

    /// Prints a message, or of one that was edited the lines that are new.
    fn message(&mut self, place: &Place, message: &Message) {
        let place = named(place);
        let lines = self.shown(message);
        let key = (place.clone(), message.ts.clone());
        let before = self.messages.insert(key, lines.clone());
        let how = if before.is_some() { "(edited) " } else { "" };
        let before = before.unwrap_or_default();
        let new: Vec<String> = lines
            .into_iter()
            .filter(|it| !before.contains(it))
            .collect();
        if !new.is_empty() {
            let text = new.join("\n");
            self.world.printer.line(&place, &format!("{how}{text}"));
            self.said.push((place, text));
        }
    }

    /// What a person sees of a message: its lines, then its buttons on one line.
    fn shown(&self, message: &Message) -> Vec<String> {
        let text = self.world.slack.rendered(&message.shown());
        let buttons = message.buttons().into_iter();
        let buttons: Vec<String> = buttons.map(|it| format!("[{}]", it.label)).collect();
        let lines = text.lines().map(str::to_owned);
        lines.chain([buttons.join(" ")]).collect()
    }

    /// Prints the war room's pinned summary.
    pub(super) fn show_summary(&self) -> Result<()> {
        let channels = self.world.slack.channels();
        let rooms: Vec<_> = channels.iter().filter(|it| is_room(&it.name)).collect();
        let [room] = rooms.as_slice() else {
            bail!(
                "there should be one war room, but there are {}",
                rooms.len()
            );
        };
        let summary = room.messages.iter().find(|it| it.pinned);
        let summary = summary.context("the war room has no pinned summary")?;
        self.world
            .printer
            .line("pinned summary", &self.shown(summary).join("\n"));
        Ok(())
    }

    /// Checks that these texts are in the incident's log, in this order.
    pub(super) fn expect_in_order(&self, texts: &[&str]) -> Result<()> {
        let mut lines = self.log.iter();
        for text in texts {
            ensure!(
                lines.any(|it| it.contains(text)),
                "the log has no line with {text:?} where it should be"
            );
        }
        Ok(())
    }
}

fn is_summary(place: &Place, message: &Message) -> bool {
    matches!(place, Place::Channel(name) if is_room(name)) && message.pinned
}

fn named(place: &Place) -> String {
    match place {
        Place::Channel(name) if is_room(name) => "war room".to_owned(),
        Place::Channel(name) => format!("#{name}"),
        Place::Direct(members) => format!("to {}", members.join(", ")),
    }
}

async fn pause(began: Instant, what: &str) -> Result<()> {
    ensure!(
        began.elapsed() < STEP_TIMEOUT,
        "this did not happen within {} s: {what}",
        STEP_TIMEOUT.as_secs()
    );
    tokio::time::sleep(POLL_INTERVAL).await;
    Ok(())
}
