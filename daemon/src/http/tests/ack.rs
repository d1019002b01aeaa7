use std::sync::Arc;

use serde_json::json;
use tocsin_core::PersonId;
use tocsin_core::incident::Incident;

use super::rig::{NOW, Rig, request, test_app};
use crate::auth::{AckTarget, Scope, ack_links::ACK_VALID_MS};

async fn incident(rig: &Rig, title: &str) -> Arc<Incident> {
    let token = rig.person(Scope::Respond, "ada").await;
    let opened = rig
        .post("/api/v1/incidents", &token, &json!({ "title": title }))
        .await;
    let number = opened.is(201).json()["number"].as_u64().unwrap();
    now(rig, number)
}

fn now(rig: &Rig, number: u64) -> Arc<Incident> {
    let state = rig.app.view.incident_of_number(number).unwrap();
    Arc::clone(&state.unwrap().incident)
}

fn link(rig: &Rig, incident: &Incident, person: &str) -> String {
    link_of(rig, incident, person, "mail")
}

fn link_of(rig: &Rig, incident: &Incident, person: &str, via: &str) -> String {
    let (of, to) = (AckTarget::page(incident, 1), PersonId::from(person));
    let link = rig.app.ack_links.link(of, &to, via, NOW);
    link[link.find("/ack/").unwrap()..].to_owned()
}

#[tokio::test]
async fn getting_a_link_does_nothing_and_posting_it_acknowledges() {
    let rig = test_app().await;
    let incident = incident(&rig, "<b>down</b> & out").await;
    let path = link(&rig, &incident, "bob");
    let before = incident.version;
    for _ in 0..2 {
        let page = rig.get(&path, "").await.is(200);
        assert!(
            page.text.contains("<form method=\"post\">"),
            "{}",
            page.text
        );
        assert!(
            page.text.contains("&lt;b&gt;down&lt;/b&gt; &amp; out"),
            "{}",
            page.text
        );
        assert!(
            page.header("content-security-policy")
                .contains("default-src 'none'")
        );
    }
    assert_eq!(now(&rig, 1).version, before, "GET changed nothing");
    rig.ask(request("POST", &path, "", Vec::new()))
        .await
        .is(200);
    let after = now(&rig, 1);
    assert!(after.lifecycle.acknowledged_at.is_some());
    assert_eq!(after.roles.operator, Some(PersonId::from("bob")));
    rig.ask(request("POST", &path, "", Vec::new()))
        .await
        .is(200);
}

#[tokio::test]
async fn an_acknowledgement_by_a_link_names_the_channel_that_showed_it() {
    let rig = test_app().await;
    let incident = incident(&rig, "down").await;
    let path = link_of(&rig, &incident, "bob", "ntfy");
    rig.ask(request("POST", &path, "", Vec::new()))
        .await
        .is(200);
    let token = rig.token(Scope::Read).await;
    let log = rig.get("/api/v1/incidents/1", &token).await.is(200);
    assert!(log.text.contains("through ntfy"), "{}", log.text);
}

#[tokio::test]
async fn the_page_says_what_the_page_by_mail_says_in_the_persons_zone() {
    let rig = test_app().await;
    let incident = incident(&rig, "down").await;
    for (person, since) in [("ada", "13:10 (just now)"), ("bob", "12:10 UTC (just now)")] {
        let shown = rig.get(&link(&rig, &incident, person), "").await.is(200);
        let fact = format!("<dt>Since</dt><dd>{since}</dd>");
        assert!(shown.text.contains(&fact), "{}", shown.text);
        assert!(shown.text.contains("It is not acknowledged yet."));
    }
}

#[tokio::test]
async fn a_link_that_is_forged_truncated_or_expired_acknowledges_nothing() {
    let rig = test_app().await;
    let incident = incident(&rig, "down").await;
    let good = link(&rig, &incident, "bob");
    let (claim, mac) = good.split_once('.').unwrap();
    let forged = format!("{claim}.{}", "A".repeat(mac.len()));
    for (path, status) in [(forged.as_str(), 403), (claim, 400), ("/ack/x", 400)] {
        for method in ["GET", "POST"] {
            rig.ask(request(method, path, "", Vec::new()))
                .await
                .is(status);
        }
    }
    rig.clock.set(NOW.plus_ms(72 * 3_600_000));
    let old = rig
        .ask(request("POST", &good, "", Vec::new()))
        .await
        .is(410);
    assert!(old.text.contains("expired"), "{}", old.text);
    assert!(now(&rig, 1).lifecycle.acknowledged_at.is_none());
}

#[tokio::test]
async fn a_link_acknowledges_for_12_hours_and_no_longer() {
    assert_eq!(ACK_VALID_MS, 12 * 3_600_000);
    let rig = test_app().await;
    let incident = incident(&rig, "down").await;
    let path = link(&rig, &incident, "bob");
    rig.clock.set(NOW.plus_ms(ACK_VALID_MS - 1));
    rig.get(&path, "").await.is(200);
    rig.clock.set(NOW.plus_ms(ACK_VALID_MS));
    rig.get(&path, "").await.is(410);
}

#[tokio::test]
async fn the_page_hides_a_security_incidents_title_without_clearance() {
    let rig = test_app().await;
    let incident = incident(&rig, "keys leaked").await;
    let ada = rig.person(Scope::Respond, "ada").await;
    let flag = json!({
        "action": "grade", "grade": "critical", "security": true, "reason": "so it is",
    });
    rig.post("/api/v1/incidents/1/actions", &ada, &flag)
        .await
        .is(200);
    let bobs = rig.get(&link(&rig, &incident, "bob"), "").await.is(200);
    assert!(!bobs.text.contains("leaked"), "{}", bobs.text);
    let adas = rig.get(&link(&rig, &incident, "ada"), "").await.is(200);
    assert!(adas.text.contains("keys leaked"), "{}", adas.text);
}

#[tokio::test]
async fn a_link_to_a_resolved_incident_says_so() {
    let rig = test_app().await;
    let incident = incident(&rig, "down").await;
    let token = rig.token(Scope::Respond).await;
    let resolve = json!({ "action": "resolve" });
    rig.post("/api/v1/incidents/1/actions", &token, &resolve)
        .await
        .is(200);
    let path = link(&rig, &incident, "bob");
    let page = rig.get(&path, "").await.is(200);
    assert!(page.text.contains("already resolved"), "{}", page.text);
    assert!(!page.text.contains("<form"), "{}", page.text);
}
