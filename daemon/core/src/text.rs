//! Limits on texts from people, senders and policies.

use crate::refusal::Refusal;

/// The text, truncated at a character boundary to at most `bytes_max` bytes.
#[must_use]
pub fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let end = (0..=bytes_max)
            .rev()
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(0);
        text.truncate(end);
    }
    text
}

pub(crate) fn bounded(what: &str, text: String, bytes_max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Refusal::Invalid(format!(
            "the {what} is empty; enter some text"
        )));
    }
    if text.len() > bytes_max {
        let size = text.len();
        return Err(Refusal::Invalid(format!(
            "the {what} takes {size} bytes, more than {bytes_max}; shorten it"
        )));
    }
    if escaped_bytes(text) > bytes_max + ESCAPES_BYTES_MAX {
        return Err(Refusal::Invalid(format!(
            "the {what} has too many control characters; remove them"
        )));
    }
    Ok(text.to_owned())
}

/// How many bytes a text takes as JSON.
pub(crate) fn escaped_bytes(text: &str) -> usize {
    text.bytes().map(escaped_byte).sum()
}

/// The start of the text that takes at most `bytes_max` bytes as JSON.
pub(crate) fn cut_as_json(text: &str, bytes_max: usize) -> String {
    let mut bytes = 0;
    let fits = |it: &char| {
        let mut encoded = [0; 4];
        bytes += escaped_bytes(it.encode_utf8(&mut encoded));
        bytes <= bytes_max
    };
    text.chars().take_while(fits).collect()
}

fn escaped_byte(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        byte if byte < b' ' => 6,
        _ => 1,
    }
}

/// Most bytes that escaping may add to a text in JSON.
const ESCAPES_BYTES_MAX: usize = 2 * 1_024;
