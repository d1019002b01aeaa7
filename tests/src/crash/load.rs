//! The load: people and senders that retry until they get a response. Each cycle is one service
//! that breaks, is worked on, and recovers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{SecondsFormat, TimeZone as _, Utc};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tocsin_core::Timestamp;
use tokio::sync::{RwLock, watch};

use super::ledger::{Act, Ledger};
use super::setup::{self, PEOPLE};
use crate::sim::Rng;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The delay before a request without a response is retried.
const RETRY_DELAY: Duration = Duration::from_millis(15);
/// Attempts per request.
const TRIES_MAX: usize = 400;

/// How many of 100 cycles put somebody on call.
const OVERRIDES_OF_100: u64 = 40;
/// How long, in milliseconds: two minutes, so that few are live at once.
const OVERRIDE_MS: i64 = 2 * 60 * 1_000;

/// The program's address and tokens.
#[derive(Clone, Debug, Default)]
pub(super) struct Access {
    /// `http://127.0.0.1:PORT`.
    pub(super) url: String,
    pub(super) ingest: String,
    pub(super) admin: String,
}

pub(super) fn client() -> Result<Client, String> {
    // The client needs a TLS provider even for plain HTTP; an already installed one will do.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().timeout(REQUEST_TIMEOUT).build();
    client.map_err(|error| error.to_string())
}

/// The state that all workers share.
pub(super) struct Shared {
    client: Client,
    access: watch::Receiver<Option<Access>>,
    /// Read-locked during a request; the audit write-locks it, so that no request is in progress.
    pub(super) under_way: RwLock<()>,
    ledger: Mutex<Ledger>,
    faults: Mutex<Vec<String>>,
}

struct Worker {
    shared: Arc<Shared>,
    rng: Rng,
    name: String,
    /// The number of the worker.
    place: usize,
    service: String,
    alerts: Vec<String>,
    began: String,
    said: usize,
    /// The incident that it opened by hand and did not resolve yet.
    left_open: Option<(String, u64)>,
}

