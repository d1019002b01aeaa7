//! Outbound HTTP: only what the manifest asks for and the operator grants.
//!
//! ```ignore
//! let response = Request::post("https://slack.com/api/chat.postMessage")
//!     .auth("bot")                       // the host adds the credential of this grant
//!     .once("opening")                   // a retried delivery gets the stored response
//!     .form(&[("channel", "C1"), ("text", "hello")])
//!     .send()?;
//! ```

use crate::types::Timestamp;
use crate::{clock, host};
use serde::{Serialize, de::DeserializeOwned};

pub use crate::bindings::tocsin::plugin::http::{Header, HttpError, Request, Response};

/// No request is sent with less time left: the host would abort it halfway.
const TIME_LEFT_MS_MIN: u64 = 500;

/// The timeout of a request that may take `timeout_ms` in a call that the host stops at `deadline`;
/// none if too little time is left for one. Then return [`Failure::retry_after`] without delay: the
/// next attempt continues from there.
///
/// [`Failure::retry_after`]: crate::types::Failure::retry_after
#[must_use]
pub fn timeout_before(deadline: Option<Timestamp>, timeout_ms: u64) -> Option<u32> {
    let left_ms = deadline.map_or(timeout_ms, |it| it.saturating_sub(clock::now()));
    let timeout_ms = u32::try_from(left_ms.min(timeout_ms)).unwrap_or(u32::MAX);
    (left_ms >= TIME_LEFT_MS_MIN).then_some(timeout_ms)
}

/// Deletes the response that the host stored under a `once` key of this delivery, so that the next
/// request with that key is sent. For a 2xx response that was in fact an error, and after an
/// unknown outcome was resolved.
pub fn forget(once: &str) {
    host::http::forget(once);
}

/// A header's value by case-insensitive name.
#[must_use]
pub fn header<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    let found = headers
        .iter()
        .find(|it| it.name.eq_ignore_ascii_case(name))?;
    Some(&found.value)
}

impl Request {
    /// A request with any method.
    #[must_use]
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Request {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            timeout_ms: None,
            auth: None,
            once: None,
            extra: "{}".into(),
        }
    }

    /// A GET request.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A POST request.
    #[must_use]
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Names the `[[http]]` grant whose credential the host adds.
    #[must_use]
    pub fn auth(mut self, grant: &str) -> Self {
        self.auth = Some(grant.into());
        self
    }

    /// Sends at most once for this delivery: a 2xx response is stored and returned on a retry.
    #[must_use]
    pub fn once(mut self, key: impl Into<String>) -> Self {
        self.once = Some(key.into());
        self
    }

    /// Adds a header. Do not use it for credentials: see [`auth`](Request::auth).
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(Header {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// Sets how long to wait for the response, in milliseconds.
    #[must_use]
    pub fn timeout_ms(mut self, ms: u32) -> Self {
        self.timeout_ms = Some(ms);
        self
    }

    /// Adds query parameters, percent-encoded.
    #[must_use]
    pub fn query(mut self, pairs: &[(&str, &str)]) -> Self {
        if !pairs.is_empty() {
            self.url
                .push(if self.url.contains('?') { '&' } else { '?' });
            self.url.push_str(&encode_form(pairs));
        }
        self
    }

    /// Sets an `application/x-www-form-urlencoded` body.
    #[must_use]
    pub fn form(mut self, pairs: &[(&str, &str)]) -> Self {
        self.body = Some(encode_form(pairs).into_bytes());
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// Sets a JSON body.
    ///
    /// # Errors
    /// When the value cannot be represented as JSON, e.g. a map with keys that are not strings.
    pub fn json<T: Serialize>(mut self, body: &T) -> Result<Self, HttpError> {
        let bytes = serde_json::to_vec(body).map_err(|it| HttpError::Invalid(it.to_string()))?;
        self.body = Some(bytes);
        Ok(self.header("content-type", "application/json"))
    }

    /// Sends it. A response with any status is a success; only a missing response is an error.
    ///
    /// # Errors
    /// See [`HttpError`]; it converts into a [`Failure`](crate::types::Failure).
    pub fn send(&self) -> Result<Response, HttpError> {
        host::http::send(self)
    }
}

impl Response {
    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value by case-insensitive name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is not valid JSON of this type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            HttpError::Other(format!("the response is not the expected JSON: {error}"))
        })
    }

    /// `Retry-After` in milliseconds, if it is in seconds.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        let seconds: u64 = self.header("retry-after")?.trim().parse().ok()?;
        seconds.checked_mul(1000)
    }
}

fn encode_form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_values_are_percent_encoded() {
        let request = Request::post("https://example.com").form(&[("text", "a & b = ü")]);
        let body = String::from_utf8(request.body.unwrap()).unwrap();
        assert_eq!(body, "text=a+%26+b+%3D+%C3%BC");
    }

    #[test]
    fn a_query_is_appended_to_an_existing_one() {
        let request = Request::get("https://example.com/?a=1").query(&[("b", "2")]);
        assert_eq!(request.url, "https://example.com/?a=1&b=2");
    }

    #[test]
    fn retry_after_is_read_case_insensitively() {
        let headers = vec![Header {
            name: "Retry-After".into(),
            value: "30".into(),
        }];
        let response = Response {
            status: 429,
            headers,
            body: Vec::new(),
            replayed: false,
        };
        assert_eq!(response.retry_after_ms(), Some(30_000));
    }
}
