//! Alerts in the API: listed, shown with their incident and silences, and ended by hand.

use serde_json::{Value, json};

use super::api::act;
use super::rig::{app_with_policies, test_app};
use crate::auth::Scope;

#[tokio::test]
async fn an_alert_names_its_incident() {
    let rig = test_app().await;
    let sender = rig.sender("any").await;
    for title in ["one", "two"] {
        rig.post("/ingest/any", &sender, &json!({ "title": title }))
            .await
            .is(202);
    }
    let token = rig.token(Scope::Read).await;
    let first = rig
        .get("/api/v1/alerts?limit=1", &token)
        .await
        .is(200)
        .json();
    assert_eq!(first["alerts"][0]["incident"], 1);
    let after = first["next_after"].as_str().unwrap();
    let rest = rig
        .get(&format!("/api/v1/alerts?after={after}"), &token)
        .await
        .is(200)
        .json();
    assert_eq!(rest["alerts"].as_array().unwrap().len(), 1);
    let ended = rig
        .get("/api/v1/alerts?firing=false", &token)
        .await
        .is(200)
        .json();
    assert_eq!(ended["alerts"], json!([]));
}

#[tokio::test]
async fn an_alert_is_shown_with_its_place_by_the_listed_fingerprint() {
    let rig = test_app().await;
    let (sender, token) = (rig.sender("any").await, rig.token(Scope::Read).await);
    let sent = json!({ "title": "down", "fingerprint": "disk/1" });
    for _ in 0..2 {
        rig.post("/ingest/any", &sender, &sent).await.is(202);
    }
    let list = rig.get("/api/v1/alerts", &token).await.is(200).json();
    let line = list["alerts"][0].as_object().unwrap();
    assert_eq!(line["fingerprint"], "disk/1");
    let path = "/api/v1/alerts/any/disk%2F1";
    let shown = rig.get(path, &token).await.is(200).json();
    for (name, value) in line {
        assert_eq!(&shown[name], value, "{name}");
    }
    assert_eq!(
        (&shown["incident"], &shown["repeats"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(shown["first_seen"], line["last_seen"]);
    let other = rig.get("/api/v1/alerts/am/disk%2F1", &token).await.is(404);
    assert!(other.text.contains("tocsin alert list"), "{}", other.text);
}

#[tokio::test]
async fn an_alert_of_a_security_incident_is_not_found_without_clearance() {
    let rig = test_app().await;
    let (sender, ada) = (
        rig.sender("any").await,
        rig.person(Scope::Respond, "ada").await,
    );
    let sent = json!({ "title": "keys leaked", "fingerprint": "f" });
    rig.post("/ingest/any", &sender, &sent).await.is(202);
    let flag = json!({
        "action": "grade", "grade": "critical", "security": true, "reason": "keys",
    });
    act(&rig, &ada, "1", flag).await.is(200);
    let bob = rig.person(Scope::Respond, "bob").await;
    rig.get("/api/v1/alerts/any/f", &ada).await.is(200);
    let end = "/api/v1/alerts/any/f/resolve";
    rig.post(end, &bob, &json!({})).await.is(404);
    let hidden = rig.get("/api/v1/alerts/any/f", &bob).await.is(404);
    let absent = rig.get("/api/v1/alerts/any/g", &bob).await.is(404);
    assert!(!hidden.text.contains("leaked"), "{}", hidden.text);
    assert_eq!(hidden.json()["detail"], absent.json()["detail"]);
}

#[tokio::test]
async fn an_alert_is_ended_by_hand_and_its_incident_says_by_whom() {
    let rig = test_app().await;
    let (sender, ada) = (
        rig.sender("any").await,
        rig.person(Scope::Respond, "ada").await,
    );
    let sent = json!({ "title": "down", "fingerprint": "disk/1" });
    rig.post("/ingest/any", &sender, &sent).await.is(202);
    let path = "/api/v1/alerts/any/disk%2F1";
    let end = format!("{path}/resolve");
    let ended = rig.post(&end, &ada, &json!({ "reason": "replaced" })).await;
    let ended = ended.is(200).json();
    assert_eq!(ended["reply"], "the alert `down` is over");
    assert_eq!(ended["number"], 1);
    let shown = rig.get(path, &ada).await.is(200).json();
    assert_eq!(shown["firing"], false);
    let incident = rig.get("/api/v1/incidents/1", &ada).await.is(200).text;
    let said = "ada ended the alert `down`: replaced";
    assert!(incident.contains(said), "{incident}");
    let again = rig.post(&end, &ada, &json!({})).await.is(200).json();
    assert_eq!(again["reply"], "the alert `down` was already over");
    let unknown = "/api/v1/alerts/any/x/resolve";
    rig.post(unknown, &ada, &json!({})).await.is(404);
}

#[tokio::test]
async fn an_alert_whose_incident_somebody_resolved_says_so() {
    let rig = test_app().await;
    let (sender, ada) = (
        rig.sender("am").await,
        rig.person(Scope::Respond, "ada").await,
    );
    let sent = json!({ "status": "firing", "alerts": [{ "labels": { "alertname": "Down" } }] });
    rig.post("/ingest/am", &sender, &sent).await.is(202);
    act(&rig, &ada, "1", json!({ "action": "resolve" }))
        .await
        .is(200);
    let list = rig.get("/api/v1/alerts", &ada).await.is(200).json();
    let line = &list["alerts"][0];
    assert_eq!(line["firing"], true);
    assert_eq!(line["incident_status"], "resolved");
    let fingerprint = line["fingerprint"].as_str().unwrap();
    let path = format!("/api/v1/alerts/am/{fingerprint}");
    let shown = rig.get(&path, &ada).await.is(200).json();
    assert_eq!(shown["incident_resolved_by"], "ada");
    let incident = rig.get("/api/v1/incidents/1", &ada).await.is(200).json();
    assert_eq!(shown["incident_reopens_at"], incident["reopens_at"]);
    assert_ne!(incident["reopens_at"], Value::Null);
}

#[tokio::test]
async fn a_silenced_alert_names_its_silence() {
    let rig = test_app().await;
    let respond = rig.token(Scope::Respond).await;
    let silence = json!({
        "matchers": [{ "name": "service", "value": "shop", "isRegex": false }],
        "startsAt": "2026-01-31T12:10:00Z", "endsAt": "2026-02-28T12:10:00Z",
        "createdBy": "ada", "comment": "deployment",
    });
    let set = rig
        .post("/api/v2/silences", &respond, &silence)
        .await
        .is(200);
    let id = set.json()["silenceID"].clone();
    let sender = rig.sender("any").await;
    let sent = json!({ "title": "down", "fingerprint": "f", "labels": { "service": "shop" } });
    rig.post("/ingest/any", &sender, &sent).await.is(202);
    let shown = rig
        .get("/api/v1/alerts/any/f", &respond)
        .await
        .is(200)
        .json();
    assert_eq!(shown["place"], "silenced", "{shown}");
    assert_eq!(shown["silenced_by"], json!([id]));
    assert_eq!(shown["incident"], Value::Null);
}

#[tokio::test]
async fn an_incident_and_its_alerts_name_the_silences_that_match_them() {
    let rig = test_app().await;
    let sender = rig.sender("any").await;
    let sent = json!({ "title": "down", "fingerprint": "f", "labels": { "service": "shop" } });
    rig.post("/ingest/any", &sender, &sent).await.is(202);
    let ada = rig.person(Scope::Respond, "ada").await;
    let silence = json!({
        "matchers": [{ "name": "service", "value": "shop", "isRegex": false }],
        "startsAt": "2026-01-31T12:10:00Z", "endsAt": "2026-02-28T12:10:00Z",
        "createdBy": "ada", "comment": "deployment",
    });
    let set = rig.post("/api/v2/silences", &ada, &silence).await.is(200);
    let named = json!([{
        "id": set.json()["silenceID"], "created_by": "ada", "comment": "deployment",
        "ends_at": "2026-02-28T12:10:00.000Z",
    }]);
    let shown = async |path: &str| rig.get(path, &ada).await.is(200).json();
    let alert = shown("/api/v1/alerts/any/f").await;
    assert_eq!(alert["place"], "incident", "{alert}");
    assert_eq!(alert["silences"], named);
    let listed = shown("/api/v1/alerts").await;
    assert_eq!(listed["alerts"][0]["silenced_by"], json!([named[0]["id"]]));
    // The sweep tells the incident.
    rig.app.due.turn().await.unwrap();
    let incident = shown("/api/v1/incidents/1").await;
    assert_eq!(incident["paused"], true, "{incident}");
    assert_eq!(incident["silences"], named);
    assert_eq!(
        incident["alerts"],
        json!({ "total": 1, "firing": 1, "silenced": 1 })
    );
    assert_eq!(incident["next_escalation_at"], Value::Null);
    let flag = json!({
        "action": "grade", "grade": "major", "security": true, "reason": "it may be an intruder",
    });
    act(&rig, &ada, "1", flag).await.is(200);
    let bob = rig.person(Scope::Respond, "bob").await;
    let hidden = rig.get("/api/v1/incidents/1", &bob).await.is(200);
    assert!(!hidden.text.contains("deployment"), "{}", hidden.text);
}

#[tokio::test]
async fn an_alert_that_is_ignored_or_waits_says_why() {
    let rig = app_with_policies().await;
    let (sender, read) = (rig.sender("any").await, rig.token(Scope::Read).await);
    let labels = [
        ("quiet", json!({ "service": "shop", "severity": "info" })),
        (
            "flaps",
            json!({ "service": "shop", "severity": "warning", "flapping": "true" }),
        ),
    ];
    for (fingerprint, labels) in labels {
        let sent = json!({ "title": "slow", "fingerprint": fingerprint, "labels": labels });
        rig.post("/ingest/any", &sender, &sent).await.is(202);
    }
    let shown = rig
        .get("/api/v1/alerts/any/quiet", &read)
        .await
        .is(200)
        .json();
    assert_eq!(shown["place"], "ignored", "{shown}");
    assert_eq!(shown["ignored_because"], "severity info needs no action");
    assert_eq!(shown["waiting_for"], Value::Null);
    let shown = rig
        .get("/api/v1/alerts/any/flaps", &read)
        .await
        .is(200)
        .json();
    assert_eq!(shown["place"], "waiting", "{shown}");
    assert_eq!(shown["waiting_for"], "shop");
    assert_eq!(shown["ignored_because"], Value::Null);
    assert_eq!(rig.open_incidents(), 0);
}
