use serde_json::{Value, json};

use super::rig::{Rig, request, test_app};
use crate::auth::Scope;

fn alert(name: &str) -> Value {
    json!({
        "labels": { "alertname": name, "severity": "critical" },
        "annotations": { "summary": "it is down" },
        "startsAt": "2026-01-31T12:00:00Z",
        "endsAt": "2026-01-31T12:14:00Z",
        "generatorURL": "http://prometheus.example.com/graph",
    })
}

fn silence(name: &str) -> Value {
    json!({
        "matchers": [{ "name": "alertname", "value": name, "isRegex": false }],
        "startsAt": "2026-01-31T12:10:00Z",
        "endsAt": "2026-01-31T14:10:00Z",
        "createdBy": "ada",
        "comment": "we are at it",
    })
}

async fn post_alerts(rig: &Rig, alerts: &Value) -> super::rig::Answer {
    let token = rig.sender("prometheus").await;
    rig.post("/api/v2/alerts", &token, alerts).await
}

#[tokio::test]
async fn an_alert_from_prometheus_opens_an_incident_and_is_listed_until_it_resolves() {
    let rig = test_app().await;
    let sent = post_alerts(&rig, &json!([alert("Down")])).await.is(200);
    assert_eq!(sent.text, "");
    assert_eq!(rig.open_incidents(), 1);
    let read = rig.token(Scope::Read).await;
    let shown = rig.get("/api/v2/alerts", &read).await.is(200).json();
    let [one] = shown.as_array().unwrap().as_slice() else {
        panic!("one alert: {shown}");
    };
    assert_eq!(one["labels"]["alertname"], "Down");
    assert_eq!(one["status"]["state"], "active");
    assert_eq!(one["receivers"], json!([{ "name": "tocsin" }]));
    let none = rig
        .get("/api/v2/alerts?filter=alertname%3D%22Up%22", &read)
        .await;
    assert_eq!(none.is(200).json(), json!([]));
    let groups = rig.get("/api/v2/alerts/groups", &read).await.is(200).json();
    assert_eq!(groups[0]["labels"], json!({ "alertname": "Down" }));
    let mut ended = alert("Down");
    ended["endsAt"] = "2026-01-31T12:09:00Z".into();
    post_alerts(&rig, &json!([ended])).await.is(200);
    let shown = rig.get("/api/v2/alerts", &read).await.is(200).json();
    assert_eq!(shown, json!([]));
}

#[tokio::test]
async fn the_good_alerts_of_a_batch_are_accepted_although_the_answer_is_400() {
    let rig = test_app().await;
    let answer = post_alerts(&rig, &json!([{ "labels": {} }, alert("Down")]))
        .await
        .is(400);
    assert!(
        answer.json().is_string(),
        "an error is a JSON string: {}",
        answer.text
    );
    assert_eq!(rig.open_incidents(), 1);
}

#[tokio::test]
async fn the_senders_own_token_may_read_but_not_create_silences() {
    let rig = test_app().await;
    let own = rig.sender("prometheus").await;
    for path in ["alerts", "alerts/groups", "status", "receivers", "silences"] {
        rig.get(&format!("/api/v2/{path}"), &own).await.is(200);
    }
    let refused = rig
        .post("/api/v2/silences", &own, &silence("Down"))
        .await
        .is(403);
    assert!(refused.text.contains("respond"), "{}", refused.text);
    assert!(rig.app.silences.all().is_empty());
    let bad = rig.get("/api/v2/alerts?active=perhaps", &own).await.is(400);
    assert!(bad.json().is_string());
}

