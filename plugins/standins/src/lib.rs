//! Stand-ins for the services that plugins use, for tests. Each refuses what its service refuses:
//! wrong fields, wrong credentials, too long texts, too many requests.
//!
//! The same stand-in serves a plugin's own tests, in which the fake host passes it every request
//! ([`install`]), and tests of the real host, which reaches it over loopback ([`Loopback`]).
#![forbid(unsafe_code)]

pub mod chat;
pub mod gitlab;
mod loopback;
pub mod ntfy;
pub mod pushover;
pub mod snapshots;
pub mod statuspage;
pub mod twilio;

pub use loopback::{Fate, Loopback, Moment, Watch};

use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tocsin_plugin_sdk::http::{Header, Request, Response};
use tocsin_plugin_sdk::testing::{FakeHost, form_fields};

/// A request as a service receives it.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// In capitals.
    pub method: String,
    /// Without the query, percent-encoded.
    pub path: String,
    /// By name, percent-decoded.
    pub query: BTreeMap<String, String>,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// A service's response.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

pub trait Service {
    fn answer(&mut self, asked: &Asked) -> Answered;

    /// The time of what it takes next, in seconds since 1970. Over loopback it is the real one.
    fn set_time(&mut self, _now_s: u64) {}
}

impl Asked {
    /// A request to a URL or to a path with its query.
    #[must_use]
    pub fn new(method: &str, url: &str) -> Self {
        let after_host = url.split_once("://").map_or(url, |(_, rest)| {
            &rest[rest.find('/').unwrap_or(rest.len())..]
        });
        let (path, query) = after_host.split_once('?').unwrap_or((after_host, ""));
        Self {
            method: method.into(),
            path: if path.is_empty() { "/" } else { path }.into(),
            query: form_fields(query.as_bytes()),
            ..Self::default()
        }
    }

    /// The fields of a form-encoded body; none if it is something else.
    #[must_use]
    pub fn form(&self) -> BTreeMap<String, String> {
        let kind = self.headers.get("content-type").map(String::as_str);
        match kind {
            Some("application/x-www-form-urlencoded") => form_fields(&self.body),
            _ => BTreeMap::new(),
        }
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The user and password of HTTP basic authentication.
    #[must_use]
    pub fn basic(&self) -> Option<String> {
        use base64::Engine as _;
        let encoded = self.headers.get("authorization")?.strip_prefix("Basic ")?;
        let decoded = base64::engine::general_purpose::STANDARD
            .decode(encoded)
            .ok()?;
        String::from_utf8(decoded).ok()
    }

    /// Adds the credential of HTTP basic authentication, as the host does.
    pub fn set_basic(&mut self, user_and_password: &str) {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(user_and_password);
        self.set_header("authorization", &format!("Basic {encoded}"));
    }

    /// Adds a header, as the host does.
    pub fn set_header(&mut self, name: &str, value: &str) {
        self.headers.insert(name.into(), value.into());
    }
}

impl Answered {
    /// A response with JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string(),
        }
    }

    /// A response with text.
    #[must_use]
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "text/plain".into())],
            body: body.into(),
        }
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// Makes a stand-in receive the requests of a plugin's tests. `credential` adds to a request what
/// the host would for the right that it names.
pub fn install<S: Service + 'static>(
    service: S,
    credential: impl Fn(&str, &mut Asked) + 'static,
) -> (FakeHost, Rc<RefCell<S>>) {
    let service = Rc::new(RefCell::new(service));
    let answering = Rc::clone(&service);
    let host = FakeHost::install(move |request: &Request| {
        let mut asked = Asked::new(&request.method, &request.url);
        for header in &request.headers {
            asked.set_header(&header.name.to_ascii_lowercase(), &header.value);
        }
        asked.body = request.body.clone().unwrap_or_default();
        credential(request.auth.as_deref().unwrap_or_default(), &mut asked);
        let answered = answering.borrow_mut().answer(&asked);
        let header = |(name, value)| Header { name, value };
        Ok(Response {
            status: answered.status,
            headers: answered.headers.into_iter().map(header).collect(),
            body: answered.body.into_bytes(),
            replayed: false,
        })
    });
    (host, service)
}
