//! Follows redirects manually: each goes through the full check again.

use super::message::Outgoing;
use super::outbound::OutboundPolicy;
use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};
use url::Url;

/// Most redirects followed for one request.
pub(super) const HTTP_REDIRECTS_MAX: u32 = 3;

/// The target of a response, if it is a redirect.
pub(super) fn redirect(from: &Url, response: &reqwest::Response) -> Option<Result<Url, String>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    let joined = location
        .to_str()
        .map_err(|_| "a redirect's target is not a URL".to_owned())
        .and_then(|to| {
            from.join(to)
                .map_err(|error| format!("a redirect: {error}"))
        });
    Some(joined)
}

/// Turns a request into the next one, per RFC 9110, 15.4.
pub(super) fn follow(
    old: Outgoing,
    url: Url,
    status: StatusCode,
    policy: &OutboundPolicy,
) -> Outgoing {
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
