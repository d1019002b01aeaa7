//! The story: an alert, a grade with its reason, a page, nobody answers, the escalation, the
//! acknowledgement, resolved.

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
/// How long one thing of the story may take to happen, in real time.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often is looked whether it has happened.
const LOOK: Duration = Duration::from_millis(50);

pub(super) async fn tell(world: &World) -> Result<()> {
    let mut told = Told {
        world,
        seen: world.slack.watch(),
        events: 0,
        said: BTreeSet::new(),
    };
    let teller = &world.teller;
    teller.part("Three in the night. Ada is on call for payments; Bob is in the team.");
    told.send(FIRING).await?;
    teller.line(
        "Alertmanager",
        "sends 2 alerts: HighErrorRate of checkout, severity critical",
    );

    teller.part("The policies grade it, and Ada is paged.");
    let opened = told
        .until("the incident opens", |it| it["status"] == "open")
        .await?;
    expect(&opened, "/grade", "critical")?;
    told.until_direct("Ada", "Ada gets her page").await?;

    teller.part("Ada sleeps. Nobody answers for five minutes.");
    told.until_direct("Bob", "the escalation reaches Bob")
        .await?;

    teller.part("Bob presses the button.");
    press(world).await?;
    let taken = |it: &Value| it["acknowledged"] == true;
    let answered = told.until("the incident is acknowledged", taken).await?;
    expect(&answered, "/operator", "bob")?;
    told.until_button_gone("Bob").await?;

    teller.part("The service is back.");
    told.send(RESOLVED).await?;
    teller.line("Alertmanager", "says that both alerts are resolved");
    let over = |it: &Value| it["status"] == "resolved";
    let resolved = told.until("the incident resolves by itself", over).await?;
    told.until_topic("the war room's topic says so").await?;
    told.conclude(&resolved)
}

/// What was told so far.
struct Told<'a> {
    world: &'a World,
    seen: Receiver<Seen>,
    events: usize,
    said: BTreeSet<String>,
}

impl Told<'_> {
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

    /// Waits until the incident is as it should be, and tells what happens meanwhile.
    async fn until(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Result<Value> {
        let began = Instant::now();
        loop {
            let incident = self.look().await?;
            if let Some(incident) = incident.filter(&is) {
                return Ok(incident);
            }
            patience(began, what).await?;
        }
    }

    /// Waits until somebody has a page with a button in their direct messages.
    async fn until_direct(&mut self, name: &str, what: &str) -> Result<()> {
        let began = Instant::now();
        while self.buttons_of(name) == 0 {
            self.look().await?;
            patience(began, what).await?;
        }
        self.look().await.map(|_| ())
    }

    async fn until_button_gone(&mut self, name: &str) -> Result<()> {
        let began = Instant::now();
        while self.buttons_of(name) > 0 {
            self.look().await?;
            patience(began, "the button is taken away").await?;
        }
        self.look().await.map(|_| ())
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
            self.look().await?;
            patience(began, what).await?;
        }
        self.look().await.map(|_| ())
    }

    fn buttons_of(&self, name: &str) -> usize {
        let messages = self.world.slack.direct_messages(id_of(name));
        messages.iter().map(|it| it.buttons().len()).sum()
    }

    /// Tells what is new in the incident's log and in the workspace.
    async fn look(&mut self) -> Result<Option<Value>> {
        let answer = client()
            .get(format!("{}/api/v1/incidents/1", self.world.url))
            .bearer_auth(&self.world.admin_token)
            .send()
            .await?;
        let incident: Option<Value> = match answer.status().as_u16() {
            404 => None,
            200 => Some(answer.json().await?),
            other => bail!("the daemon answers {other} when asked for the incident"),
        };
        let timeline = incident.as_ref().and_then(|it| it["timeline"].as_array());
        for entry in timeline.into_iter().flatten().skip(self.events) {
            self.events += 1;
            self.world
                .teller
                .line("incident 1", entry["text"].as_str().unwrap_or_default());
        }
        self.look_at_slack()?;
        Ok(incident)
    }

    fn look_at_slack(&mut self) -> Result<()> {
        let teller = &self.world.teller;
        loop {
            match self.seen.try_recv() {
                Ok(Seen::ChannelCreated { channel, .. }) => {
                    teller.line("Slack", &format!("war room #{channel} opens"));
                }
                Ok(Seen::Invited { channel, member }) => {
                    teller.line("Slack", &format!("{member} is brought into #{channel}"));
                }
                Ok(Seen::TopicSet { topic, .. }) => {
                    if self.said.insert(topic.clone()) {
                        teller.line("Slack", &format!("topic: {topic}"));
                    }
                }
                Ok(Seen::Posted { place, message }) => {
                    teller.line(&named(place), &shown(&message));
                }
                Ok(Seen::Edited { place, message }) => {
                    let text = format!("(changed) {}", shown(&message));
                    teller.line(&named(place), &text);
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
                "the Slack plugin did what Slack does not know: {}",
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
            bail!("there should be one war room, and there are {rooms}");
        }
        let number = incident["number"].as_u64().unwrap_or_default();
        println!(
            "\nAll of this happened: the daemon, its store, its policies and the Slack plugin"
        );
        println!(
            "are the real ones, and only the workspace was a stand-in. Incident {number} left"
        );
        println!(
            "{} events, each durable before anybody was told.",
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

/// What a person sees of a message: its text, and its buttons in a line of their own.
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

async fn press(world: &World) -> Result<()> {
    let press = Press::newest(id_of("Bob"), "Acknowledge");
    let request = world
        .slack
        .press_request(&press)
        .context("Bob sees no button to press")?;
    let request = SignedRequest::at(SIGNING_SECRET, request.body, world.story_seconds());
    let pressed = request
        .send(&format!("{}/hooks/slack/interactions", world.url))
        .await?;
    if pressed.status != 200 {
        bail!(
            "the daemon answered the press with {}: {}",
            pressed.status,
            pressed.body
        );
    }
    Ok(())
}

fn id_of(name: &str) -> &'static str {
    if name == "Ada" { "U0ADA" } else { "U0BOB" }
}

async fn patience(began: Instant, what: &str) -> Result<()> {
    if began.elapsed() > PATIENCE {
        bail!(
            "this did not happen within {} s: {what}",
            PATIENCE.as_secs()
        );
    }
    tokio::time::sleep(LOOK).await;
    Ok(())
}

fn expect(incident: &Value, pointer: &str, wanted: &str) -> Result<()> {
    let found = incident
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or("nothing");
    if found != wanted {
        bail!("{pointer} should be {wanted} and is {found}");
    }
    Ok(())
}

fn client() -> reqwest::Client {
    reqwest::Client::new()
}
