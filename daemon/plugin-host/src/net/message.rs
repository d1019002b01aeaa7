//! Outgoing requests and their responses.

use reqwest::Method;
use reqwest::header::HeaderMap;
use tokio::time::Instant;
use url::Url;

/// A request parsed from the guest's input.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) auth: Option<String>,
    pub(crate) deadline: Instant,
    pub(crate) down_bytes_max: usize,
}

/// A response with secrets redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body was longer than allowed, and dropped.
    pub(crate) cut: bool,
    /// How many secrets were redacted.
    pub(crate) redactions: usize,
    /// Another server redirected the request to this one, and may have acted on it.
    pub(crate) redirected: bool,
}
