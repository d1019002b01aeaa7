use std::time::Duration;

use axum::response::IntoResponse as _;
use serde_json::json;
use tocsin_store::{CommitError, StoreError};

use super::rig::test_app;
use crate::auth::Scope;
use crate::http::problem::Problem;
use crate::runtime::EngineError;

#[test]
fn retryable_errors_are_503_with_retry_after_and_never_429() {
    let conflict = CommitError::Conflict {
        what: "a stream".into(),
        expected: 1,
        found: 2,
    };
    for error in [
        EngineError::Overloaded,
        EngineError::Stopping,
        EngineError::Commit(conflict),
        EngineError::Commit(CommitError::Skipped),
        EngineError::Store(StoreError::Poisoned("disk full".into())),
    ] {
        let answer = Problem::from(error.clone()).into_response();
        assert_eq!(answer.status(), 503, "{error}");
        assert_eq!(answer.headers()["retry-after"], "1", "{error}");
    }
}

#[tokio::test]
async fn a_draining_daemon_refuses_requests_and_says_so() {
    let rig = test_app().await;
    let sender = rig.sender("any").await;
    let read = rig.token(Scope::Read).await;
    rig.get("/readyz", "").await.is(200);
    rig.app.drain(Duration::ZERO).await;
    let refused = rig
        .post("/ingest/any", &sender, &json!({ "title": "down" }))
        .await
        .is(503);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.json()["status"], 503);
    assert_eq!(rig.open_incidents(), 0);
    rig.get("/readyz", "").await.is(503);
    rig.get("/healthz", "").await.is(200);
    rig.get("/metrics", &read).await.is(200);
}
