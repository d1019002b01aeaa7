//! Headers that no plugin sets and no manifest injects.

/// Headers that belong to the connection or to the host's own bookkeeping.
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
        // The host decompresses, so that it can remove secrets from answers.
        "accept-encoding",
        "content-encoding",
        "http2-settings",
    ];
    RESERVED.contains(&name) || name.starts_with("proxy-")
}
