use serde_json::json;
use tocsin_store::{Store as _, Table};

use super::rig::{request, test_app};
use crate::tokens::Scope;

/// Every route with the least scope that opens it; `None`: it needs no token of this kind.
const DOORS: &[(&str, &str, Option<Scope>)] = &[
    ("GET", "/healthz", None),
    ("GET", "/readyz", None),
    ("GET", "/ack/{token}", None),
    ("POST", "/ack/{token}", None),
    ("POST", "/hooks/{plugin}/{route}", None),
    ("POST", "/v2/enqueue", None),
    ("POST", "/v2/change/enqueue", None),
    ("GET", "/metrics", Some(Scope::Read)),
    ("GET", "/openapi.json", Some(Scope::Read)),
    ("POST", "/ingest/{integration}", Some(Scope::Ingest)),
    ("GET", "/api/v2/alerts", Some(Scope::Read)),
    ("POST", "/api/v2/alerts", Some(Scope::Ingest)),
    ("GET", "/api/v2/alerts/groups", Some(Scope::Read)),
    ("GET", "/api/v2/status", Some(Scope::Read)),
    ("GET", "/api/v2/receivers", Some(Scope::Read)),
    ("GET", "/api/v2/silences", Some(Scope::Read)),
    ("POST", "/api/v2/silences", Some(Scope::Respond)),
    ("GET", "/api/v2/silence/{id}", Some(Scope::Read)),
    ("DELETE", "/api/v2/silence/{id}", Some(Scope::Respond)),
    ("GET", "/api/v1/incidents", Some(Scope::Read)),
    ("POST", "/api/v1/incidents", Some(Scope::Respond)),
    ("GET", "/api/v1/incidents/{number}", Some(Scope::Read)),
    (
        "POST",
        "/api/v1/incidents/{number}/actions",
        Some(Scope::Respond),
    ),
    ("GET", "/api/v1/alerts", Some(Scope::Read)),
    ("GET", "/api/v1/oncall", Some(Scope::Read)),
    ("GET", "/api/v1/tokens", Some(Scope::Admin)),
    ("POST", "/api/v1/tokens", Some(Scope::Admin)),
    ("DELETE", "/api/v1/tokens/{id}", Some(Scope::Admin)),
    ("GET", "/api/v1/plugins", Some(Scope::Read)),
    ("GET", "/api/v1/policies", Some(Scope::Read)),
    ("GET", "/api/v1/doctor", Some(Scope::Read)),
];

