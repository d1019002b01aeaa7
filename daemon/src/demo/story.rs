//! The steps of the demo: an alert, a grade with its reason, a page, no answer, the escalation, the
//! acknowledgement, the question whether it is solved, the resolution.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use super::world::World;
use crate::standin::slack::{Message, Place, Press, SIGNING_SECRET, Seen, SignedRequest};

const FIRING: &str = include_str!("alerts/firing.json");
const RESOLVED: &str = include_str!("alerts/resolved.json");
/// How long one step may take, in real time.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

pub(super) async fn tell(world: &World) -> Result<()> {
    let mut progress = Progress {
        world,
        seen: world.slack.watch(),
        events: 0,
        said: BTreeSet::new(),
    };
    let printer = &world.printer;
    printer.part("It is 3 a.m. Ada is on call for payments; Bob is on the same team.");
    progress.send(FIRING).await?;
    printer.line(
        "Alertmanager",
        "sends 2 alerts: HighErrorRate on checkout, severity critical",
    );

    printer.part("The policies grade the incident, and Ada is paged.");
    let opened = progress
        .until("the incident opens", |it| it["status"] == "open")
        .await?;
    expect(&opened, "/grade", "critical")?;
    progress
        .until_direct("Ada", "Ada receives her page")
        .await?;

    printer.part("Ada is asleep. Nobody acknowledges for five minutes.");
    progress
        .until_direct("Bob", "the escalation reaches Bob")
        .await?;

    printer.part("Bob presses Acknowledge.");
    press(world, "Acknowledge").await?;
    let is_acknowledged = |it: &Value| it["acknowledged"] == true;
    let acknowledged = progress
        .until("the incident is acknowledged", is_acknowledged)
        .await?;
    expect(&acknowledged, "/operator", "bob")?;
    progress.until_button_gone("Bob").await?;

    printer
        .part("The service recovers. Bob has the incident, so he is asked whether it is solved.");
    progress.send(RESOLVED).await?;
    printer.line("Alertmanager", "reports that both alerts are resolved");
    progress
        .until_direct("Bob", "Bob is asked whether it is solved")
        .await?;
    press(world, "Solved").await?;
    let over = |it: &Value| it["status"] == "resolved";
    let resolved = progress.until("the incident is resolved", over).await?;
    progress
        .until_topic("the war room's topic says that it is resolved")
        .await?;
    progress.conclude(&resolved)
}

/// What has been printed so far.
struct Progress<'a> {
    world: &'a World,
    seen: Receiver<Seen>,
    events: usize,
    said: BTreeSet<String>,
}