#[tokio::test]
async fn a_silence_suppresses_an_alert_until_it_expires() {
    let rig = test_app().await;
    let token = rig.person(Scope::Respond, "ada").await;
    let set = rig
        .post("/api/v2/silences", &token, &silence("Down"))
        .await
        .is(200)
        .json();
    let id = set["silenceID"].as_str().unwrap();
    post_alerts(&rig, &json!([alert("Down")])).await.is(200);
    assert_eq!(rig.open_incidents(), 0, "it is silenced");
    let shown = rig.get("/api/v2/alerts", &token).await.is(200).json();
    assert_eq!(shown[0]["status"]["state"], "suppressed");
    assert_eq!(shown[0]["status"]["silencedBy"], json!([id]));
    let path = format!("/api/v2/silence/{id}");
    let one = rig.get(&path, &token).await.is(200).json();
    assert_eq!(one["status"]["state"], "active");
    rig.ask(request("DELETE", &path, &token, Vec::new()))
        .await
        .is(200);
    let listed = rig.get("/api/v2/silences", &token).await.is(200).json();
    assert_eq!(listed[0]["status"]["state"], "expired");
    rig.get("/api/v2/silence/none", &token).await.is(404);
    let wrong = json!({ "matchers": [] });
    let refused = rig.post("/api/v2/silences", &token, &wrong).await.is(400);
    assert!(refused.json().is_string());
}

#[tokio::test]
async fn a_silence_suppresses_an_alert_that_is_in_an_incident_at_once() {
    let rig = test_app().await;
    post_alerts(&rig, &json!([alert("Down"), alert("Up")]))
        .await
        .is(200);
    let token = rig.person(Scope::Respond, "ada").await;
    let set = rig.post("/api/v2/silences", &token, &silence("Down")).await;
    let id = set.is(200).json()["silenceID"].clone();
    let names = async |query: &str| {
        let path = format!("/api/v2/alerts?{query}");
        let shown = rig.get(&path, &token).await.is(200).json();
        let names = shown.as_array().unwrap().iter();
        let names = names.map(|it| it["labels"]["alertname"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), shown)
    };
    let (found, shown) = names("filter=alertname%3D%22Down%22").await;
    assert_eq!(found, ["Down"]);
    assert_eq!(shown[0]["status"]["state"], "suppressed");
    assert_eq!(shown[0]["status"]["silencedBy"], json!([id]));
    assert_eq!(names("silenced=false").await.0, ["Up"]);
    assert_eq!(names("active=false").await.0, ["Down"]);
    assert_eq!(names("active=false&silenced=false").await.0, [""; 0]);
    let path = format!("/api/v2/silence/{}", id.as_str().unwrap());
    let ended = rig.ask(request("DELETE", &path, &token, Vec::new())).await;
    ended.is(200);
    let (found, shown) = names("silenced=false").await;
    assert_eq!(found.len(), 2);
    assert_eq!(shown[0]["status"]["state"], "active");
}

#[tokio::test]
async fn a_silence_says_what_it_has_hidden_and_whether_it_hides_too_much() {
    let rig = test_app().await;
    post_alerts(&rig, &json!([alert("Down")])).await.is(200);
    let token = rig.person(Scope::Respond, "ada").await;
    let set = rig.post("/api/v2/silences", &token, &silence("Down")).await;
    assert_eq!(
        set.is(200).json().as_object().unwrap().len(),
        1,
        "no warning"
    );
    // It pauses an incident, and holds back an alert.
    rig.app.due.turn().await.unwrap();
    let mut other = alert("Down");
    other["labels"]["instance"] = "b".into();
    post_alerts(&rig, &json!([other])).await.is(200);
    let listed = rig.get("/api/v2/silences", &token).await.is(200).json();
    assert_eq!(listed[0]["hid"], json!({ "alerts": 2, "pauses": 1 }));
    let path = format!("/api/v2/silence/{}", listed[0]["id"].as_str().unwrap());
    let shown = rig.get(&path, &token).await.is(200).json();
    assert_eq!(shown["hid"], listed[0]["hid"]);

    let mut wide = silence(".+");
    wide["matchers"][0]["isRegex"] = true.into();
    wide["endsAt"] = "2027-01-31T14:10:00Z".into();
    let set = rig.post("/api/v2/silences", &token, &wide).await;
    let warnings = set.is(200).json()["warnings"].to_string();
    assert!(warnings.contains("it lasts 366 days"), "{warnings}");
    assert!(warnings.contains("nearly every alert"), "{warnings}");
    let read = rig.token(Scope::Read).await;
    let health = rig.get("/api/v1/doctor", &read).await.is(200).text;
    assert!(health.contains("2 hide too much"), "{health}");
}
