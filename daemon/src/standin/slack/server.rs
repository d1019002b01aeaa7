//! The HTTP server: records each request, applies faults, checks the token, runs the method.

use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{broadcast, oneshot};

use super::fault::{Fault, FaultRule};
use super::methods::Method;
use super::params::Params;
use super::socket::{LINK, OPEN, Sockets, begin, opening};
use super::workspace::{Seen, Workspace};

const BODY_BYTES_MAX: usize = 1 << 20;
/// Requests and unexpected requests that are kept for the tests; later ones still get a response.
const KEPT_MAX: usize = 100_000;

/// A request as received, without its credential.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET` or `POST`.
    pub verb: String,
    /// The path, `/api/chat.postMessage`.
    pub path: String,
    /// The part after the `?`, undecoded.
    pub query: String,
    /// Lower-case names and values; the value of `authorization` is only its scheme.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
    /// Parameters from query and body, decoded.
    pub fields: Vec<(String, String)>,
}

impl Request {
    /// The Web API's method, `chat.postMessage`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.path.strip_prefix("/api/").unwrap_or(&self.path)
    }

    /// A parameter's value.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|it| it.0 == name)
            .map(|it| it.1.as_str())
    }

    /// A header's value, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|it| it.0 == name)
            .map(|it| it.1.as_str())
    }
}

/// The state that requests change.
pub(super) struct Inner {
    pub(super) workspace: Workspace,
    pub(super) requests: Vec<Request>,
    pub(super) unexpected: Vec<String>,
    pub(super) faults: Vec<FaultRule>,
}

