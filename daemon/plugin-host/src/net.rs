//! Sends requests, and only to addresses that the policy allows.
//!
//! A name is resolved once, by the client's own resolver below, which checks every address before
//! it hands them to the connector: nothing can change between check and connection (DNS
//! rebinding). Redirects are followed by hand, each through the whole check, and a credential
//! stays behind when the origin changes.

mod headers;
mod resolve;

use crate::grant::Denied;
use crate::limits::{HTTP_CONNECT_MS, HTTP_REDIRECTS_MAX};
use crate::outbound::{Allowed, OutboundPolicy, shown};
use crate::secrets::{SecretError, SecretSet};
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, Method, StatusCode};
use resolve::AddressRefused;
use secrecy::ExposeSecret as _;
use std::error::Error as _;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::Instant;
use url::{Host, Url};

pub(crate) use headers::outgoing_headers;

/// One generation's HTTP client. Built at the first request: loading the system's certificates
/// takes longer than most calls.
#[derive(Debug)]
pub(crate) struct Net {
    policy: Arc<OutboundPolicy>,
    client: OnceLock<Result<Client, String>>,
}

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

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    #[error("{0}")]
    Denied(Denied),
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    Secret(SecretError),
    #[error("{0}")]
    Connect(String),
    #[error("{0}")]
    Tls(String),
    #[error("no answer in time")]
    Timeout { connected: bool },
    /// The request left, and then something broke.
    #[error("{0}")]
    Broken(String),
    #[error("more than {HTTP_REDIRECTS_MAX} redirects")]
    TooManyRedirects,
    /// The request left, and was led to where it may not go.
    #[error("{0}")]
    Redirected(Box<Self>),
}

impl NetError {
    /// The same without the plugin's secrets: where a far side leads to is its own words, and
    /// they may repeat a credential.
    pub(crate) fn redacted(self, secrets: &SecretSet) -> Self {
        let clean = |text: String| secrets.redact_text(&text).0;
        match self {
            Self::Denied(denied) => Self::Denied(Denied {
                what: clean(denied.what),
                remedy: clean(denied.remedy),
                ..denied
            }),
            Self::Invalid(text) => Self::Invalid(clean(text)),
            Self::Connect(text) => Self::Connect(clean(text)),
            Self::Tls(text) => Self::Tls(clean(text)),
            Self::Broken(text) => Self::Broken(clean(text)),
            Self::Redirected(error) => Self::Redirected(Box::new(error.redacted(secrets))),
            Self::Secret(_) | Self::Timeout { .. } | Self::TooManyRedirects => self,
        }
    }

    /// Surely nothing reached the other side.
    pub(crate) fn never_left(&self) -> bool {
        match self {
            Self::Denied(_) | Self::Invalid(_) | Self::Secret(_) => true,
            Self::Connect(_) | Self::Tls(_) => true,
            Self::Timeout { connected } => !connected,
            Self::Broken(_) | Self::TooManyRedirects | Self::Redirected(_) => false,
        }
    }
}

impl Net {
    pub(crate) fn new(policy: Arc<OutboundPolicy>) -> Self {
        Self {
            policy,
            client: OnceLock::new(),
        }
    }

    /// Sends a request and reads its answer, following redirects.
    pub(crate) async fn send(
        &self,
        mut request: Outgoing,
        secrets: &SecretSet,
    ) -> Result<Answer, NetError> {
        let client = self.client()?;
        for hop in 0..=HTTP_REDIRECTS_MAX {
            let sent = self.send_once(client, &request, secrets).await;
            // A redirect that was refused comes after a request that did leave.
            let response = sent.map_err(|error| if hop == 0 { error } else { error.left() })?;
            let Some(next) = redirect(&request.url, &response) else {
                let answer = self.read(response, &request, secrets).await?;
                let redirected = hop > 0;
                return Ok(Answer {
                    redirected,
                    ..answer
                });
            };
            let next = next.map_err(NetError::Broken)?;
            request = follow(request, next, response.status(), &self.policy);
        }
        Err(NetError::TooManyRedirects)
    }

    async fn send_once(
        &self,
        client: &Client,
        request: &Outgoing,
        secrets: &SecretSet,
    ) -> Result<reqwest::Response, NetError> {
        let allowed = self
            .policy
            .check(&request.url, &request.method, request.auth.as_deref())
            .map_err(NetError::Denied)?;
        self.check_literal(&request.url)?;
        let headers = inject(request.headers.clone(), allowed, secrets)?;
        let left = request.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NetError::Timeout { connected: false });
        }
        client
            .request(request.method.clone(), request.url.clone())
            .headers(headers)
            .timeout(left)
            .body(request.body.clone())
            .send()
            .await
            .map_err(|error| classify(&error))
    }

    /// An address in the URL itself needs no resolver and would pass by it.
    fn check_literal(&self, url: &Url) -> Result<(), NetError> {
        let address = match url.host() {
            Some(Host::Ipv4(v4)) => IpAddr::V4(v4),
            Some(Host::Ipv6(v6)) => IpAddr::V6(v6),
            _ => return Ok(()),
        };
        self.policy
            .check_address(&address.to_string(), address)
            .map_err(NetError::Denied)
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        request: &Outgoing,
        secrets: &SecretSet,
    ) -> Result<Answer, NetError> {
        let status = response.status().as_u16();
        let (headers, mut redactions) = headers::shown_headers(response.headers(), secrets);
        let mut body = Vec::new();
        let mut cut = false;
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| classify(&error).left())?
        {
            if body.len() + chunk.len() > request.down_bytes_max {
                cut = true;
                body.clear();
                break;
            }
            body.extend_from_slice(&chunk);
        }
        let (body, in_body) = secrets.redact(body);
        redactions += in_body;
        if redactions > 0 {
            tracing::warn!(url = %shown(&request.url), redactions, "an answer repeated a secret");
        }
        Ok(Answer {
            status,
            headers,
            body,
            cut,
            redactions,
            redirected: false,
        })
    }

    fn client(&self) -> Result<&Client, NetError> {
        let built = self.client.get_or_init(|| {
            build(&self.policy, false).or_else(|error| {
                tracing::warn!(
                    %error,
                    "no certificates of the system; plugins reach http only until \
                     ca-certificates is installed"
                );
                build(&self.policy, true).map_err(|error| error.to_string())
            })
        });
        built.as_ref().map_err(|error| NetError::Tls(error.clone()))
    }
}