impl Shared {
    pub(super) fn new(access: watch::Receiver<Option<Access>>) -> Result<Self, String> {
        Ok(Self {
            client: client()?,
            access,
            under_way: RwLock::new(()),
            ledger: Mutex::default(),
            faults: Mutex::default(),
        })
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Faults that the workers found.
    pub(super) fn faults(&self) -> Vec<String> {
        let faults = self.faults.lock();
        faults.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a request until there is a response. `before` is recorded before each attempt and
    /// `after` with the response, never during an audit. `None` if the load ends first.
    async fn ask(
        &self,
        request: impl Fn(&Client, &Access) -> RequestBuilder,
        before: impl Fn(&mut Ledger),
        after: impl Fn(&mut Ledger),
    ) -> Option<Value> {
        for _ in 0..TRIES_MAX {
            let mut access = self.access.clone();
            access.wait_for(Option::is_some).await.ok()?;
            let pass = self.under_way.read().await;
            let Some(access) = self.access.borrow().clone() else {
                continue;
            };
            before(&mut self.ledger());
            let answer = request(&self.client, &access).send().await;
            let status = answer.as_ref().map_or(0, |it| it.status().as_u16());
            if let Ok(answer) = answer
                && (200..300).contains(&status)
            {
                // The head alone means that the effect is durable, even if the body is lost.
                self.note(&after);
                if let Ok(body) = answer.text().await {
                    return Some(serde_json::from_str(&body).unwrap_or(Value::Null));
                }
            } else if (400..500).contains(&status) {
                self.fault(format!("a request of the load got status {status}"));
                return None;
            } else {
                self.ledger().unanswered += 1;
            }
            drop(pass);
            tokio::time::sleep(RETRY_DELAY).await;
        }
        self.fault("a request of the load never got a response".to_owned());
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

/// Runs cycles until `ends` is true; a cycle that has begun is completed.
pub(super) async fn work(
    shared: Arc<Shared>,
    name: usize,
    seed: u64,
    mut ends: watch::Receiver<bool>,
) {
    let mut worker = Worker {
        shared,
        rng: Rng::new(seed),
        name: format!("w{name}"),
        place: name,
        service: String::new(),
        alerts: Vec::new(),
        began: String::new(),
        said: 0,
        left_open: None,
    };
    let mut number = 0_usize;
    while !*ends.borrow_and_update() {
        number += 1;
        // A cycle that fails has recorded a fault.
        let _done = worker.cycle(number).await;
    }
}

impl Worker {
    async fn cycle(&mut self, number: usize) -> Option<()> {
        self.service = format!("svc-{}-{number}", self.name);
        self.began = now();
        let count = 1 + self.rng.below(3);
        self.alerts = (0..count).map(|it| format!("alert-{it}")).collect();
        self.send(self.alerts.clone(), true).await?;
        if self.rng.chance(20) {
            self.open_by_hand(number).await?;
        }
        if self.rng.chance(OVERRIDES_OF_100) {
            self.put_on_call(number).await?;
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

    /// Sends firing or ended alerts in one request.
    async fn send(&self, names: Vec<String>, firing: bool) -> Option<()> {
        let alert = |name: &String| {
            let mut alert = json!({
                "labels": {
                    "alertname": name, "service": self.service, "severity": "critical",
                    "owner": self.person(0), "deputy": self.person(1),
                    "rotation": setup::rotation(self.place),
                },
                "annotations": { "summary": format!("{} of {}", name, self.service) },
                "startsAt": self.began,
            });
            if !firing {
                alert["endsAt"] = json!(now());
            }
            alert
        };
        let request = |client: &Client, access: &Access| {
            let alerts: Vec<Value> = names.iter().map(alert).collect();
            let url = format!("{}/api/v2/alerts", access.url);
            client.post(url).bearer_auth(&access.ingest).json(&alerts)
        };
        let each = |ledger: &mut Ledger, note: fn(&mut Ledger, &str, &str, bool)| {
            for name in &names {
                note(ledger, &self.service, name, firing);
            }
        };
        let before = |ledger: &mut Ledger| each(ledger, Ledger::asks_alert);
        let after = |ledger: &mut Ledger| each(ledger, Ledger::alert_answered);
        self.shared.ask(request, before, after).await.map(|_| ())
    }

    /// The number of the cycle's incident, which must exist because its alerts were accepted.
    async fn incident(&self) -> Option<u64> {
        let list = self.get("incidents?limit=500").await?;
        let all = list["incidents"].as_array()?.iter();
        let mut ours = all.filter(|it| it["service"] == self.service.as_str());
        let number = ours.next().and_then(|it| it["number"].as_u64());
        if number.is_none() {
            let what = format!("missing: the API shows no incident of {}", self.service);
            self.shared.fault(what);
        }
        number
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let request = |client: &Client, access: &Access| {
            let url = format!("{}/api/v1/{path}", access.url);
            client.get(url).bearer_auth(&access.admin)
        };
        self.shared.ask(request, |_| {}, |_| {}).await
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
            Act::Resolve => json!({ "action": "resolve", "reason": "it recovered" }),
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
        let request =
            |client: &Client, access: &Access| post(client, access, &path, key).json(action);
        self.shared.ask(request, before, after).await.map(|_| ())
    }

    /// Opens an incident that stays unacknowledged until the next one, so that it keeps escalating.
    async fn open_by_hand(&mut self, number: usize) -> Option<()> {
        let title = format!("by-hand-{}-{number}", self.name);
        let body = json!({ "title": title, "service": title, "grade": "minor" });
        let request = |client: &Client, access: &Access| {
            post(client, access, "incidents", &title).json(&body)
        };
        let before = |ledger: &mut Ledger| ledger.asks_open(&title);
        let after = |ledger: &mut Ledger| ledger.open_answered(&title);
        let opened = self.shared.ask(request, before, after).await?;
        let opened = opened["number"].as_u64()?;
        if let Some((service, number)) = self.left_open.replace((title, opened)) {
            self.act_for(&service, number, Act::Resolve).await?;
        }
        Some(())
    }

    /// Puts somebody on call for the worker's rotation.
    async fn put_on_call(&mut self, number: usize) -> Option<()> {
        let (rotation, person) = (setup::rotation(self.place), self.person(number));
        let reason = format!("override-{}-{number}", self.name);
        let until = millis() + OVERRIDE_MS;
        let ends = Utc.timestamp_millis_opt(until).single()?;
        let action = json!({
            "action": "override", "rotation": rotation, "person": person, "reason": reason,
            "until": ends.to_rfc3339_opts(SecondsFormat::Millis, true),
        });
        let request = |client: &Client, access: &Access| {
            post(client, access, "oncall/actions", &reason).json(&action)
        };
        let before = |ledger: &mut Ledger| {
            ledger.asks_override(&reason, (&rotation, &person), Timestamp(until));
        };
        let after = |ledger: &mut Ledger| ledger.override_answered(&reason);
        self.shared.ask(request, before, after).await.map(|_| ())
    }

    /// Who is paged in this cycle; cycles are spread over the people.
    fn person(&self, at: usize) -> String {
        let sum: usize = self.service.bytes().map(usize::from).sum();
        format!("p{}", (sum + at) % PEOPLE)
    }
}

fn post(client: &Client, access: &Access, path: &str, key: &str) -> RequestBuilder {
    client
        .request(Method::POST, format!("{}/api/v1/{path}", access.url))
        .bearer_auth(&access.admin)
        .header("idempotency-key", key)
}

#[expect(clippy::disallowed_methods, reason = "a sender has its own clock")]
fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[expect(clippy::disallowed_methods, reason = "a person has their own clock")]
fn millis() -> i64 {
    Utc::now().timestamp_millis()
}
