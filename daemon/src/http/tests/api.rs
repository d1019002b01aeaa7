use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::rig::{Answer, NOW, Rig, app_with_policies, request, test_app};
use crate::auth::Scope;

async fn opened(rig: &Rig, title: &str) -> String {
    let token = rig.token(Scope::Respond).await;
    let answer = rig
        .post("/api/v1/incidents", &token, &json!({ "title": title }))
        .await;
    answer.is(201).json()["number"].to_string()
}

pub(super) async fn act(rig: &Rig, token: &str, number: &str, action: Value) -> Answer {
    let path = format!("/api/v1/incidents/{number}/actions");
    rig.post(&path, token, &action).await
}

#[tokio::test]
async fn an_incident_opened_by_hand_can_be_shown_acknowledged_and_resolved() {
    let rig = test_app().await;
    let number = opened(&rig, "the shop is slow").await;
    let ada = rig.person(Scope::Respond, "ada").await;
    let acked = act(&rig, &ada, &number, json!({ "action": "ack" }))
        .await
        .is(200)
        .json();
    assert_eq!(acked["repeated"], false);
    let path = format!("/api/v1/incidents/{number}");
    let shown = rig.get(&path, &ada).await.is(200).json();
    assert_eq!(shown["title"], "the shop is slow");
    assert_eq!(shown["operator"], "ada");
    assert_eq!(shown["hold"]["stage"], "holds", "{shown}");
    let last = shown["timeline"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(last["by_kind"], "person");
    let says = |it: &Value| it["text"].as_str().unwrap().contains("ada acknowledged");
    assert!(
        shown["timeline"].as_array().unwrap().iter().any(says),
        "{shown}"
    );
    act(
        &rig,
        &ada,
        &number,
        json!({ "action": "resolve", "reason": "it is fast" }),
    )
    .await
    .is(200);
    let resolved = rig.get(&path, &ada).await.is(200).json();
    assert_eq!(resolved["hold"], Value::Null, "{resolved}");
    let late = act(&rig, &ada, &number, json!({ "action": "mitigate" }))
        .await
        .is(409)
        .json();
    assert_eq!(late["incident_status"], "resolved", "{late}");
}

#[tokio::test]
async fn a_token_without_a_person_acts_under_its_own_name() {
    let rig = test_app().await;
    let number = opened(&rig, "down").await;
    let token = rig.token(Scope::Respond).await;
    act(&rig, &token, &number, json!({ "action": "ack" }))
        .await
        .is(200);
    let shown = rig
        .get(&format!("/api/v1/incidents/{number}"), &token)
        .await
        .is(200)
        .json();
    assert_eq!(shown["acknowledged"], true);
    assert_eq!(shown["operator"], Value::Null, "nobody is the operator");
}

#[tokio::test]
async fn a_request_with_an_idempotency_key_is_carried_out_once() {
    let rig = test_app().await;
    let token = rig.token(Scope::Respond).await;
    let send = || {
        Request::post("/api/v1/incidents")
            .header("authorization", format!("Bearer {token}"))
            .header("idempotency-key", "8e03978e")
            .body(Body::from(json!({ "title": "down" }).to_string()))
            .unwrap()
    };
    let first = rig.ask(send()).await.is(201).json();
    let again = rig.ask(send()).await.is(200).json();
    assert_eq!(again["repeated"], true);
    assert_eq!(again["number"], first["number"]);
    assert_eq!(rig.open_incidents(), 1);
}

#[tokio::test]
async fn incidents_are_listed_newest_first_in_pages() {
    let rig = test_app().await;
    for title in ["one", "two", "three"] {
        opened(&rig, title).await;
    }
    let token = rig.token(Scope::Respond).await;
    act(&rig, &token, "2", json!({ "action": "resolve" }))
        .await
        .is(200);
    let numbers = |list: &Value| -> Vec<u64> {
        let lines = list["incidents"].as_array().unwrap();
        lines
            .iter()
            .map(|it| it["number"].as_u64().unwrap())
            .collect()
    };
    let first = rig
        .get("/api/v1/incidents?limit=2", &token)
        .await
        .is(200)
        .json();
    assert_eq!(numbers(&first), [3, 2]);
    assert_eq!(first["next_before"], 2);
    let rest = rig
        .get("/api/v1/incidents?limit=2&before=2", &token)
        .await
        .is(200)
        .json();
    assert_eq!(
        (numbers(&rest), &rest["next_before"]),
        (vec![1], &Value::Null)
    );
    let open = rig
        .get("/api/v1/incidents?status=open", &token)
        .await
        .is(200)
        .json();
    assert_eq!(numbers(&open), [3, 1]);
    rig.get("/api/v1/incidents?status=lost", &token)
        .await
        .is(400);
    rig.get("/api/v1/incidents/99", &token).await.is(404);
}

#[tokio::test]
async fn decisions_name_the_policy_its_line_and_what_it_read() {
    let rig = app_with_policies().await;
    let sender = rig.sender("any").await;
    let sent = json!({ "title": "down", "fingerprint": "f" });
    rig.post("/ingest/any", &sender, &sent).await.is(202);
    let token = rig.token(Scope::Read).await;
    let path = "/api/v1/incidents/1/decisions";
    let answer = rig.get(path, &token).await.is(200).json();
    let found = answer["decisions"].as_array().unwrap();
    let abouts: Vec<_> = found
        .iter()
        .map(|it| it["about"].as_str().unwrap())
        .collect();
    assert_eq!(abouts, ["route", "grade", "plan"]);
    for (decision, file) in found.iter().zip(["routing.rhai", "grading.rhai"]) {
        let policy = &decision["policy"];
        assert_eq!(policy["file"], file);
        assert!(policy["line"].is_u64() && policy["hash"].as_str().unwrap().len() == 16);
        assert!(!policy["read"].as_array().unwrap().is_empty(), "{decision}");
        assert!(
            !decision["reason"].as_str().unwrap().is_empty(),
            "{decision}"
        );
    }
    rig.get("/api/v1/incidents/99/decisions", &token)
        .await
        .is(404);
}

#[tokio::test]
async fn a_security_incident_shows_no_text_without_clearance() {
    let rig = test_app().await;
    let (ada, bob) = (
        rig.person(Scope::Respond, "ada").await,
        rig.person(Scope::Respond, "bob").await,
    );
    let draft = json!({ "title": "keys leaked", "service": "vault" });
    let made = rig.post("/api/v1/incidents", &ada, &draft).await.is(201);
    let number = made.json()["number"].to_string();
    let reason = "keys leaked";
    let flag = |on| {
        json!({
            "action": "grade", "grade": "critical", "security": on, "reason": reason,
        })
    };
    act(&rig, &ada, &number, flag(true)).await.is(200);
    for path in ["/api/v1/incidents", "/api/v1/incidents/1"] {
        let bobs = rig.get(path, &bob).await.is(200);
        for secret in ["leaked", "vault"] {
            assert!(!bobs.text.contains(secret), "{path}: {}", bobs.text);
        }
        assert!(
            bobs.text.contains("Security incident"),
            "{path}: {}",
            bobs.text
        );
        let adas = rig.get(path, &ada).await.is(200);
        assert!(adas.text.contains("keys leaked"), "{path}: {}", adas.text);
    }
    let path = "/api/v1/incidents/1/decisions";
    let bobs = rig.get(path, &bob).await.is(200).json();
    assert_eq!(bobs, json!({ "decisions": [] }));
    let adas = rig.get(path, &ada).await.is(200);
    assert!(adas.text.contains("keys leaked"), "{}", adas.text);
    act(&rig, &bob, &number, flag(false)).await.is(403);
}

#[tokio::test]
async fn bad_actions_and_drafts_are_refused_with_a_reason() {
    let rig = test_app().await;
    let number = opened(&rig, "down").await;
    let token = rig.token(Scope::Respond).await;
    act(&rig, &token, &number, json!({ "action": "dance" }))
        .await
        .is(400);
    act(&rig, &token, "99", json!({ "action": "ack" }))
        .await
        .is(404);
    let empty = json!({ "action": "log", "body": " " });
    act(&rig, &token, &number, empty).await.is(422);
    for draft in [
        json!({ "title": "" }),
        json!({ "title": "x", "team": "nobody" }),
    ] {
        rig.post("/api/v1/incidents", &token, &draft).await.is(422);
    }
    assert_eq!(rig.open_incidents(), 1);
}

#[tokio::test]
async fn tokens_are_created_shown_once_and_revoked() {
    let rig = test_app().await;
    let admin = rig.token(Scope::Admin).await;
    let wanted = json!({ "name": "ada's", "scope": "respond", "person": "ada" });
    let made = rig
        .post("/api/v1/tokens", &admin, &wanted)
        .await
        .is(201)
        .json();
    let token = made["token"].as_str().unwrap();
    rig.get("/api/v1/incidents", token).await.is(200);
    let listed = rig.get("/api/v1/tokens", &admin).await.is(200);
    assert!(!listed.text.contains(token), "a token is never shown again");
    assert_eq!(listed.json()["tokens"][1]["person"], "ada");
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    rig.ask(request("DELETE", &path, &admin, Vec::new()))
        .await
        .is(204);
    rig.get("/api/v1/incidents", token).await.is(401);
    rig.ask(request("DELETE", &path, &admin, Vec::new()))
        .await
        .is(404);
    let own = listed.json()["tokens"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/tokens/{own}");
    rig.ask(request("DELETE", &path, &admin, Vec::new()))
        .await
        .is(409);
    for bad in [
        json!({ "name": "", "scope": "read" }),
        json!({ "name": "x", "scope": "ingest" }),
        json!({ "name": "x", "scope": "ingest", "integration": "nobody" }),
        json!({ "name": "x", "scope": "read", "integration": "am" }),
        json!({ "name": "x", "scope": "read", "person": "nobody" }),
    ] {
        rig.post("/api/v1/tokens", &admin, &bad).await.is(422);
    }
}

#[tokio::test]
async fn only_the_first_start_creates_an_admin_token() {
    let rig = test_app().await;
    let (tokens, config) = (&rig.app.tokens, &rig.app.config);
    let first = || tokens.create_first_admin(config, NOW, &rig.app.writer);
    let token = first().await.unwrap().unwrap();
    rig.get("/api/v1/tokens", token.reveal()).await.is(200);
    assert!(first().await.unwrap().is_none());
    let kept = crate::runtime::Tokens::load(rig.store.clone()).unwrap();
    assert!(kept.find(&token).is_some(), "it survives a restart");
}

#[tokio::test]
async fn on_call_plugins_and_policies_can_be_queried() {
    let rig = test_app().await;
    let token = rig.token(Scope::Read).await;
    let oncall = rig.get("/api/v1/oncall", &token).await.is(200).json();
    let rotation = &oncall["rotations"][0];
    assert_eq!(
        rotation["now"],
        json!([{ "person": "bob", "name": "Bob" }]),
        "{oncall}"
    );
    assert_eq!(rotation["next_handover"], "2026-02-02T08:00:00.000Z");
    let plugins = rig.get("/api/v1/plugins", &token).await.is(200).json();
    assert_eq!(plugins, json!({ "plugins": [], "faults": [] }));
    let policies = rig.get("/api/v1/policies", &token).await.is(200).json();
    assert_eq!(policies["hash"], Value::Null);
    assert!(
        !policies["faults"].as_array().unwrap().is_empty(),
        "{policies}"
    );
}

#[tokio::test]
async fn gauges_are_updated_when_metrics_are_read() {
    let rig = test_app().await;
    opened(&rig, "down").await;
    let token = rig.token(Scope::Read).await;
    let text = rig.get("/metrics", &token).await.is(200).text;
    assert!(text.contains("tocsin_incidents_active 1"), "{text}");
    assert!(text.contains("route=\"/api/v1/incidents\""), "{text}");
    assert!(text.trim_end().ends_with("# EOF"), "{text}");
}
