//! Real senders: Debian's Prometheus, Alertmanager and amtool against the whole daemon, over HTTP
//! and in real time, from a firing rule to the page in the Slack stand-in and to the resolution.
//!
//! Every request to Slack and every response under `/api/v2` and `/v2` is checked against the
//! vendors' documents.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::time::Duration;

use serde_json::{Value, json};
use tocsin::auth::Scope;
use tocsin_tests::support::{Alertmanager, Amtool, Daemon, PagerDuty, Prometheus, Sender};
use tocsin_tests::wait::until;

/// Rules are evaluated every second and delays are seconds; the machine may be slow.
const WITHIN: Duration = Duration::from_secs(60);
/// A port that nothing listens on: these tests need no mail.
const NO_MAIL: u16 = 9;

/// Pages in Ada's direct messages.
fn pages(daemon: &Daemon) -> Vec<String> {
    let messages = daemon.slack.direct_messages("U0ADA");
    let pages = messages.iter().map(tocsin::standin::slack::Message::shown);
    pages.collect()
}

/// Waits for the incident, its page and its room, and checks them.
async fn until_paged(daemon: &Daemon, log: impl Fn() -> String) {
    let open = async || daemon.incident(1, |it| it["status"] == "open").await;
    let incident = until("the incident", WITHIN, open)
        .await
        .map_err(|late| format!("{late}\n{}", log()))
        .unwrap();
    assert_eq!(incident["grade"], "critical", "{incident}");
    let paged = async || pages(daemon).pop();
    let page = until("Ada's page", WITHIN, paged).await.unwrap();
    assert!(page.contains("checkout"), "{page}");
    let told = async || {
        let rooms = daemon.slack.channels();
        rooms.into_iter().find(|it| !it.messages.is_empty())
    };
    let room = until("the war room", WITHIN, told).await.unwrap();
    assert!(room.name.starts_with("inc-1"), "{}", room.name);
}