/// A path that the route takes: `1` for a number, the integration `any`.
fn path(template: &str) -> String {
    let path = template
        .replace("{integration}", "any")
        .replace("{number}", "1");
    path.split('/')
        .map(|part| if part.starts_with('{') { "x" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// Bodies that would do something if they were read.
fn body(path: &str) -> Vec<u8> {
    let body = match path {
        "/ingest/any" => json!({ "title": "down" }),
        "/api/v2/alerts" => json!([{ "labels": { "alertname": "Down" } }]),
        "/api/v1/incidents" => json!({ "title": "down" }),
        "/api/v1/incidents/1/actions" => json!({ "action": "ack" }),
        "/api/v1/tokens" => json!({ "name": "mine", "scope": "admin" }),
        "/api/v2/silences" => json!({
            "matchers": [{ "name": "alertname", "value": "Down", "isRegex": false }],
            "startsAt": "2026-01-31T12:10:00Z", "endsAt": "2026-02-28T12:10:00Z",
            "createdBy": "mallory", "comment": "quiet",
        }),
        _ => return Vec::new(),
    };
    body.to_string().into_bytes()
}

#[test]
fn every_door_of_the_document_is_in_the_table_and_no_other() {
    let document = crate::http::openapi_json().unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = item.as_object().unwrap().keys();
        let methods = methods.filter(|it| ["get", "post", "delete"].contains(&it.as_str()));
        described.extend(methods.map(|it| (it.to_uppercase(), path.clone())));
    }
    let mut table: Vec<_> = DOORS
        .iter()
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    described.sort();
    table.sort();
    assert_eq!(table, described);
}

#[tokio::test]
async fn no_door_opens_without_a_token_that_is_known() {
    let rig = test_app().await;
    let revoked = rig.token(Scope::Admin).await;
    let _keeper = rig.token(Scope::Admin).await;
    let id = rig.app.tokens.list()[0].id.clone();
    rig.app.tokens.revoke(&id, &rig.app.writer).await.unwrap();
    for (method, template, scope) in DOORS {
        if scope.is_none() {
            continue;
        }
        let path = path(template);
        for token in ["", "hunter2", revoked.as_str()] {
            let answer = rig.ask(request(method, &path, token, body(&path))).await;
            assert_eq!(answer.status, 401, "{method} {path} with `{token}`");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
            assert!(!answer.text.contains("hunter2"), "{}", answer.text);
        }
    }
    nothing_was_done(&rig);
}

#[tokio::test]
async fn no_door_opens_to_a_lesser_scope_and_the_answer_names_the_one_it_needs() {
    let rig = test_app().await;
    let other = rig.sender("grafana").await;
    let read = rig.token(Scope::Read).await;
    let respond = rig.token(Scope::Respond).await;
    let tokens_before = rig.app.tokens.list().len();
    for (method, template, scope) in DOORS {
        let lesser: &[&str] = match scope {
            None => continue,
            Some(Scope::Ingest) => &[&other, &read, &respond],
            Some(Scope::Read) => &[&other],
            Some(Scope::Respond) => &[&other, &read],
            Some(Scope::Admin) => &[&other, &read, &respond],
        };
        let path = path(template);
        for token in lesser {
            let answer = rig.ask(request(method, &path, token, body(&path))).await;
            let wanted = scope.map(Scope::as_str).unwrap();
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text);
            assert!(
                answer.text.contains(wanted),
                "{method} {path}: {}",
                answer.text
            );
        }
    }
    assert_eq!(rig.app.tokens.list().len(), tokens_before);
    nothing_was_done(&rig);
}

#[tokio::test]
async fn every_door_knows_the_scope_that_opens_it() {
    let rig = test_app().await;
    for (method, template, scope) in DOORS {
        let token = match (*scope, *template) {
            (None, _) => String::new(),
            (Some(Scope::Ingest), "/api/v2/alerts") => rig.sender("prometheus").await,
            (Some(Scope::Ingest), _) => rig.sender("any").await,
            (Some(scope), _) => rig.token(scope).await,
        };
        let path = path(template);
        let answer = rig.ask(request(method, &path, &token, body(&path))).await;
        let status = answer.status.as_u16();
        let is_shut = status == 401 || status == 405 || status >= 500;
        let is_forged_link = template.starts_with("/ack/");
        assert!(!is_shut, "{method} {path}: {status} {}", answer.text);
        assert!(
            status != 403 || is_forged_link,
            "{method} {path}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_token_is_taken_wherever_a_sender_can_put_it() {
    let rig = test_app().await;
    let token = rig.token(Scope::Read).await;
    let basic = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("amtool:{token}"),
    );
    let plain = || axum::http::Request::builder().method("GET");
    let body = axum::body::Body::empty;
    let requests = [
        plain()
            .uri("/api/v2/status")
            .header("authorization", format!("Basic {basic}")),
        plain().uri("/api/v2/status").header("x-tocsin-key", &token),
        plain().uri(format!("/api/v2/status?key={token}")),
        plain().uri(format!("/api/v1/incidents?key={token}")),
    ];
    for request in requests {
        let answer = rig.ask(request.body(body()).unwrap()).await.is(200);
        assert!(!answer.header("x-request-id").is_empty());
    }
}

#[tokio::test]
async fn a_person_who_left_takes_their_tokens_with_them() {
    let rig = test_app().await;
    let token = rig.person(Scope::Respond, "bob").await;
    let mut config = rig.app.config.as_ref().clone();
    config.people.remove("bob");
    let ingredients = crate::app::Ingredients {
        clock: rig.clock.clone(),
        store: rig.store.clone(),
        cache: None,
        policies_kept: None,
        ack_key: crate::ack_links::fresh_key().unwrap(),
    };
    let app = crate::app::App::build(config, ingredients).await.unwrap();
    app.set_ready();
    let later = super::rig::Rig { app, ..rig };
    later.get("/api/v1/incidents", &token).await.is(403);
}

fn nothing_was_done(rig: &super::rig::Rig) {
    assert_eq!(rig.app.view.last_number().unwrap(), 0, "no incident");
    for table in [Table::Alert, Table::Silence, Table::Change] {
        assert!(
            rig.store.rows(table, "", None, 1).unwrap().is_empty(),
            "{table:?}"
        );
    }
}
