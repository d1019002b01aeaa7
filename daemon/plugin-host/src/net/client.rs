//! The HTTP client of a plugin.

use super::error::{NetError, classify};
use super::headers;
use super::inject::Wire;
use super::message::{Answer, Outgoing};
use super::outbound::{OutboundPolicy, shown};
use super::redirect::{HTTP_REDIRECTS_MAX, follow, redirect};
use super::resolve;
use crate::rights::SecretSet;
use reqwest::{Client, ClientBuilder};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::Instant;
use url::{Host, Url};

/// Connect timeout, in milliseconds.
const HTTP_CONNECT_MS: u64 = 5_000;

/// One generation's HTTP client, built at the first request: loading the system's certificates
/// takes longer than most calls.
#[derive(Debug)]
pub(crate) struct Net {
    policy: Arc<OutboundPolicy>,
    client: OnceLock<Result<Client, String>>,
    /// Speaks HTTP/1.1 only, as a WebSocket begins with an upgrade.
    for_sockets: OnceLock<Result<Client, String>>,
}

impl Net {
    pub(crate) fn new(policy: OutboundPolicy) -> Self {
        Self {
            policy: Arc::new(policy),
            client: OnceLock::new(),
            for_sockets: OnceLock::new(),
        }
    }

    /// Decides where the plugin may send requests.
    pub(crate) fn policy(&self) -> &OutboundPolicy {
        &self.policy
    }

    /// Sends a request and reads the response, following redirects.
    pub(crate) async fn send(
        &self,
        mut request: Outgoing,
        secrets: &SecretSet,
    ) -> Result<Answer, NetError> {
        let client = self.client()?;
        for hop in 0..=HTTP_REDIRECTS_MAX {
            let sent = self.send_once(client, &request, secrets).await;
            // When a redirect is refused, the first request has already been sent.
            let response = sent.map_err(|error| {
                if hop == 0 {
                    error
                } else {
                    error.after_sending()
                }
            })?;
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
        let wire = match allowed.credential() {
            Some(credential) => credential.add(request, secrets)?,
            None => Wire::bare(request),
        };
        let left = request.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NetError::Timeout { connected: false });
        }
        client
            .request(request.method.clone(), wire.url)
            .headers(wire.headers)
            .timeout(left)
            .body(wire.body)
            .send()
            .await
            .map_err(|error| classify(&error))
    }

    /// Checks an address in the URL itself, which the resolver would not see.
    pub(super) fn check_literal(&self, url: &Url) -> Result<(), NetError> {
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
            .map_err(|error| classify(&error).after_sending())?
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
            // The server that redirected chose the URL.
            let (url, _) = secrets.redact_text(&shown(&request.url));
            tracing::warn!(url, redactions, "a response contained a secret");
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
        let built = self.client.get_or_init(|| built(|| base(&self.policy)));
        built.as_ref().map_err(|error| NetError::Tls(error.clone()))
    }

    /// The client that opens WebSockets.
    pub(super) fn for_sockets(&self) -> Result<&Client, NetError> {
        let built = || built(|| base(&self.policy).http1_only());
        let built = self.for_sockets.get_or_init(built);
        built.as_ref().map_err(|error| NetError::Tls(error.clone()))
    }
}

fn built(base: impl Fn() -> ClientBuilder) -> Result<Client, String> {
    base().build().or_else(|error| {
        tracing::warn!(
            %error,
            "no system certificates found; plugins can only use http until \
             ca-certificates is installed"
        );
        let without = base().tls_certs_only([]).build();
        without.map_err(|error| error.to_string())
    })
}

fn base(policy: &Arc<OutboundPolicy>) -> ClientBuilder {
    // Fails when a provider is already installed, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("tocsin-plugin-host/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(Duration::from_millis(HTTP_CONNECT_MS))
        // A pooled connection may already be closed, and then it is unknown whether the request
        // arrived; and every request must go to an address that was checked for it.
        .pool_max_idle_per_host(0)
        .dns_resolver(resolve::Guarded::new(Arc::clone(policy)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_certificates_still_reaches_http() {
        assert!(base(&Arc::default()).tls_certs_only([]).build().is_ok());
    }
}
