//! Filters request and response headers.

use crate::rights::{SecretSet, is_reserved_header};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Most headers of one outgoing request.
const HTTP_HEADERS_MAX: usize = 64;
/// Most bytes of header names and values per message.
const HTTP_HEADER_BYTES_MAX: usize = 16 << 10;

/// Converts the guest's headers. Refuses connection headers, headers that the host injects (a
/// guest must not forge them), and invalid ones.
pub(crate) fn outgoing_headers<'h>(
    headers: impl Iterator<Item = (&'h str, &'h str)>,
    injected: &[&str],
) -> Result<HeaderMap, String> {
    let mut out = HeaderMap::new();
    let mut bytes = 0;
    for (name, value) in headers {
        bytes += name.len() + value.len();
        if out.len() >= HTTP_HEADERS_MAX || bytes > HTTP_HEADER_BYTES_MAX {
            return Err(format!(
                "at most {HTTP_HEADERS_MAX} headers with {HTTP_HEADER_BYTES_MAX} bytes in total"
            ));
        }
        let shown = name.escape_debug();
        let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(format!("`{shown}` is not a header name"));
        };
        if is_reserved_header(header.as_str()) {
            return Err(format!(
                "the header `{shown}` is set by the host; remove it"
            ));
        }
        if injected.contains(&header.as_str()) {
            return Err(format!(
                "the header `{shown}` is injected by the host; name its right in `auth`"
            ));
        }
        let Ok(value) = HeaderValue::from_str(value) else {
            return Err(format!(
                "the value of `{shown}` has characters that are not allowed in a header"
            ));
        };
        out.append(header, value);
    }
    Ok(out)
}

/// The headers shown to the guest: no cookies, no challenges, no connection headers, no secrets.
pub(super) fn shown_headers(
    headers: &HeaderMap,
    secrets: &SecretSet,
) -> (Vec<(String, String)>, usize) {
    const HIDDEN: [&str; 4] = [
        "set-cookie",
        "www-authenticate",
        "authentication-info",
        "alt-svc",
    ];
    let mut shown = Vec::new();
    let mut bytes = 0;
    let mut redactions = 0;
    for (name, value) in headers {
        let name = name.as_str();
        if HIDDEN.contains(&name) || is_reserved_header(name) {
            continue;
        }
        let (text, found) = secrets.redact_text(&String::from_utf8_lossy(value.as_bytes()));
        redactions += found;
        bytes += name.len() + text.len();
        if bytes > HTTP_HEADER_BYTES_MAX {
            break;
        }
        shown.push((name.to_owned(), text));
    }
    (shown, redactions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_one(name: &str, value: &str) -> Result<HeaderMap, String> {
        outgoing_headers(
            std::iter::once((name, value)),
            &["authorization", "x-api-key"],
        )
    }

    #[test]
    fn a_guest_cannot_smuggle_headers() {
        let refused = [
            ("Host", "evil.example"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "3"),
            ("Connection", "close"),
            ("Proxy-Authorization", "Basic x"),
            ("proxy-anything", "x"),
            ("Accept-Encoding", "br"),
            ("Expect", "100-continue"),
            ("Authorization", "Bearer mine"),
            ("X-API-Key", "mine"),
            ("x\r\nhost", "evil.example"),
            ("x-a", "1\r\nhost: evil.example"),
            ("x-a", "1\nhost: evil.example"),
            ("x-a", "nul\0"),
            ("", "empty"),
            ("a b", "space"),
            (":authority", "evil.example"),
        ];
        for (name, value) in refused {
            assert!(try_one(name, value).is_err(), "{name:?}: {value:?}");
        }
        assert!(try_one("content-type", "application/json").is_ok());
    }

    #[test]
    fn too_many_headers_are_refused() {
        let many = (0..=HTTP_HEADERS_MAX).map(|_| ("x-a", "1"));
        assert!(outgoing_headers(many, &[]).is_err());
        let long = "a".repeat(HTTP_HEADER_BYTES_MAX);
        assert!(try_one("x-a", &long).is_err());
    }
}
