use serde_json::{Value, json};
use tocsin_core::Grade;

use super::rig::{app_with_policies, request, test_app};
use crate::auth::Scope;

const ALERTMANAGER: &[u8] =
    include_bytes!("../../../tests/fixtures/ingest/alertmanager/firing.json");
const GRAFANA: &[u8] = include_bytes!("../../../tests/fixtures/ingest/grafana/firing.json");
const KUMA: &[u8] = include_bytes!("../../../tests/fixtures/ingest/uptime-kuma/down.json");

#[tokio::test]
async fn each_webhook_format_opens_an_incident_and_a_repeat_opens_none() {
    let generic = json!({ "title": "disk full on db-1" }).to_string();
    for (integration, body) in [
        ("am", ALERTMANAGER),
        ("grafana", GRAFANA),
        ("kuma", KUMA),
        ("any", generic.as_bytes()),
    ] {
        let rig = test_app().await;
        let token = rig.sender(integration).await;
        let path = format!("/ingest/{integration}");
        let first = rig
            .ask(request("POST", &path, &token, body.to_vec()))
            .await
            .is(202)
            .json();
        assert_eq!(first["opened"], json!([1]), "{integration}: {first}");
        assert!(first["signals"].as_u64().unwrap() >= 1, "{integration}");
        let again = rig
            .ask(request("POST", &path, &token, body.to_vec()))
            .await
            .is(202)
            .json();
        assert_eq!(again["opened"], json!([]), "{integration}");
        assert_eq!(rig.open_incidents(), 1, "{integration}");
    }
}

#[tokio::test]
async fn one_bad_alert_of_three_does_not_affect_the_other_two() {
    let rig = test_app().await;
    let token = rig.sender("am").await;
    let mut body: Value = serde_json::from_slice(ALERTMANAGER).unwrap();
    let good = body["alerts"][0].clone();
    let mut other = good.clone();
    other["fingerprint"] = "00000000000000aa".into();
    other["labels"]["instance"] = "elsewhere".into();
    body["alerts"] = json!([good, "not an alert", other]);
    let answer = rig.post("/ingest/am", &token, &body).await.is(202).json();
    assert_eq!(answer["signals"], 2, "{answer}");
    assert_eq!(answer["rejected"][0]["index"], 1, "{answer}");
    assert_eq!(answer["rejected"][0]["pointer"], "/alerts/1", "{answer}");
}

#[tokio::test]
async fn a_body_without_a_good_alert_is_400_and_says_which_and_why() {
    let rig = test_app().await;
    let token = rig.sender("am").await;
    let mut body: Value = serde_json::from_slice(ALERTMANAGER).unwrap();
    body["alerts"] = json!([7]);
    let answer = rig.post("/ingest/am", &token, &body).await.is(400);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["status"], 400);
    assert_eq!(problem["rejected"][0]["pointer"], "/alerts/0");
    assert_eq!(rig.open_incidents(), 0);
}

#[tokio::test]
async fn an_alert_at_the_wrong_endpoint_is_answered_with_the_right_one() {
    let rig = test_app().await;
    for (integration, path) in [("prometheus", "/api/v2/alerts"), ("pd", "/v2/enqueue")] {
        let token = rig.sender(integration).await;
        let at = format!("/ingest/{integration}");
        let answer = rig.post(&at, &token, &json!({})).await.is(404);
        assert!(answer.text.contains(path), "{}", answer.text);
    }
    let admin = rig.token(Scope::Admin).await;
    rig.post("/ingest/nobody", &admin, &json!({})).await.is(404);
    let nowhere = rig.get("/api/v9", &admin).await.is(404);
    assert_eq!(nowhere.header("content-type"), "application/problem+json");
    let broken = rig.get("/api/v1/incidents/%ff", &admin).await.is(400);
    assert_eq!(broken.header("content-type"), "application/problem+json");
    let method = rig.get("/ingest/am", &admin).await.is(405);
    assert_eq!(method.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn the_tenth_firing_minor_alert_makes_an_incident_major() {
    let rig = app_with_policies().await;
    let token = rig.sender("any").await;
    for number in 1..=10 {
        let labels = json!({ "severity": "warning", "service": "shop", "instance": number });
        let alert = json!({ "title": "slow", "labels": labels });
        rig.post("/ingest/any", &token, &alert).await.is(202);
        let state = rig.app.view.incident_of_number(1).unwrap().unwrap();
        assert_eq!(state.tally.counts.firing, number);
        let wanted = if number < 10 {
            Grade::Minor
        } else {
            Grade::Major
        };
        assert_eq!(state.incident.grading.grade, wanted, "with {number} alerts");
    }
}
