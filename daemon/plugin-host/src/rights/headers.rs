//! Headers that no plugin may set and no manifest may inject.

/// Connection headers, and headers that the host sets itself.
pub(crate) fn is_reserved_header(name: &str) -> bool {
    const RESERVED: [&str; 12] = [
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "keep-alive",
        "expect",
        // The host decompresses, so that it can redact secrets from responses.
        "accept-encoding",
        "content-encoding",
        "http2-settings",
    ];
    RESERVED.contains(&name) || name.starts_with("proxy-")
}
