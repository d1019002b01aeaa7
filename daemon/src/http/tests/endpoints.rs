use serde_json::{Value, json};
use tocsin_store::{Store as _, Table};

use super::rig::{request, test_app};
use crate::auth::Scope;

/// A route, and the scope that it needs, if it needs a bearer token.
struct Endpoint {
    method: String,
    path: String,
    scope: Option<Scope>,
}

/// Every declared route.
fn endpoints() -> Vec<Endpoint> {
    let document = crate::http::openapi_json().unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push(Endpoint {
                method: method.to_uppercase(),
                path: path.clone(),
                scope: scope(operation).unwrap_or_else(|| panic!("{method} {path}: no scope")),
            });
        }
    }
    found
}

/// The scope in `security(("token" = ["…"]))`; `Some(None)` for `security()`.
fn scope(operation: &Value) -> Option<Option<Scope>> {
    let security = operation["security"].as_array()?;
    let Some(token) = security.iter().find_map(|it| it.get("token")) else {
        return Some(None);
    };
    Some(Some(token[0].as_str()?.parse().unwrap()))
}

/// The only routes without a bearer token: health, and routes with their own authentication.
const WITHOUT_TOKEN: [&str; 7] = [
    "/ack/{token}",
    "/ack/{token}",
    "/healthz",
    "/hooks/{plugin}/{route}",
    "/readyz",
    "/v2/change/enqueue",
    "/v2/enqueue",
];

/// A path that matches the route: `1` for a number, the integration `any`.
fn path(template: &str) -> String {
    let path = template
        .replace("{integration}", "any")
        .replace("{number}", "1");
    path.split('/')
        .map(|part| if part.starts_with('{') { "x" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// Bodies that would have an effect if they were read.
fn body(path: &str) -> Vec<u8> {
    let body = match path {
        "/ingest/any" => json!({ "title": "down" }),
        "/api/v2/alerts" => json!([{ "labels": { "alertname": "Down" } }]),
        "/api/v1/incidents" => json!({ "title": "down" }),
        "/api/v1/incidents/1/actions" => json!({ "action": "ack" }),
        "/api/v1/alerts/any/x/resolve" => json!({}),
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
fn every_route_is_declared_with_its_description() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http");
    let mut folders = vec![std::path::PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.extend((!path.ends_with("tests")).then_some(path));
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let undeclared = text.contains(".route(") || text.contains(".nest(");
            assert!(!undeclared, "{}: declare it by `routes!`", path.display());
        }
    }
    let without_token = endpoints().into_iter().filter(|it| it.scope.is_none());
    let without_token: Vec<_> = without_token.map(|it| it.path).collect();
    assert_eq!(without_token, WITHOUT_TOKEN);
}

#[tokio::test]
async fn no_endpoint_answers_without_a_valid_token() {
    let rig = test_app().await;
    let revoked = rig.token(Scope::Admin).await;
    let _keeper = rig.token(Scope::Admin).await;
    let id = rig.app.tokens.list()[0].id.clone();
    rig.app.tokens.revoke(&id, &rig.app.writer).await.unwrap();
    for endpoint in endpoints() {
        if endpoint.scope.is_none() {
            continue;
        }
        let (method, path) = (&endpoint.method, path(&endpoint.path));
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
async fn no_endpoint_answers_a_lower_scope_and_the_refusal_names_the_needed_one() {
    let rig = test_app().await;
    let other = rig.sender("grafana").await;
    let read = rig.token(Scope::Read).await;
    let respond = rig.token(Scope::Respond).await;
    let tokens_before = rig.app.tokens.list().len();
    for endpoint in endpoints() {
        let lesser: &[&str] = match endpoint.scope {
            None => continue,
            Some(Scope::Ingest) => &[&other, &read, &respond],
            Some(Scope::Read) => &[&other],
            Some(Scope::Respond) => &[&other, &read],
            Some(Scope::Admin) => &[&other, &read, &respond],
        };
        let (method, path) = (&endpoint.method, path(&endpoint.path));
        for token in lesser {
            let answer = rig.ask(request(method, &path, token, body(&path))).await;
            let wanted = endpoint.scope.map(Scope::as_str).unwrap();
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
async fn every_endpoint_accepts_its_declared_scope() {
    let rig = test_app().await;
    for endpoint in endpoints() {
        let (method, template) = (&endpoint.method, endpoint.path.as_str());
        let token = match (endpoint.scope, template) {
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
async fn a_token_is_accepted_wherever_a_sender_can_put_it() {
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
async fn tokens_of_a_removed_person_are_refused() {
    let rig = test_app().await;
    let token = rig.person(Scope::Respond, "bob").await;
    let mut config = rig.app.config.as_ref().clone();
    config.people.remove("bob");
    let later = rig.again(config).await;
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
