//! A daemon over memory, with its clock held, and a way to ask it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tocsin_core::Timestamp;
use tocsin_store::MemoryStore;
use tower::ServiceExt as _;

use crate::app::App;
use crate::app::testing::app_on;
use crate::auth::{NewToken, Scope};
use crate::http::router;
use crate::runtime::ManualClock;

/// 2026-01-31T12:10:00Z.
pub(super) const NOW: Timestamp = Timestamp(1_769_861_400_000);

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

[integrations.pd]
kind = "pagerduty"
"#;

/// A daemon to ask.
pub(super) struct Rig {
    pub(super) app: Arc<App>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) store: Arc<MemoryStore>,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

pub(super) async fn test_app() -> Rig {
    app_of(CONFIG).await
}

/// A daemon under the policies that ship.
pub(super) async fn app_with_policies() -> Rig {
    let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");
    app_of(&CONFIG.replace("no-such-folder", policies)).await
}

async fn app_of(config: &str) -> Rig {
    let clock = Arc::new(ManualClock::new(NOW));
    let store = Arc::new(MemoryStore::new());
    let app = app_on(&store, &clock, config).await;
    app.set_ready();
    Rig { app, clock, store }
}

impl Rig {
    pub(super) async fn token(&self, scope: Scope) -> String {
        self.made(scope, None, None).await
    }

    /// A token that sends to an integration.
    pub(super) async fn sender(&self, integration: &str) -> String {
        self.made(Scope::Ingest, Some(integration), None).await
    }

    /// A token that acts for a person.
    pub(super) async fn person(&self, scope: Scope, person: &str) -> String {
        self.made(scope, None, Some(person)).await
    }

    async fn made(&self, scope: Scope, sends: Option<&str>, person: Option<&str>) -> String {
        let wanted = NewToken {
            name: format!("a {scope} token"),
            scope,
            integration: sends.map(Into::into),
            person: person.map(Into::into),
        };
        let (writer, config) = (&self.app.writer, &self.app.config);
        let made = self.app.tokens.create(wanted, config, NOW, writer).await;
        made.unwrap().0.reveal().to_owned()
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

/// A request; an empty token is none.
pub(super) fn request(method: &str, path: &str, token: &str, body: Vec<u8>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::from(body)).unwrap()
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }

    /// The answer, if it has this status.
    #[track_caller]
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}