impl NetError {
    fn left(self) -> Self {
        match self {
            Self::Timeout { .. } => Self::Timeout { connected: true },
            Self::Connect(text) | Self::Tls(text) | Self::Invalid(text) => Self::Broken(text),
            Self::Denied(_) | Self::Secret(_) => Self::Redirected(Box::new(self)),
            other => other,
        }
    }
}

fn build(policy: &Arc<OutboundPolicy>, no_roots: bool) -> reqwest::Result<Client> {
    // Another provider being installed already is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("tocsin-plugin-host/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(Duration::from_millis(HTTP_CONNECT_MS))
        // A connection from the pool may be closed already, and then nobody knows whether the
        // request was heard; and every request goes to an address that was checked for it.
        .pool_max_idle_per_host(0)
        .dns_resolver(resolve::Guarded::new(Arc::clone(policy)));
    if no_roots {
        builder.tls_certs_only([]).build()
    } else {
        builder.build()
    }
}

fn inject(
    mut headers: HeaderMap,
    allowed: Allowed<'_>,
    secrets: &SecretSet,
) -> Result<HeaderMap, NetError> {
    let Some(inject) = allowed.inject else {
        return Ok(headers);
    };
    let secret = secrets.get(&inject.secret).map_err(NetError::Secret)?;
    let value = inject.format.replace("{}", secret.expose_secret());
    let name = reqwest::header::HeaderName::from_bytes(inject.header.as_bytes());
    let value = reqwest::header::HeaderValue::from_str(&value);
    let (Ok(name), Ok(mut value)) = (name, value) else {
        let reason = "it has characters that no header can carry".to_owned();
        let error = SecretError::Unreadable {
            name: inject.secret.clone(),
            reason,
        };
        return Err(NetError::Secret(error));
    };
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(headers)
}

/// Where an answer leads, if it is a redirect.
fn redirect(from: &Url, response: &reqwest::Response) -> Option<Result<Url, String>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    let joined = location
        .to_str()
        .map_err(|_| "a redirect leads to something that is no URL".to_owned())
        .and_then(|to| {
            from.join(to)
                .map_err(|error| format!("a redirect: {error}"))
        });
    Some(joined)
}

/// RFC 9110, 15.4: what the next request looks like.
fn follow(old: Outgoing, url: Url, status: StatusCode, policy: &OutboundPolicy) -> Outgoing {
    let mut next = Outgoing { url, ..old.clone() };
    let keeps_method = matches!(status.as_u16(), 307 | 308);
    if !keeps_method && next.method != Method::HEAD && next.method != Method::GET {
        next.method = Method::GET;
        next.body.clear();
        for name in [
            reqwest::header::CONTENT_TYPE,
            reqwest::header::CONTENT_LANGUAGE,
        ] {
            next.headers.remove(name);
        }
    }
    if next.url.origin() != old.url.origin() {
        next.auth = None;
        for name in ["authorization", "cookie"] {
            next.headers.remove(name);
        }
        for name in policy.injected_headers() {
            next.headers.remove(name);
        }
    }
    next
}

/// What went wrong, from the chain of causes: reqwest's own message hides them.
fn classify(error: &reqwest::Error) -> NetError {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(one) = cause {
        if let Some(refused) = one.downcast_ref::<AddressRefused>() {
            return match refused {
                AddressRefused::Denied(denied) => NetError::Denied(denied.clone()),
                AddressRefused::Unresolved(text) => NetError::Connect(text.clone()),
            };
        }
        causes.push(one.to_string());
        cause = one.source();
    }
    causes.dedup();
    let text = causes.join(": ");
    let in_tls = text.contains("certificate") || text.contains("TLS") || text.contains("tls");
    if error.is_timeout() {
        NetError::Timeout {
            connected: !error.is_connect(),
        }
    } else if error.is_connect() && in_tls {
        NetError::Tls(text)
    } else if error.is_connect() {
        NetError::Connect(text)
    } else if error.is_builder() {
        NetError::Invalid(text)
    } else {
        NetError::Broken(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_certificates_still_reaches_http() {
        assert!(build(&Arc::default(), true).is_ok());
    }
}
