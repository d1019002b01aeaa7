//! Truncates texts, and writes digests as text.

const CUT: &str = "…";

/// `text`, truncated at a character boundary to at most `bytes_max` bytes including the ellipsis.
pub(crate) fn cut(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let mut end = bytes_max.saturating_sub(CUT.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    format!("{}{CUT}", text.get(..end).unwrap_or(""))
}

/// First 16 hex digits of BLAKE3.
pub(crate) fn short_hash(hash: &blake3::Hash) -> String {
    hash.to_hex().chars().take(16).collect()
}
