use std::io::Write as _;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::response::IntoResponse as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::rig::{Answer, Rig, request, test_app};
use crate::http::body::read_within;

/// The body limit of the test's configuration.
const BYTES_MAX: usize = 65_536;

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn send(rig: &Rig, encoding: &str, body: Vec<u8>) -> Answer {
    let token = rig.sender("any").await;
    let request = Request::post("/ingest/any")
        .header("authorization", format!("Bearer {token}"))
        .header("content-encoding", encoding)
        .body(Body::from(body))
        .unwrap();
    rig.ask(request).await
}

#[tokio::test]
async fn a_compressed_body_is_decompressed() {
    let rig = test_app().await;
    let body = json!({ "title": "down" }).to_string();
    send(&rig, "gzip", packed(body.as_bytes())).await.is(202);
    assert_eq!(rig.open_incidents(), 1);
}

#[tokio::test]
async fn a_body_is_limited_compressed_and_uncompressed() {
    let rig = test_app().await;
    let long = json!({ "title": "x".repeat(BYTES_MAX) }).to_string();
    let plain = send(&rig, "identity", long.clone().into_bytes())
        .await
        .is(413);
    assert_eq!(plain.json()["bytes_max"], BYTES_MAX);
    let bomb = packed(&vec![b' '; 64 * BYTES_MAX]);
    assert!(bomb.len() < BYTES_MAX, "the bomb is small while compressed");
    send(&rig, "gzip", bomb).await.is(413);
    assert_eq!(rig.open_incidents(), 0);
}

#[tokio::test]
async fn a_body_that_cannot_be_decompressed_or_parsed_is_a_client_error() {
    let rig = test_app().await;
    send(&rig, "gzip", b"not gzip".to_vec()).await.is(400);
    send(&rig, "br", b"{}".to_vec()).await.is(415);
    send(&rig, "identity", b"{".to_vec()).await.is(400);
    let token = rig.token(crate::auth::Scope::Respond).await;
    let answer = rig
        .ask(request("POST", "/api/v1/incidents", &token, b"{".to_vec()))
        .await;
    assert_eq!(answer.is(400).json()["title"], "The request cannot be read");
}

#[tokio::test]
async fn a_body_that_never_ends_times_out_and_may_be_sent_again() {
    let first = futures_util::stream::once(async { Ok::<_, std::io::Error>("{") });
    let body = futures_util::StreamExt::chain(first, futures_util::stream::pending());
    let read = read_within(Body::from_stream(body), BYTES_MAX, Duration::ZERO).await;
    // An Alertmanager gives up on every 4xx.
    let answer = read.unwrap_err().into_response();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
}