/// Waits until the incident is resolved, and checks that there was one page and one room.
async fn until_resolved(daemon: &Daemon, log: impl Fn() -> String) {
    let resolved = async || daemon.incident(1, |it| it["status"] == "resolved").await;
    until("the end of the incident", WITHIN, resolved)
        .await
        .map_err(|late| format!("{late}\n{}", log()))
        .unwrap();
    let said = async || {
        let rooms = daemon.slack.channels();
        rooms.into_iter().find(|it| it.topic.contains("resolved"))
    };
    until("the room's topic to be resolved", WITHIN, said)
        .await
        .unwrap();
    assert_eq!(daemon.slack.channels().len(), 1, "one war room");
    assert_eq!(pages(daemon).len(), 1, "one page: {:?}", pages(daemon));
    let second = daemon.incident(2, |_| true).await;
    assert!(second.is_none(), "a second incident: {second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_fires_through_alertmanagers_webhook_into_slack_and_resolves() {
    let test = "prometheus and alertmanager";
    let Some(daemon) = Daemon::start(test, NO_MAIL).await.unwrap() else {
        return;
    };
    let token = daemon.token(Scope::Ingest, Some("alertmanager")).await;
    let config = json!({
        "route": {
            "receiver": "tocsin", "group_by": ["service"],
            "group_wait": "1s", "group_interval": "1s", "repeat_interval": "5s",
        },
        "receivers": [{ "name": "tocsin", "webhook_configs": [{
            "url": format!("{}/ingest/alertmanager", daemon.url),
            "send_resolved": true,
            "http_config": { "authorization": { "credentials": token.unwrap() } },
        }] }],
    });
    // JSON is YAML.
    let manager = Alertmanager::start(test, &config.to_string())
        .await
        .unwrap();
    let Some(manager) = manager else { return };
    let sender = Sender {
        address: manager.address.clone(),
        bearer: None,
    };
    let Some(prometheus) = Prometheus::start(test, &sender).await.unwrap() else {
        return;
    };
    let log = || prometheus.process.report() + &manager.process.report();

    prometheus.set_up(false);
    until_paged(&daemon, log).await;
    prometheus.set_up(true);
    until_resolved(&daemon, log).await;
    daemon.recorder.check().unwrap();
    daemon.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_fires_with_tocsin_as_prometheuss_alertmanager_and_resolves() {
    let test = "prometheus alone";
    let Some(daemon) = Daemon::start(test, NO_MAIL).await.unwrap() else {
        return;
    };
    let sender = Sender {
        address: daemon.recorder.address.clone(),
        bearer: Some(
            daemon
                .token(Scope::Ingest, Some("prometheus"))
                .await
                .unwrap(),
        ),
    };
    let Some(prometheus) = Prometheus::start(test, &sender).await.unwrap() else {
        return;
    };
    let log = || prometheus.process.report();

    prometheus.set_up(false);
    until_paged(&daemon, log).await;
    prometheus.set_up(true);
    until_resolved(&daemon, log).await;
    let answers = daemon.recorder.check().unwrap();
    assert!(
        answers >= 2,
        "firing and resolved must be posted to /api/v2"
    );
    daemon.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_without_a_token_opens_nothing() {
    let test = "prometheus without a token";
    let Some(daemon) = Daemon::start(test, NO_MAIL).await.unwrap() else {
        return;
    };
    let sender = Sender {
        address: daemon.recorder.address.clone(),
        bearer: None,
    };
    let Some(prometheus) = Prometheus::start(test, &sender).await.unwrap() else {
        return;
    };
    prometheus.set_up(false);
    let refused = async || {
        let exchanges = daemon.recorder.exchanges();
        exchanges.into_iter().find(|it| it.path == "/api/v2/alerts")
    };
    let refused = until("an answer", WITHIN, refused).await.unwrap();
    assert_eq!(refused.status, 401);
    assert!(daemon.incident(1, |_| true).await.is_none());
    daemon.end().await.unwrap();
}

/// The tool with a token, for basic authentication or as a bearer token.
fn amtool(test: &str, daemon: &Daemon, http: &Value) -> Option<Amtool> {
    let mut tool = Amtool::at(test, &daemon.url)?;
    tool.set_http(&http.to_string()).unwrap();
    Some(tool)
}

#[tokio::test(flavor = "multi_thread")]
async fn amtool_adds_alerts_shows_them_and_silences_them() {
    let test = "amtool";
    let Some(daemon) = Daemon::start(test, NO_MAIL).await.unwrap() else {
        return;
    };
    let ingest = daemon.token(Scope::Ingest, Some("prometheus")).await;
    let basic = json!({ "basic_auth": { "username": "amtool", "password": ingest.unwrap() } });
    let respond = daemon.token(Scope::Respond, None).await.unwrap();
    let bearer = json!({ "authorization": { "credentials": respond } });
    let Some(sender) = amtool(test, &daemon, &basic) else {
        return;
    };
    let Some(person) = amtool(test, &daemon, &bearer) else {
        return;
    };
    let add = |name: &str, service: &str| {
        let service = format!("service={service}");
        let labels = ["severity=critical", "team=payments", &service];
        let args: Vec<&str> = ["alert", "add", name].into_iter().chain(labels).collect();
        sender.run(&args).unwrap()
    };

    let silence = [
        "silence",
        "add",
        "service=checkout",
        "--author=ada",
        "--comment=we are moving it",
        "--duration=1h",
    ];
    let id = person.run(&silence).unwrap().trim().to_owned();
    let silences = person.run(&["silence", "query"]).unwrap();
    assert!(silences.contains(&id), "{id} in {silences}");

    add("CheckoutDown", "checkout");
    let silenced = ["alert", "query", "--silenced", "-o", "json"];
    let shown = sender.run(&silenced).unwrap();
    assert!(shown.contains("CheckoutDown"), "{shown}");
    assert!(shown.contains(&id), "the silence is not shown: {shown}");
    let active = sender.run(&["alert", "query"]).unwrap();
    assert!(!active.contains("CheckoutDown"), "{active}");

    add("SearchDown", "search");
    let active = person.run(&["alert", "query", "service=search"]).unwrap();
    assert!(active.contains("SearchDown"), "{active}");
    let paged = async || pages(&daemon).pop();
    until("Ada's page", WITHIN, paged).await.unwrap();
    let first = daemon.incident(1, |_| true).await.unwrap();
    assert!(first["title"].as_str().unwrap().contains("SearchDown"));
    let told = pages(&daemon).concat();
    assert!(
        !told.contains("Checkout"),
        "a silenced alert was announced: {told}"
    );

    person.run(&["silence", "expire", &id]).unwrap();
    let left = person.run(&["silence", "query"]).unwrap();
    assert!(!left.contains(&id), "{left}");
    let over = person.run(&["silence", "query", "--expired"]).unwrap();
    assert!(over.contains(&id), "{over}");
    add("CheckoutDown", "checkout");
    let second = async || daemon.incident(2, |_| true).await;
    let second = until("the incident", WITHIN, second).await.unwrap();
    assert!(second["title"].as_str().unwrap().contains("CheckoutDown"));

    let answers = daemon.recorder.check().unwrap();
    assert!(answers >= 10, "{answers} responses under /api/v2");
    daemon.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_and_amtool_see_the_silence_of_an_active_alert_and_its_end() {
    let test = "prometheus and amtool";
    let Some(daemon) = Daemon::start(test, NO_MAIL).await.unwrap() else {
        return;
    };
    let ingest = daemon.token(Scope::Ingest, Some("prometheus")).await;
    let sender = Sender {
        address: daemon.recorder.address.clone(),
        bearer: Some(ingest.unwrap()),
    };
    let respond = daemon.token(Scope::Respond, None).await.unwrap();
    let bearer = json!({ "authorization": { "credentials": respond } });
    let Some(person) = amtool(test, &daemon, &bearer) else {
        return;
    };
    let Some(prometheus) = Prometheus::start(test, &sender).await.unwrap() else {
        return;
    };
    prometheus.set_up(false);
    until_paged(&daemon, || prometheus.process.report()).await;
    let query = |which: &str| person.run(&["alert", "query", which]).unwrap();
    assert!(query("--active").contains("CheckoutDown"));

    let matcher = "alertname=CheckoutDown";
    let silence = [
        "silence",
        "add",
        matcher,
        "--author=ada",
        "--comment=moving it",
    ];
    let id = person.run(&silence).unwrap().trim().to_owned();
    assert!(query("--silenced").contains("CheckoutDown"));
    assert!(!query("--active").contains("CheckoutDown"));
    let paused = async || daemon.incident(1, |it| it["paused"] == true).await;
    let incident = until("the pause", WITHIN, paused).await.unwrap();
    assert_eq!(incident["silences"][0]["id"], id.as_str(), "{incident}");
    assert_eq!(incident["status"], "open");

    person.run(&["silence", "expire", &id]).unwrap();
    assert!(!query("--silenced").contains("CheckoutDown"));
    assert!(query("--active").contains("CheckoutDown"));
    let resumed = async || daemon.incident(1, |it| it["paused"] == false).await;
    let incident = until("the end of the pause", WITHIN, resumed)
        .await
        .unwrap();
    let log = incident["timeline"].to_string();
    assert!(
        log.contains("escalation resumes: the silence by ada (moving it) has ended"),
        "{log}"
    );

    prometheus.set_up(true);
    until_resolved(&daemon, || prometheus.process.report()).await;
    daemon.recorder.check().unwrap();
    daemon.end().await.unwrap();
}

/// Posts JSON; returns the response.
async fn post(url: String, token: Option<&str>, body: &Value) -> u16 {
    let mut asked = reqwest::Client::new().post(url).body(body.to_string());
    asked = asked.header("content-type", "application/json");
    if let Some(token) = token {
        asked = asked.bearer_auth(token);
    }
    asked.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_under_v2_is_like_pagerdutys_and_an_event_is_fully_processed() {
    let Some(daemon) = Daemon::start("pagerduty", NO_MAIL).await.unwrap() else {
        return;
    };
    let key = daemon.token(Scope::Ingest, Some("pagerduty")).await;
    let key = key.unwrap();
    let payload = json!({
        "summary": "checkout answers 500", "source": "shop", "severity": "critical",
        "custom_details": { "service": "checkout", "team": "payments" },
    });
    let event = |action: &str| {
        let mut event = json!({ "routing_key": key, "dedup_key": "c", "payload": payload });
        event["event_action"] = json!(action);
        event
    };
    let enqueue = async |body: &Value| post(format!("{}/v2/enqueue", daemon.url), None, body).await;

    assert_eq!(enqueue(&event("trigger")).await, 202);
    assert_eq!(enqueue(&event("trigger")).await, 202, "a repeat");
    until_paged(&daemon, String::new).await;
    assert_eq!(enqueue(&event("acknowledge")).await, 202);
    let taken = async || daemon.incident(1, |it| it["acknowledged"] == true).await;
    until("the acknowledgement", WITHIN, taken).await.unwrap();
    assert_eq!(enqueue(&event("resolve")).await, 202);
    until_resolved(&daemon, String::new).await;

    let mut unknown = event("trigger");
    unknown["routing_key"] = json!("tocsin_ingest_of_nobody");
    let faulty = json!({ "routing_key": key, "event_action": "trigger", "payload": {} });
    for wrong in [unknown, event("shout"), faulty, json!([]), json!("x")] {
        assert_eq!(enqueue(&wrong).await, 400, "{wrong}");
    }
    let change = json!({
        "routing_key": key,
        "payload": { "summary": "checkout 1.2 is out", "timestamp": "2026-01-05T09:00:00Z" },
    });
    let url = format!("{}/v2/change/enqueue", daemon.url);
    assert_eq!(post(url, None, &change).await, 202);

    let answers = daemon.recorder.check().unwrap();
    assert_eq!(answers, 10, "answers under /v2");
    daemon.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pagerdutys_client_triggers_resolves_and_triggers_again_and_gets_a_new_page() {
    let test = "pagerduty's client";
    let Some(daemon) = Daemon::start(test, NO_MAIL).await.unwrap() else {
        return;
    };
    let key = daemon.token(Scope::Ingest, Some("pagerduty")).await;
    let Some(client) = PagerDuty::find(test, &daemon.url, &key.unwrap()) else {
        return;
    };
    let event = json!({
        "summary": "checkout answers 500", "source": "shop", "dedup_key": "c",
        "severity": "critical",
        "custom_details": {
            "service": "checkout", "team": "payments", "host": { "name": "srv01" },
        },
        "links": [{ "href": "https://one.example.com", "text": "runbook" },
                  { "href": "https://two.example.com", "text": "graph" }],
        "images": [{ "src": "https://img.example.com/a.png", "alt": "errors" }],
    });
    let page_comes = async |count: usize| {
        let paged = async || (pages(&daemon).len() == count).then_some(());
        until("Ada's page", WITHIN, paged).await.unwrap();
    };
    assert_eq!(client.send("trigger", &event).unwrap(), "c");
    until_paged(&daemon, String::new).await;
    let incident = daemon.incident(1, |_| true).await.unwrap();
    assert_eq!(incident["service"], "checkout");
    assert_eq!(incident["team"], "payments");
    let alert = daemon.show("alerts/pagerduty/c").await.unwrap().unwrap();
    assert_eq!(alert["labels"]["custom_details.host.name"], "srv01");
    assert_eq!(alert["link"], "https://one.example.com");
    for (name, value) in [
        ("links.0.text", "runbook"),
        ("links.1.href", "https://two.example.com"),
        ("images.0.src", "https://img.example.com/a.png"),
        ("images.0.alt", "errors"),
    ] {
        assert_eq!(alert["annotations"][name], value, "{name}");
    }

    let sent = client.send("resolve", &json!({ "dedup_key": "c" }));
    assert_eq!(sent.unwrap(), "c");
    until_resolved(&daemon, String::new).await;
    client.send("trigger", &event).unwrap();
    page_comes(2).await;

    let respond = daemon.token(Scope::Respond, None).await.unwrap();
    let actions = format!("{}/api/v1/incidents/1/actions", daemon.url);
    let resolve = json!({ "action": "resolve", "reason": "rolled back" });
    assert_eq!(post(actions, Some(&respond), &resolve).await, 200);
    client.send("trigger", &event).unwrap();
    page_comes(3).await;
    let incident = daemon.incident(1, |it| it["status"] == "open").await;
    let log = incident.unwrap()["timeline"].to_string();
    assert!(log.contains("fires again; "), "{log}");
    assert!(log.contains(" resolved it "), "{log}");
    daemon.recorder.check().unwrap();
    daemon.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_under_api_v2_is_like_alertmanagers() {
    let Some(daemon) = Daemon::start("api v2", NO_MAIL).await.unwrap() else {
        return;
    };
    let ingest = daemon.token(Scope::Ingest, Some("prometheus")).await;
    let ingest = ingest.unwrap();
    let respond = daemon.token(Scope::Respond, None).await.unwrap();
    let api = format!("{}/api/v2", daemon.url);
    let labels = |service: &str| {
        json!({ "alertname": "Down", "severity": "critical", "team": "payments",
                "service": service })
    };
    let alerts = json!([{ "labels": labels("checkout") }, { "labels": labels("search") }]);
    let (alerts_url, silences_url) = (format!("{api}/alerts"), format!("{api}/silences"));
    assert_eq!(post(alerts_url.clone(), Some(&ingest), &alerts).await, 200);
    let one_bad = json!([{ "labels": {} }, { "labels": labels("shop") }]);
    assert_eq!(post(alerts_url, Some(&ingest), &one_bad).await, 400);
    let silence = json!({
        "matchers": [{ "name": "service", "value": "none", "isRegex": false, "isEqual": true }],
        "startsAt": "2026-01-05T09:00:00Z", "endsAt": "2096-01-05T09:00:00Z",
        "createdBy": "ada", "comment": "we are moving it",
    });
    let posted = post(silences_url.clone(), Some(&respond), &silence).await;
    assert_eq!(posted, 200);
    assert_eq!(post(silences_url, Some(&respond), &json!({})).await, 400);

    let client = reqwest::Client::new();
    let looked = [
        ("status", 200),
        ("receivers", 200),
        ("alerts", 200),
        (
            "alerts?filter=service%3D%22shop%22&active=true&silenced=false",
            200,
        ),
        ("alerts?filter=%3D", 400),
        ("alerts/groups", 200),
        ("silences", 200),
        ("silences?filter=service%3Dnone", 200),
        ("silence/00000000-0000-0000-0000-000000000000", 404),
    ];
    for (path, status) in looked {
        let asked = client.get(format!("{api}/{path}")).bearer_auth(&respond);
        let answered = asked.send().await.unwrap();
        assert_eq!(answered.status().as_u16(), status, "{path}");
    }
    let listed = daemon.recorder.exchanges();
    let listed = listed
        .iter()
        .find(|it| it.path == "/api/v2/silences" && it.verb == "GET");
    let id = listed.unwrap().body[0]["id"].as_str().unwrap().to_owned();
    for (verb, status) in [("GET", 200), ("DELETE", 200), ("GET", 200)] {
        let verb = verb.parse().unwrap();
        let asked = client.request(verb, format!("{api}/silence/{id}"));
        let answered = asked.bearer_auth(&respond).send().await.unwrap();
        assert_eq!(answered.status().as_u16(), status);
    }
    assert_eq!(
        daemon.recorder.check().unwrap(),
        16,
        "answers under /api/v2"
    );
    daemon.end().await.unwrap();
}
