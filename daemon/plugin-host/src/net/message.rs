//! A request on its way out, and its answer.

use reqwest::Method;
use reqwest::header::HeaderMap;
use tokio::time::Instant;
use url::Url;

/// A request after the guest's input was read.
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

/// An answer with the secrets taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body was longer than allowed, and left out.
    pub(crate) cut: bool,
    /// Secrets that were taken out.
    pub(crate) redactions: usize,
    /// Another place sent the request on to this one, and may have done something with it.
    pub(crate) redirected: bool,
}
