//! A recording proxy in front of the daemon's endpoints, so that the responses to real senders can
//! be checked against the vendors' documents.

use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::spec::{Document, minimum};

const BODY_BYTES_MAX: usize = 8 << 20;
/// Statuses that Alertmanager's document leaves to proxies: authentication and overload.
const OF_PROXIES: &[u16] = &[401, 403, 503];

/// One request and its response.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// `GET`, `POST`, …
    pub verb: String,
    /// The path, without the query.
    pub path: String,
    /// The response's status.
    pub status: u16,
    /// The response's body; null if it is empty, a string if it is not JSON.
    pub body: Value,
}

/// A running recorder; it stops when dropped.
pub struct Recorder {
    /// Where it listens, `127.0.0.1:PORT`.
    pub address: String,
    kept: Arc<Mutex<Vec<Exchange>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Recorder {
    /// Starts one in front of `behind`, a URL without a path.
    ///
    /// # Errors
    /// When no port is available.
    pub async fn start(behind: &str) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        let kept = Arc::default();
        // The client needs a TLS provider even for plain HTTP; an already installed one will do.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        let (keep, behind) = (Arc::clone(&kept), behind.to_owned());
        let pass = move |request: Request| {
            let (keep, client, behind) = (Arc::clone(&keep), client.clone(), behind.clone());
            async move { pass_on(request, &client, &behind, &keep).await }
        };
        let app = Router::new().fallback(pass);
        let task = tokio::spawn(async move {
            // It ends with the test.
            let _ended = axum::serve(listener, app).await;
        });
        Ok(Self {
            address,
            kept,
            task,
        })
    }

    /// The requests and responses so far, in the order of the responses.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.kept
            .lock()
            .map(|it| it.clone())
            .unwrap_or_else(|poisoned| poisoned.into_inner().clone())
    }

    /// Checks every response under `/api/v2` and `/v2` against Alertmanager's and PagerDuty's
    /// documents, if available, and against the minimum; returns how many were checked.
    ///
    /// # Errors
    /// The first wrong response.
    pub fn check(&self) -> Result<usize, String> {
        let alertmanager = Document::load("alertmanager-api-v2.yaml")?;
        let pagerduty = Document::load("pagerduty-events-v2.json")?;
        let mut checked = 0;
        for it in self.exchanges() {
            if let Some(path) = it.path.strip_prefix("/api/v2") {
                if OF_PROXIES.contains(&it.status) {
                    continue;
                }
                if it.verb == "GET" && path == "/alerts" && it.status == 200 {
                    minimum::check_alerts_answer(&it.body)?;
                }
                against(alertmanager.as_ref(), path, &it)?;
            } else if let Some(path) = it.path.strip_prefix("/v2") {
                minimum::check_enqueue_answer(it.status, &it.body)?;
                against(pagerduty.as_ref(), path, &it)?;
            } else {
                continue;
            }
            checked += 1;
        }
        Ok(checked)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn against(document: Option<&Document>, path: &str, it: &Exchange) -> Result<(), String> {
    document.map_or(Ok(()), |document| {
        document.check_answer(&it.verb, path, it.status, &it.body)
    })
}

async fn pass_on(
    request: Request,
    client: &reqwest::Client,
    behind: &str,
    keep: &Mutex<Vec<Exchange>>,
) -> Response {
    match answer(request, client, behind).await {
        Ok((exchange, headers, body)) => {
            let status = StatusCode::from_u16(exchange.status).unwrap_or(StatusCode::BAD_GATEWAY);
            match keep.lock() {
                Ok(mut kept) => kept.push(exchange),
                Err(poisoned) => poisoned.into_inner().push(exchange),
            }
            (status, headers, Body::from(body)).into_response()
        }
        Err(why) => (StatusCode::BAD_GATEWAY, why).into_response(),
    }
}

async fn answer(
    request: Request,
    client: &reqwest::Client,
    behind: &str,
) -> Result<(Exchange, HeaderMap, Vec<u8>), String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|error| text(&error))?;
    let target = parts
        .uri
        .path_and_query()
        .map_or_else(|| parts.uri.path(), |it| it.as_str());
    let asked = client
        .request(parts.method.clone(), format!("{behind}{target}"))
        .headers(passed(&parts.headers))
        .body(body);
    let answered = asked.send().await.map_err(|error| text(&error))?;
    let status = answered.status().as_u16();
    let headers = passed(answered.headers());
    let body = answered.bytes().await.map_err(|error| text(&error))?;
    let exchange = Exchange {
        verb: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        status,
        body: read(&body),
    };
    Ok((exchange, headers, body.to_vec()))
}

/// The headers without those of a single connection.
fn passed(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for own in [
        header::HOST,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
    ] {
        headers.remove(own);
    }
    headers
}

fn read(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    let text = || Value::String(String::from_utf8_lossy(body).into_owned());
    serde_json::from_slice(body).unwrap_or_else(|_| text())
}
