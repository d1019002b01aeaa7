//! How an alert changed, in the API.

use serde_json::{Value, json};
use tocsin_core::time::{HOUR_MS, MINUTE_MS};

use super::api::act;
use super::rig::{Rig, app_with_policies, test_app};
use crate::auth::Scope;

const PATH: &str = "/api/v1/alerts/any/f/history";

fn changes(history: &Value) -> Vec<(&str, &str, &Value)> {
    let changes = history["changes"].as_array().unwrap().iter();
    changes
        .map(|it| {
            let (change, title) = (it["change"].as_str(), it["title"].as_str());
            (change.unwrap(), title.unwrap(), &it["incident"])
        })
        .collect()
}

fn pass(rig: &Rig, ms: u64) {
    rig.clock.set(rig.app.clock.now().plus_ms(ms));
}

#[tokio::test]
async fn the_history_of_an_alert_shows_its_changes_the_newest_first_and_no_repeats() {
    let rig = test_app().await;
    let (sender, read) = (rig.sender("any").await, rig.token(Scope::Read).await);
    rig.get(PATH, &read).await.is(404);
    for (title, status) in [
        ("slow", "firing"),
        ("slow", "firing"),
        ("down", "firing"),
        ("down", "resolved"),
    ] {
        pass(&rig, MINUTE_MS);
        let sent = json!({ "title": title, "fingerprint": "f", "status": status });
        rig.post("/ingest/any", &sender, &sent).await.is(202);
    }
    let history = rig.get(PATH, &read).await.is(200).json();
    let expected = [
        ("ended", "down", &json!(1)),
        ("changed", "down", &json!(1)),
        ("began", "slow", &json!(1)),
    ];
    assert_eq!(changes(&history), expected);
    assert_eq!(history["next_before"], Value::Null);
    assert_eq!(history["changes"][2]["at"], "2026-01-31T12:11:00.000Z");
    let (mut paged, mut before) = (Vec::new(), String::new());
    for _ in 0..3 {
        let path = format!("{PATH}?limit=1{before}");
        let page = rig.get(&path, &read).await.is(200).json();
        paged.extend(page["changes"].as_array().unwrap().clone());
        before = format!("&before={}", page["next_before"]);
    }
    assert_eq!(json!(paged), history["changes"]);
    // Its row is forgotten, and its history is not.
    pass(&rig, 3 * HOUR_MS);
    rig.app.due.turn().await.unwrap();
    rig.get("/api/v1/alerts/any/f", &read).await.is(404);
    let later = rig.get(PATH, &read).await.is(200).json();
    assert_eq!(later, history);
}

#[tokio::test]
async fn what_an_alert_said_before_it_entered_a_security_incident_needs_clearance_too() {
    let rig = app_with_policies().await;
    let ada = rig.person(Scope::Respond, "ada").await;
    let bob = rig.person(Scope::Respond, "bob").await;
    let sender = rig.sender("any").await;
    let say = async |title: &str, severity: &str, status: &str| {
        pass(&rig, MINUTE_MS);
        let labels = json!({ "service": "shop", "severity": severity });
        let sent = json!({
            "title": title, "fingerprint": "f", "labels": labels, "status": status,
        });
        rig.post("/ingest/any", &sender, &sent).await.is(202);
    };
    say("keys seen", "info", "firing").await;
    say("keys leaked", "critical", "firing").await;
    let flag = json!({
        "action": "grade", "grade": "critical", "security": true, "reason": "keys",
    });
    act(&rig, &ada, "1", flag).await.is(200);
    rig.get(PATH, &bob).await.is(404);
    say("keys leaked", "critical", "resolved").await;
    act(&rig, &ada, "1", json!({ "action": "resolve" }))
        .await
        .is(200);
    pass(&rig, 2 * HOUR_MS);
    say("the shop is slow", "info", "firing").await;
    let seen = rig.get(PATH, &bob).await.is(200).json();
    let shown = [("began", "the shop is slow", &Value::Null)];
    assert_eq!(changes(&seen), shown);
    let all = rig.get(PATH, &ada).await.is(200).json();
    let kinds: Vec<_> = changes(&all).iter().map(|it| it.0).collect();
    assert_eq!(kinds, ["began", "ended", "changed", "began"]);
    // From whichever change on.
    for change in all["changes"].as_array().unwrap() {
        let at = crate::time::parse_time(change["at"].as_str().unwrap());
        let before = at.flatten().unwrap().plus_ms(1);
        let path = format!("{PATH}?before={}", before.0);
        let page = rig.get(&path, &bob).await;
        assert!(!page.text.contains("keys"), "{}", page.text);
    }
}
