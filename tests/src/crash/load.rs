//! The load: people and senders who go on asking until they are answered, as they do. Each story
//! is one service that breaks, is worked on, and is whole again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::{RwLock, watch};

use super::ledger::{Act, Ledger};
use super::setup::PEOPLE;
use crate::sim::Rng;

/// Longest that one request may wait for its answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause before a request that was not answered is repeated.
const AGAIN_AFTER: Duration = Duration::from_millis(15);
/// Tries that one request gets.
const TRIES_MAX: usize = 400;

/// Where the program is, with what may be said there.
#[derive(Clone, Debug, Default)]
pub(super) struct Door {
    /// `http://127.0.0.1:PORT`.
    pub(super) url: String,
    pub(super) ingest: String,
    pub(super) admin: String,
}

pub(super) fn client() -> Result<Client, String> {
    // The client wants a TLS provider even for plain HTTP; an installed one is as good.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().timeout(PATIENCE).build();
    client.map_err(|error| error.to_string())
}

/// What every worker shares.
pub(super) struct Desk {
    client: Client,
    door: watch::Receiver<Option<Door>>,
    /// Held while a request is under way; an auditor that holds it all knows that none is.
    pub(super) under_way: RwLock<()>,
    ledger: Mutex<Ledger>,
    faults: Mutex<Vec<String>>,
}

struct Worker {
    desk: Arc<Desk>,
    rng: Rng,
    name: String,
    service: String,
    alerts: Vec<String>,
    began: String,
    said: usize,
    /// What it opened by hand and left.
    left_open: Option<(String, u64)>,
}

impl Desk {
    /// A desk that looks for the program through `door`.
    pub(super) fn new(door: watch::Receiver<Option<Door>>) -> Result<Self, String> {
        Ok(Self {
            client: client()?,
            door,
            under_way: RwLock::new(()),
            ledger: Mutex::default(),
            faults: Mutex::default(),
        })
    }

    /// What was asked and answered so far.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the workers found wrong.
    pub(super) fn faults(&self) -> Vec<String> {
        let faults = self.faults.lock();
        faults.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks until there is an answer; `before` is noted before each try and `after` with the
    /// answer, while no auditor looks. Absent when the load ends first.
    async fn ask(
        &self,
        request: impl Fn(&Client, &Door) -> RequestBuilder,
        before: impl Fn(&mut Ledger),
        after: impl Fn(&mut Ledger),
    ) -> Option<Value> {
        for _ in 0..TRIES_MAX {
            let mut door = self.door.clone();
            door.wait_for(Option::is_some).await.ok()?;
            let pass = self.under_way.read().await;
            let Some(door) = self.door.borrow().clone() else {
                continue;
            };
            before(&mut self.ledger());
            let answer = request(&self.client, &door).send().await;
            let status = answer.as_ref().map_or(0, |it| it.status().as_u16());
            if let Ok(answer) = answer
                && (200..300).contains(&status)
            {
                // The head is the answer: what it says is durable, though the body may not come.
                self.note(&after);
                if let Ok(body) = answer.text().await {
                    return Some(serde_json::from_str(&body).unwrap_or(Value::Null));
                }
            } else if (400..500).contains(&status) {
                self.fault(format!("a request of the load was answered {status}"));
                return None;
            } else {
                self.ledger().unanswered += 1;
            }
            drop(pass);
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        self.fault("a request of the load was never answered".to_owned());
        None
    }

    fn note(&self, after: impl Fn(&mut Ledger)) {
        let mut ledger = self.ledger();
        after(&mut ledger);
        ledger.answers += 1;
    }

    fn fault(&self, what: String) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.push(what);
    }
}

/// Lives through stories until told to end; what was begun then is brought to its end.
pub(super) async fn work(desk: Arc<Desk>, name: usize, seed: u64, mut ends: watch::Receiver<bool>) {
    let mut worker = Worker {
        desk,
        rng: Rng::new(seed),
        name: format!("w{name}"),
        service: String::new(),
        alerts: Vec::new(),
        began: String::new(),
        said: 0,
        left_open: None,
    };
    let mut number = 0_usize;
    while !*ends.borrow_and_update() {
        number += 1;
        // A story that cannot go on has said why.
        let _over = worker.story(number).await;
    }
}

impl Worker {
    async fn story(&mut self, number: usize) -> Option<()> {
        self.service = format!("svc-{}-{number}", self.name);
        self.began = now();
        let count = 1 + self.rng.below(3);
        self.alerts = (0..count).map(|it| format!("alert-{it}")).collect();
        self.send(self.alerts.clone(), true).await?;
        if self.rng.chance(20) {
            self.open_by_hand(number).await?;
        }
        let incident = self.incident().await?;
        for _ in 0..2 + self.rng.below(5) {
            self.pause(250).await;
            match self.rng.below(4) {
                0 | 1 => self.say(incident).await?,
                2 => self.send(self.alerts.clone(), true).await?,
                _ => {
                    let another = format!("alert-{}", self.alerts.len());
                    self.alerts.push(another.clone());
                    self.send(vec![another], true).await?;
                }
            }
        }
        self.pause(1_500).await;
        if self.rng.chance(85) {
            self.act(incident, Act::Ack).await?;
            self.say(incident).await?;
        }
        self.pause(300).await;
        if self.rng.chance(30) {
            self.act(incident, Act::Resolve).await?;
        }
        self.send(self.alerts.clone(), false).await
    }

