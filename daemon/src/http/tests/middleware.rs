use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use parking_lot::Mutex;
use tower::ServiceExt as _;
use tracing_subscriber::fmt::format::FmtSpan;

use super::rig::{request, test_app};
use crate::auth::Scope;
use crate::http::middleware;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_has_the_request_id_and_never_a_token() {
    let rig = test_app().await;
    let token = rig.token(Scope::Read).await;
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let answer = rig.get("/api/v1/incidents", &token).await.is(200);
    let by_query = format!("/api/v1/incidents?key={token}");
    rig.get(&by_query, "").await.is(200);
    rig.get(&format!("/ack/{token}"), "").await.is(400);
    drop(guard);
    let log = String::from_utf8(lines.0.lock().clone()).unwrap();
    assert!(log.contains("/api/v1/incidents"), "{log}");
    assert!(log.contains("/ack/{token}"), "{log}");
    assert!(log.contains(answer.header("x-request-id")), "{log}");
    assert!(!log.contains(&token), "{log}");
}

#[tokio::test]
async fn a_panic_is_answered_without_its_message() {
    async fn boom() -> &'static str {
        panic!("the password is hunter2")
    }
    let rig = test_app().await;
    let router = Router::new().route("/boom", get(boom));
    let router = middleware::around(router, &rig.app).with_state(Arc::clone(&rig.app));
    let answer = router
        .oneshot(request("GET", "/boom", "", Vec::new()))
        .await
        .unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert!(answer.headers().contains_key("x-request-id"));
    let body = axum::body::to_bytes(answer.into_body(), 4_096)
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&body).contains("hunter2"));
}
