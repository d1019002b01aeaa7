//! Tests of the harness: each real program is available, starts, and does what the tests rely on.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use serde_json::Value;
use tocsin::standin::slack::{Member, SIGNING_SECRET, Setup, SignedRequest, SlackStandIn, Typed};
use tocsin_tests::support::{Alertmanager, Amtool, Prometheus, Sender, SlackSdk, SmtpServer};
use tocsin_tests::wait::until;

const WITHIN: Duration = Duration::from_secs(40);

/// Stores every alert that is sent to `/api/v2/alerts`.
async fn receiver() -> (String, Arc<Mutex<Vec<Value>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&kept);
    let route = post(async move |body: axum::Json<Vec<Value>>| {
        keep.lock().unwrap().extend(body.0);
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let app = Router::new().route("/api/v2/alerts", route);
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, kept)
}

#[tokio::test]
async fn prometheus_sends_a_firing_and_then_a_resolved_alert() {
    let (address, kept) = receiver().await;
    let sender = Sender {
        address,
        bearer: Some("key".into()),
    };
    let Some(prometheus) = Prometheus::start("Prometheus", &sender).await.unwrap() else {
        return;
    };
    let last = async || kept.lock().unwrap().last().cloned();

    prometheus.set_up(false);
    let firing = until("a firing alert", WITHIN, last).await.unwrap();
    assert_eq!(firing["labels"]["alertname"], "CheckoutDown");

    prometheus.set_up(true);
    let ended = async || {
        let starts = last().await?["startsAt"].as_str()?.to_owned();
        let kept = kept.lock().unwrap();
        let updates = kept.iter().filter(|it| it["startsAt"] == *starts);
        let mut ends: Vec<&str> = updates.filter_map(|it| it["endsAt"].as_str()).collect();
        let newest = ends.pop()?;
        // While it fires, each repeat extends the end; the last one moves it back.
        ends.iter().any(|it| *it > newest).then_some(())
    };
    until("its end", WITHIN, ended)
        .await
        .map_err(|it| it + &prometheus.process.report())
        .unwrap();
}

#[tokio::test]
async fn alertmanager_accepts_and_shows_what_amtool_adds() {
    let config = "route: { receiver: none }\nreceivers: [{ name: none }]\n";
    let Some(manager) = Alertmanager::start("Alertmanager", config).await.unwrap() else {
        return;
    };
    let url = format!("http://{}", manager.address);
    let Some(amtool) = Amtool::at("amtool", &url) else {
        return;
    };
    amtool
        .run(&["alert", "add", "CheckoutDown", "severity=critical"])
        .unwrap();
    let shown = async || amtool.run(&["alert", "query", "-o", "json"]).ok();
    let alert = async || shown().await.filter(|it| it.contains("CheckoutDown"));
    until("the alert", WITHIN, alert).await.unwrap();
}

#[tokio::test]
async fn the_mail_server_stores_what_it_receives() {
    let Some(server) = SmtpServer::start("mail").await.unwrap() else {
        return;
    };
    let script = format!(
        "import smtplib\ns = smtplib.SMTP('127.0.0.1', {})\n\
         s.sendmail('a@example.com', ['b@example.com'], 'Subject: Page\\r\\n\\r\\nhello')",
        server.port
    );
    let sent = Command::new("python3")
        .args(["-c", &script])
        .output()
        .unwrap();
    assert!(
        sent.status.success(),
        "{}",
        String::from_utf8_lossy(&sent.stderr)
    );
    let mail = until("the mail", WITHIN, async || server.mails().pop())
        .await
        .unwrap();
    assert_eq!(
        (mail.to, mail.text.trim()),
        (vec!["b@example.com".to_owned()], "hello")
    );
}

#[test]
fn slacks_library_verifies_what_the_stand_in_signs_and_only_that() {
    let Some(library) = SlackSdk::find("slack_sdk") else {
        return;
    };
    let workspace = Setup::of(vec![Member::new("U0ADA", "Ada")]);
    let workspace = SlackStandIn::start(workspace).unwrap();
    let typed = workspace.typed_request(&Typed {
        member: "U0ADA".to_owned(),
        channel: None,
        line: "/incident log seen ä & <b>".to_owned(),
    });
    let typed = typed.unwrap();
    for body in ["payload=%7B%22a%22%3A1%7D", "", &typed.body] {
        let signed = SignedRequest::now(SIGNING_SECRET, body.to_owned());
        let by_library = library.sign(SIGNING_SECRET, &signed.timestamp, body);
        assert_eq!(by_library.unwrap(), signed.signature);
        assert!(library.is_valid(SIGNING_SECRET, &signed).unwrap(), "{body}");
        assert!(!library.is_valid("another", &signed).unwrap(), "{body}");
    }
}
