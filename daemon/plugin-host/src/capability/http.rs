//! `http`: outbound checks, `once`, and errors that tell the plugin's author what to do.

use super::context::Context;
use super::effects::{EFFECT_BYTES_MAX, EffectKey, EffectState, ONCE_BYTES_MAX};
use crate::net::{Allowed, Answer, NetError, Outgoing, outgoing_headers, shown};
use crate::wit::http::{Header, Host, HttpError, Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// Most HTTP requests per call, not counting redirects.
const HTTP_REQUESTS_PER_CALL: u32 = 30;
/// Largest request body, in bytes.
const HTTP_UP_BYTES_MAX: usize = 1 << 20;
/// Largest response body after decompression, in bytes.
const HTTP_DOWN_BYTES_MAX: usize = 4 << 20;
/// Default and longest timeout of one request, in milliseconds.
const HTTP_TIMEOUT_MS: u64 = 10_000;
/// Longest URL, in bytes.
const URL_BYTES_MAX: usize = 8 << 10;
/// Reserved at the end of a call, so that the guest can still react to a timeout.
const REACTION_TIME: Duration = Duration::from_millis(50);
/// Most bytes of headers in a stored response; the rest of its limit is for the body.
const STORED_HEADER_BYTES_MAX: usize = 32 << 10;

/// One outgoing request, for dead letters and `tocsin plugin inspect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpTrace {
    /// In capitals.
    pub method: String,
    /// Without the query, which may contain a secret.
    pub url: String,
    /// The response's status, or why there was none.
    pub outcome: Result<u16, String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl Host for Context {
    async fn send(&mut self, req: Request) -> wasmtime::Result<Result<Response, HttpError>> {
        let _pause = self.pause();
        Ok(self.send_request(req).await)
    }

    async fn forget(&mut self, once: String) -> wasmtime::Result<()> {
        let _pause = self.pause();
        if self.facts.without_rights {
            return Ok(());
        }
        let effect = self.effect(format!("http:{once}"));
        if let Err(error) = self.forget_effect(&effect).await {
            tracing::warn!(plugin = self.plugin(), %error, "an effect's record was not deleted");
        }
        Ok(())
    }
}

impl Context {
    async fn send_request(&mut self, req: Request) -> Result<Response, HttpError> {
        if self.facts.without_rights {
            return Err(HttpError::Denied(
                "the network is not available during this call".into(),
            ));
        }
        let once = req.once.clone();
        if once
            .as_ref()
            .is_some_and(|once| once.is_empty() || once.len() > ONCE_BYTES_MAX)
        {
            return Err(HttpError::Invalid(format!(
                "`once` must have 1 to {ONCE_BYTES_MAX} bytes"
            )));
        }
        let outgoing = self.outgoing(req)?;
        // Before the effect is started and counted: a denial has no effect.
        let policy = self.shared.net.policy();
        let checked = policy.check(&outgoing.url, &outgoing.method, outgoing.auth.as_deref());
        match checked.map(Allowed::credential) {
            Err(denied) => return Err(HttpError::Denied(self.deny(denied))),
            Ok(Some(credential)) => credential.check(&outgoing).map_err(HttpError::Invalid)?,
            Ok(None) => {}
        }
        match once {
            None => {
                let answer = self
                    .transmit(outgoing)
                    .await
                    .map_err(|failure| failure.error)?;
                response(answer, HTTP_DOWN_BYTES_MAX)
            }
            Some(once) => {
                let effect = self.effect(format!("http:{once}"));
                self.transmit_once(outgoing, &once, &effect).await
            }
        }
    }

    async fn transmit_once(
        &mut self,
        mut outgoing: Outgoing,
        once: &str,
        effect: &EffectKey,
    ) -> Result<Response, HttpError> {
        outgoing.down_bytes_max = EFFECT_BYTES_MAX / 2;
        let begun = self.begin_effect(effect).await;
        match begun.map_err(|error| HttpError::Other(error.to_string()))? {
            EffectState::New => {}
            EffectState::Started => {
                return Err(HttpError::OutcomeUnknown(format!(
                    "`{once}` was sent by an earlier attempt whose answer was lost; check \
                    whether it took effect, then call `forget` and send again"
                )));
            }
            EffectState::Finished(bytes) => {
                self.stats.effects_replayed += 1;
                return StoredAnswer::read(&bytes);
            }
        }
        let sent = self.transmit(outgoing).await;
        let noted = match &sent {
            Ok(answer) if (200..300).contains(&answer.status) => {
                let answer = StoredAnswer::write(answer);
                self.finish_effect(effect, answer).await
            }
            Ok(answer) if !is_clear_refusal(answer) => Ok(()),
            // The server refused it, or never received it.
            Ok(_)
            | Err(SendFailure {
                may_have_arrived: false,
                ..
            }) => self.forget_effect(effect).await,
            Err(SendFailure {
                may_have_arrived: true,
                ..
            }) => Ok(()),
        };
        if let Err(error) = noted {
            let plugin = self.plugin();
            tracing::error!(plugin, once, %error, "the outcome of a request was not recorded");
        }
        sent.map_err(|failure| failure.error)
            .and_then(|answer| response(answer, EFFECT_BYTES_MAX))
    }

    /// Counts the request, sends it, and maps errors.
    async fn transmit(&mut self, outgoing: Outgoing) -> Result<Answer, SendFailure> {
        let early = |error| SendFailure {
            error,
            may_have_arrived: false,
        };
        if self.stats.http_requests >= HTTP_REQUESTS_PER_CALL {
            let text = format!(
                "at most {HTTP_REQUESTS_PER_CALL} requests per call; enqueue a job for the rest"
            );
            return Err(early(HttpError::Other(text)));
        }
        let taken = self.facts.http_rate.take(self.shared.services.now_ms());
        taken.map_err(|wait_ms| early(HttpError::Throttled(wait_ms)))?;
        self.stats.http_requests += 1;
        let secrets = self.secrets();
        let shared = Arc::clone(&self.shared);
        let (method, url) = (outgoing.method.to_string(), shown(&outgoing.url));
        let started = Instant::now();
        let sent = shared.net.send(outgoing, &secrets).await;
        let sent = sent.map_err(|error| error.redacted(&secrets));
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let outcome = match &sent {
            Ok(answer) => Ok(answer.status),
            Err(error) => Err(error.to_string()),
        };
        self.http.push(HttpTrace {
            method,
            url,
            outcome,
            took_ms,
        });
        match sent {
            Ok(answer) => {
                self.stats.redactions += answer.redactions as u32;
                Ok(answer)
            }
            Err(error) => {
                let may_have_arrived = !error.surely_not_sent();
                Err(SendFailure {
                    error: self.explain(error),
                    may_have_arrived,
                })
            }
        }
    }

    fn explain(&mut self, error: NetError) -> HttpError {
        let text = error.to_string();
        match error {
            NetError::Denied(denied) => HttpError::Denied(self.deny(denied)),
            NetError::Secret(_) => HttpError::Denied(text),
            NetError::Invalid(_) => HttpError::Invalid(text),
            NetError::Connect(_) => HttpError::Connect(text),
            NetError::Tls(_) => HttpError::Tls(text),
            NetError::Timeout { .. } => HttpError::Timeout,
            NetError::Broken(_) | NetError::TooManyRedirects => HttpError::Other(text),
            NetError::Redirected(error) => self.explain(*error),
        }
    }

    fn outgoing(&self, req: Request) -> Result<Outgoing, HttpError> {
        let invalid = |text: String| HttpError::Invalid(text);
        if req.url.len() > URL_BYTES_MAX {
            return Err(invalid(format!(
                "the URL is longer than {URL_BYTES_MAX} bytes"
            )));
        }
        let mut url = Url::parse(&req.url).map_err(|error| invalid(format!("the URL: {error}")))?;
        url.set_fragment(None);
        let method =
            Method::from_bytes(req.method.to_ascii_uppercase().as_bytes()).map_err(|_| {
                invalid(format!(
                    "`{}` is not an HTTP method",
                    req.method.escape_debug()
                ))
            })?;
        let body = req.body.unwrap_or_default();
        if body.len() > HTTP_UP_BYTES_MAX {
            return Err(HttpError::TooLarge(HTTP_UP_BYTES_MAX as u64));
        }
        let injected: Vec<_> = self.shared.net.policy().injected_headers().collect();
        let pairs = req
            .headers
            .iter()
            .map(|header| (header.name.as_str(), header.value.as_str()));
        let headers = outgoing_headers(pairs, &injected).map_err(invalid)?;
        let asked = req
            .timeout_ms
            .map_or(HTTP_TIMEOUT_MS, u64::from)
            .min(HTTP_TIMEOUT_MS);
        let left = self
            .facts
            .deadline
            .saturating_duration_since(Instant::now());
        let timeout = Duration::from_millis(asked).min(left.saturating_sub(REACTION_TIME));
        Ok(Outgoing {
            method,
            url,
            headers,
            body,
            auth: req.auth,
            deadline: tokio::time::Instant::now() + timeout,
            down_bytes_max: HTTP_DOWN_BYTES_MAX,
        })
    }
}

/// Whether an unsuccessful response means that nothing was done. A gateway's 502 or 504 does not:
/// the server behind it may have acted. Nor does a response after a redirect.
fn is_clear_refusal(answer: &Answer) -> bool {
    !answer.redirected && (answer.status <= 501 || answer.status == 503)
}

/// No response, and whether the request may have reached the server.
struct SendFailure {
    error: HttpError,
    may_have_arrived: bool,
}

fn response(answer: Answer, bytes_max: usize) -> Result<Response, HttpError> {
    if answer.cut {
        return Err(HttpError::TooLarge(bytes_max as u64));
    }
    let header = |(name, value)| Header { name, value };
    Ok(Response {
        status: answer.status,
        headers: answer.headers.into_iter().map(header).collect(),
        body: answer.body,
        replayed: false,
    })
}

/// The record of a response under `once`.
#[derive(Serialize, Deserialize)]
struct StoredAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    /// Base 64, so that the record is text.
    body: String,
    /// The body was too long to store.
    cut: bool,
}

impl StoredAnswer {
    fn write(answer: &Answer) -> Vec<u8> {
        let mut bytes = 0;
        let small = |(name, value): &&(String, String)| {
            bytes += name.len() + value.len();
            bytes <= STORED_HEADER_BYTES_MAX
        };
        let remembered = Self {
            status: answer.status,
            headers: answer.headers.iter().take_while(small).cloned().collect(),
            body: STANDARD.encode(&answer.body),
            cut: answer.cut,
        };
        serde_json::to_vec(&remembered).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Result<Response, HttpError> {
        let unreadable = |_| {
            let text = "it succeeded, but its stored response cannot be read";
            HttpError::OutcomeUnknown(text.into())
        };
        let kept: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
        let body = STANDARD.decode(&kept.body).unwrap_or_default();
        let answer = Answer {
            status: kept.status,
            headers: kept.headers,
            body,
            cut: kept.cut,
            redactions: 0,
            redirected: false,
        };
        let response = response(answer, EFFECT_BYTES_MAX)?;
        Ok(Response {
            replayed: true,
            ..response
        })
    }
}