    async fn pause(&mut self, at_most_ms: u64) {
        let wait = Duration::from_millis(self.rng.below(at_most_ms));
        tokio::time::sleep(wait).await;
    }

    /// Sends alerts, to fire or to end, in one request.
    async fn send(&self, names: Vec<String>, firing: bool) -> Option<()> {
        let alert = |name: &String| {
            let mut alert = json!({
                "labels": {
                    "alertname": name, "service": self.service, "severity": "critical",
                    "owner": self.person(0), "deputy": self.person(1),
                },
                "annotations": { "summary": format!("{} of {}", name, self.service) },
                "startsAt": self.began,
            });
            if !firing {
                alert["endsAt"] = json!(now());
            }
            alert
        };
        let request = |client: &Client, door: &Door| {
            let alerts: Vec<Value> = names.iter().map(alert).collect();
            let url = format!("{}/api/v2/alerts", door.url);
            client.post(url).bearer_auth(&door.ingest).json(&alerts)
        };
        let each = |ledger: &mut Ledger, note: fn(&mut Ledger, &str, &str, bool)| {
            for name in &names {
                note(ledger, &self.service, name, firing);
            }
        };
        let before = |ledger: &mut Ledger| each(ledger, Ledger::asks_alert);
        let after = |ledger: &mut Ledger| each(ledger, Ledger::alert_answered);
        self.desk.ask(request, before, after).await.map(|_| ())
    }

    /// The number of the story's incident, which must be there: its alerts were answered.
    async fn incident(&self) -> Option<u64> {
        let list = self.get("incidents?limit=500").await?;
        let all = list["incidents"].as_array()?.iter();
        let mut ours = all.filter(|it| it["service"] == self.service.as_str());
        let number = ours.next().and_then(|it| it["number"].as_u64());
        if number.is_none() {
            let what = format!("missing: the API shows no incident of {}", self.service);
            self.desk.fault(what);
        }
        number
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let request = |client: &Client, door: &Door| {
            let url = format!("{}/api/v1/{path}", door.url);
            client.get(url).bearer_auth(&door.admin)
        };
        self.desk.ask(request, |_| {}, |_| {}).await
    }

    async fn say(&mut self, incident: u64) -> Option<()> {
        self.said += 1;
        let body = format!("line-{}-{}-{}", self.service, self.said, self.rng.draw());
        let action = json!({ "action": "log", "body": body });
        let before = |ledger: &mut Ledger| ledger.asks_line(&self.service, &body);
        let after = |ledger: &mut Ledger| ledger.line_answered(&body);
        self.command(incident, &action, &body, before, after).await
    }

    async fn act(&self, incident: u64, act: Act) -> Option<()> {
        self.act_for(&self.service, incident, act).await
    }

    async fn act_for(&self, service: &str, incident: u64, act: Act) -> Option<()> {
        let action = match act {
            Act::Ack => json!({ "action": "ack" }),
            Act::Resolve => json!({ "action": "resolve", "reason": "it is whole again" }),
        };
        let key = format!("{act:?}-{service}");
        let before = |ledger: &mut Ledger| ledger.asks_act(service, act);
        let after = |ledger: &mut Ledger| ledger.act_answered(service, act);
        self.command(incident, &action, &key, before, after).await
    }

    async fn command(
        &self,
        incident: u64,
        action: &Value,
        key: &str,
        before: impl Fn(&mut Ledger),
        after: impl Fn(&mut Ledger),
    ) -> Option<()> {
        let path = format!("incidents/{incident}/actions");
        let request = |client: &Client, door: &Door| post(client, door, &path, key).json(action);
        self.desk.ask(request, before, after).await.map(|_| ())
    }

    /// Opens an incident that nobody has until the next one: its escalation goes on and on.
    async fn open_by_hand(&mut self, number: usize) -> Option<()> {
        let title = format!("by-hand-{}-{number}", self.name);
        let body = json!({ "title": title, "service": title, "grade": "minor" });
        let request =
            |client: &Client, door: &Door| post(client, door, "incidents", &title).json(&body);
        let before = |ledger: &mut Ledger| ledger.asks_open(&title);
        let after = |ledger: &mut Ledger| ledger.open_answered(&title);
        let opened = self.desk.ask(request, before, after).await?;
        let opened = opened["number"].as_u64()?;
        if let Some((service, number)) = self.left_open.replace((title, opened)) {
            self.act_for(&service, number, Act::Resolve).await?;
        }
        Some(())
    }

    /// Whom the story pages; stories are spread over the people.
    fn person(&self, at: usize) -> String {
        let sum: usize = self.service.bytes().map(usize::from).sum();
        format!("p{}", (sum + at) % PEOPLE)
    }
}

fn post(client: &Client, door: &Door, path: &str, key: &str) -> RequestBuilder {
    client
        .request(Method::POST, format!("{}/api/v1/{path}", door.url))
        .bearer_auth(&door.admin)
        .header("idempotency-key", key)
}

#[expect(clippy::disallowed_methods, reason = "a sender has a clock of its own")]
fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}