impl Inner {
    pub(super) fn new(workspace: Workspace) -> Self {
        Self {
            workspace,
            requests: Vec::new(),
            unexpected: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn record_unexpected(&mut self, what: String) {
        if self.unexpected.len() < KEPT_MAX {
            self.unexpected.push(what);
        }
    }
}

/// The state that all connections share.
pub(super) struct Shared {
    pub(super) token: String,
    pub(super) signing_secret: String,
    pub(super) base: String,
    pub(super) inner: Mutex<Inner>,
    pub(super) seen: broadcast::Sender<Seen>,
    pub(super) app_token: String,
    pub(super) sockets: Arc<Mutex<Sockets>>,
}

/// A listening server; dropping it closes the port and every connection.
pub(super) struct Running {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(super) fn start(listener: TcpListener, shared: Arc<Shared>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let serve = async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                return;
            };
            let app = Router::new().fallback(answer).with_state(shared);
            tokio::select! {
                _ = axum::serve(listener, app) => {}
                _ = stopped => {}
            }
        };
        let named = std::thread::Builder::new().name("slack-stand-in".to_owned());
        let thread = named.spawn(move || runtime.block_on(serve))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// Listens on an address that was recently in use.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}

async fn answer(State(shared): State<Arc<Shared>>, request: HttpRequest) -> Response {
    if request.uri().path() == LINK {
        return begin(&shared, request);
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let (params, wrong_body) = read(&path, &query, &parts.headers, &body);
    let record = Request {
        verb: parts.method.to_string(),
        path,
        query,
        headers: headers(&parts.headers),
        body: body.to_vec(),
        fields: params.0.clone().into_iter().collect(),
    };
    let name = record.method().to_owned();
    let fault = {
        let mut inner = shared.inner.lock();
        if inner.requests.len() < KEPT_MAX {
            inner.requests.push(record);
        }
        inner
            .faults
            .iter_mut()
            .find_map(|it| it.apply(&name, &params))
    };
    match fault {
        None => {}
        Some(Fault::NotOk(error)) => return not_ok(&error),
        Some(Fault::RateLimited { retry_after_s }) => return rate_limited(retry_after_s),
        Some(Fault::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            return (status, "injected fault").into_response();
        }
        Some(Fault::Hang) => return pending().await,
        Some(Fault::LoseAnswer) => {
            run(&shared, &name, &parts.headers, &params, wrong_body);
            return pending().await;
        }
        Some(Fault::Slow(wait)) => {
            let response = run(&shared, &name, &parts.headers, &params, wrong_body);
            tokio::time::sleep(wait).await;
            return response;
        }
    }
    run(&shared, &name, &parts.headers, &params, wrong_body)
}

/// Runs a method if the request is valid.
fn run(
    shared: &Shared,
    name: &str,
    headers: &HeaderMap,
    params: &Params,
    wrong_body: Option<&'static str>,
) -> Response {
    let mut inner = shared.inner.lock();
    if name == OPEN {
        let wanted = format!("Bearer {}", shared.app_token);
        let given = headers.get(header::AUTHORIZATION);
        if given.is_none_or(|it| it.as_bytes() != wanted.as_bytes()) {
            inner.record_unexpected(format!("{name}: not the app's token"));
            return not_ok("not_allowed_token_type");
        }
        return axum::Json(opening(shared)).into_response();
    }
    let Some(method) = Method::named(name) else {
        inner.record_unexpected(format!("{name}: unknown method"));
        return not_ok("unknown_method");
    };
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|it| it.to_str().ok());
    let Some(given) = given else {
        inner.record_unexpected(format!("{name}: no authorization"));
        return not_ok("not_authed");
    };
    if given.strip_prefix("Bearer ") != Some(&shared.token) {
        inner.record_unexpected(format!("{name}: wrong authorization"));
        return not_ok("invalid_auth");
    }
    if let Some(wrong) = wrong_body {
        inner.record_unexpected(format!("{name}: {wrong}"));
        return not_ok(wrong);
    }
    if let Some(fault) = method.fault(params) {
        inner.record_unexpected(fault);
        return not_ok("invalid_arguments");
    }
    let mut seen = Vec::new();
    match method.run(&mut inner.workspace, params, &mut seen) {
        Ok(mut answer) => {
            for it in seen {
                // There may be no watchers.
                let _watchers = shared.seen.send(it);
            }
            answer["ok"] = Value::Bool(true);
            axum::Json(answer).into_response()
        }
        Err(error) => not_ok(error),
    }
}

/// The parameters of a request, and what is wrong with its body.
fn read(
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> (Params, Option<&'static str>) {
    let mut params = Params::default();
    let mut wrong = params.add_form(query).err();
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok());
    let kind = kind
        .and_then(|it| it.split(';').next())
        .map(str::trim)
        .unwrap_or_default();
    let json = Method::named(path.strip_prefix("/api/").unwrap_or(path)).is_some_and(|it| it.json);
    let added = match kind {
        _ if body.is_empty() => Ok(()),
        "application/x-www-form-urlencoded" => match std::str::from_utf8(body) {
            Ok(text) => params.add_form(text),
            Err(_) => Err("invalid_form_data"),
        },
        "application/json" if json => params.add_json(body),
        // Methods that only read ignore a JSON body.
        "application/json" => Ok(()),
        "" => Err("missing_post_type"),
        _ => Err("invalid_post_type"),
    };
    wrong = wrong.or(added.err());
    (params, wrong)
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = |name: &str, value: &str| match name {
        "authorization" => value.split(' ').next().unwrap_or_default().to_owned(),
        _ => value.to_owned(),
    };
    let text = |it: &axum::http::HeaderValue| String::from_utf8_lossy(it.as_bytes()).into_owned();
    headers
        .iter()
        .map(|it| (it.0.to_string(), shown(it.0.as_str(), &text(it.1))))
        .collect()
}

fn not_ok(error: &str) -> Response {
    axum::Json(json!({ "ok": false, "error": error })).into_response()
}

fn rate_limited(retry_after_s: u32) -> Response {
    let body = axum::Json(json!({ "ok": false, "error": "ratelimited" }));
    let wait = [(header::RETRY_AFTER, retry_after_s.to_string())];
    (StatusCode::TOO_MANY_REQUESTS, wait, body).into_response()
}