impl Progress<'_> {
    async fn send(&self, body: &'static str) -> Result<()> {
        let answer = client()
            .post(format!("{}/ingest/alertmanager", self.world.url))
            .bearer_auth(&self.world.ingest_token)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await?;
        if !answer.status().is_success() {
            bail!("the daemon refused the alerts: {}", answer.text().await?);
        }
        Ok(())
    }

    /// Waits until the incident satisfies the predicate, and prints what happens meanwhile.
    async fn until(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Result<Value> {
        let began = Instant::now();
        loop {
            let incident = self.poll().await?;
            if let Some(incident) = incident.filter(&is) {
                return Ok(incident);
            }
            wait(began, what).await?;
        }
    }

    /// Waits until somebody has a page with a button in their direct messages.
    async fn until_direct(&mut self, name: &str, what: &str) -> Result<()> {
        let began = Instant::now();
        while self.buttons_of(name) == 0 {
            self.poll().await?;
            wait(began, what).await?;
        }
        self.poll().await.map(|_| ())
    }

    async fn until_button_gone(&mut self, name: &str) -> Result<()> {
        let began = Instant::now();
        while self.buttons_of(name) > 0 {
            self.poll().await?;
            wait(began, "the button is removed").await?;
        }
        self.poll().await.map(|_| ())
    }

    async fn until_topic(&mut self, what: &str) -> Result<()> {
        let began = Instant::now();
        while !self
            .world
            .slack
            .channels()
            .iter()
            .any(|it| it.topic.contains("resolved"))
        {
            self.poll().await?;
            wait(began, what).await?;
        }
        self.poll().await.map(|_| ())
    }

    fn buttons_of(&self, name: &str) -> usize {
        let messages = self.world.slack.direct_messages(id_of(name));
        messages.iter().map(|it| it.buttons().len()).sum()
    }

    /// Prints what is new in the incident's log and in the workspace.
    async fn poll(&mut self) -> Result<Option<Value>> {
        let answer = client()
            .get(format!("{}/api/v1/incidents/1", self.world.url))
            .bearer_auth(&self.world.admin_token)
            .send()
            .await?;
        let incident: Option<Value> = match answer.status().as_u16() {
            404 => None,
            200 => Some(answer.json().await?),
            other => bail!("the daemon responds with status {other} to a request for the incident"),
        };
        let timeline = incident.as_ref().and_then(|it| it["timeline"].as_array());
        for entry in timeline.into_iter().flatten().skip(self.events) {
            self.events += 1;
            self.world
                .printer
                .line("incident 1", entry["text"].as_str().unwrap_or_default());
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
                    if self.said.insert(topic.clone()) {
                        printer.line("Slack", &format!("topic: {topic}"));
                    }
                }
                Ok(Seen::Posted { place, message }) => {
                    printer.line(&named(place), &shown(&message));
                }
                Ok(Seen::Edited { place, message }) => {
                    let text = format!("(edited) {}", shown(&message));
                    printer.line(&named(place), &text);
                }
                Ok(_) => {}
                Err(TryRecvError::Empty) => return Ok(()),
                Err(error) => bail!("the workspace cannot be watched: {error}"),
            }
        }
    }

    fn conclude(&self, incident: &Value) -> Result<()> {
        let unexpected = self.world.slack.unexpected();
        if !unexpected.is_empty() {
            bail!(
                "the Slack plugin sent requests that Slack would reject: {}",
                unexpected.join("; ")
            );
        }
        let rooms = self
            .world
            .slack
            .channels()
            .iter()
            .filter(|it| !it.name.is_empty())
            .count();
        if rooms != 1 {
            bail!("there should be one war room, but there are {rooms}");
        }
        let number = incident["number"].as_u64().unwrap_or_default();
        println!(
            "\nEverything above really happened: daemon, store, policies and Slack plugin are the"
        );
        println!("real ones; only the Slack workspace was a stand-in. Incident {number} has");
        println!(
            "{} events, each on disk before anybody was notified.",
            self.events
        );
        Ok(())
    }
}

fn named(place: Place) -> String {
    match place {
        Place::Channel(_) => "Slack, war room".to_owned(),
        Place::Direct(members) => format!("Slack, to {}", members.join(", ")),
    }
}

/// What a person sees of a message: its text, then its buttons on one line.
fn shown(message: &Message) -> String {
    let buttons = message
        .buttons()
        .into_iter()
        .map(|it| format!("[{}]", it.label));
    format!(
        "{}\n{}",
        message.shown(),
        buttons.collect::<Vec<_>>().join(" ")
    )
}

async fn press(world: &World, button: &str) -> Result<()> {
    let press = Press::newest(id_of("Bob"), button);
    let request = world
        .slack
        .press_request(&press)
        .with_context(|| format!("Bob has no message with a button {button}"))?;
    let request = SignedRequest::at(SIGNING_SECRET, request.body, world.story_seconds());
    let pressed = request
        .send(&format!("{}/hooks/slack/interactions", world.url))
        .await?;
    if pressed.status != 200 {
        bail!(
            "the daemon responded to the button press with {}: {}",
            pressed.status,
            pressed.body
        );
    }
    Ok(())
}

fn id_of(name: &str) -> &'static str {
    if name == "Ada" { "U0ADA" } else { "U0BOB" }
}

async fn wait(began: Instant, what: &str) -> Result<()> {
    if began.elapsed() > STEP_TIMEOUT {
        bail!(
            "this did not happen within {} s: {what}",
            STEP_TIMEOUT.as_secs()
        );
    }
    tokio::time::sleep(POLL_INTERVAL).await;
    Ok(())
}

fn expect(incident: &Value, pointer: &str, wanted: &str) -> Result<()> {
    let found = incident
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or("nothing");
    if found != wanted {
        bail!("{pointer} should be {wanted}, but is {found}");
    }
    Ok(())
}

fn client() -> reqwest::Client {
    reqwest::Client::new()
}
