//! Presses of buttons, signed by Slack's own library.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use tocsin::auth::Scope;
use tocsin::standin::slack::{Press, SIGNING_SECRET, SignedRequest};
use tocsin_tests::support::{Daemon, SlackSdk};

use super::{NO_MAIL, post, until_paged};

#[tokio::test(flavor = "multi_thread")]
async fn a_press_counts_if_and_only_if_slacks_library_signed_it_recently() {
    let test = "a press signed by slack_sdk";
    let Some(library) = SlackSdk::find(test) else {
        return;
    };
    let Some(daemon) = Daemon::start(test, NO_MAIL).await.unwrap() else {
        return;
    };
    let token = daemon.token(Scope::Ingest, Some("prometheus")).await;
    let alert = json!([{ "labels": {
        "alertname": "CheckoutDown", "severity": "critical", "team": "payments",
        "service": "checkout",
    }, "annotations": { "summary": "The checkout does not answer" } }]);
    let posted = format!("{}/api/v2/alerts", daemon.url);
    assert_eq!(post(posted, Some(&token.unwrap()), &alert).await, 200);
    until_paged(&daemon, String::new).await;

    let press = Press::newest("U0ADA", "Acknowledge");
    let body = daemon.slack.press_request(&press).unwrap().body;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = now.as_secs();
    let signed = |secret: &str, at: u64, body: &str| SignedRequest {
        timestamp: at.to_string(),
        signature: library.sign(secret, &at.to_string(), body).unwrap(),
        body: body.to_owned(),
    };
    let url = format!("{}/hooks/slack/interactions", daemon.url);
    let mut altered = signed(SIGNING_SECRET, now, &body);
    altered.body.push_str("&more=x");
    let refused = [
        ("of another secret", signed("another", now, &body)),
        ("ten minutes old", signed(SIGNING_SECRET, now - 600, &body)),
        (
            "of ten minutes from now",
            signed(SIGNING_SECRET, now + 600, &body),
        ),
        ("of another body", altered),
    ];
    for (what, request) in refused {
        let answered = request.send(&url).await.unwrap();
        assert_eq!(answered.status, 401, "{what}: {}", answered.body);
    }
    let incident = daemon.incident(1, |_| true).await.unwrap();
    assert_eq!(incident["acknowledged"], false, "{incident}");

    let answered = signed(SIGNING_SECRET, now, &body).send(&url).await.unwrap();
    assert_eq!(answered.status, 200, "{}", answered.body);
    let incident = daemon.incident(1, |_| true).await.unwrap();
    assert_eq!(incident["acknowledged"], true, "{incident}");
    assert_eq!(incident["operator"], "ada");
    daemon.end().await.unwrap();
}
