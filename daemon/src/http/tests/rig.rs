//! Requests to a daemon with an in-memory store and a manual clock.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::auth::{NewToken, Scope};
use crate::http::router;
pub(super) use crate::rig::{NOW, Rig};

const CONFIG: &str = r#"
[policy]
path = "no-such-folder"

[server]
body-bytes-max = 65536

[escalation]
fallback = ["person:ada"]

[people.ada]
name = "Ada"
contacts = [{ kind = "slack", address = "U1" }]
clearance = true
timezone = "Europe/Berlin"

[people.bob]
name = "Bob"
contacts = [{ kind = "slack", address = "U2" }]

[rotations.primary]
timezone = "Europe/Berlin"

[[rotations.primary.layers]]
people = ["ada", "bob"]
handover = "monday 09:00"
start = 2026-01-05

[integrations.am]
kind = "alertmanager"

[integrations.grafana]
kind = "grafana"

[integrations.any]
kind = "generic"

[integrations.prometheus]
kind = "alertmanager-api"

[integrations.kuma]
kind = "uptime-kuma"

[integrations.pd]
kind = "pagerduty"
"#;

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

pub(super) async fn test_app() -> Rig {
    Rig::new(CONFIG, Path::new("/nowhere")).await
}

/// A daemon with the shipped policies.
pub(super) async fn app_with_policies() -> Rig {
    let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");
    let config = CONFIG.replace("no-such-folder", policies);
    Rig::new(&config, Path::new("/nowhere")).await
}

impl Rig {
    pub(super) async fn token(&self, scope: Scope) -> String {
        self.made(scope, None, None).await
    }

    /// A token that sends alerts to an integration.
    pub(super) async fn sender(&self, integration: &str) -> String {
        self.made(Scope::Ingest, Some(integration), None).await
    }

    /// A token that acts for a person.
    pub(super) async fn person(&self, scope: Scope, person: &str) -> String {
        self.made(scope, None, Some(person)).await
    }

    async fn made(&self, scope: Scope, sends: Option<&str>, person: Option<&str>) -> String {
        let wanted = NewToken {
            integration: sends.map(Into::into),
            person: person.map(Into::into),
            ..NewToken::new(&format!("a {scope} token"), scope)
        };
        self.app.issue(wanted).await.unwrap().0.reveal().to_owned()
    }

    pub(super) async fn ask(&self, request: Request<Body>) -> Answer {
        let router = router(Arc::clone(&self.app));
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(super) async fn get(&self, path: &str, token: &str) -> Answer {
        self.ask(request("GET", path, token, Vec::new())).await
    }

    pub(super) async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        let body = body.to_string().into_bytes();
        self.ask(request("POST", path, token, body)).await
    }

    pub(super) fn open_incidents(&self) -> usize {
        let state = self.app.view.in_memory();
        state.iter().filter(|it| it.incident.is_active()).count()
    }
}

/// A request; an empty `token` sends none.
pub(super) fn request(method: &str, path: &str, token: &str, body: Vec<u8>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::from(body)).unwrap()
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not valid JSON: {}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }

    /// Asserts the status.
    #[track_caller]
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}
