//! Canary secrets, and the search for them in every common encoding.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A secret, and the encodings in which it is searched for.
#[derive(Clone, Debug)]
pub struct Canary {
    /// What kind of secret it is.
    pub kind: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    #[must_use]
    pub fn new(kind: &str, text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut forms = vec![
            ("as it is", bytes.to_vec()),
            ("in hex", hex::encode(bytes).into_bytes()),
            ("in hex", hex::encode_upper(bytes).into_bytes()),
            ("url-encoded", url_encoded(text).into_bytes()),
            ("reversed", bytes.iter().rev().copied().collect()),
        ];
        // Within a longer text base 64 has three forms, whose ends depend on the neighboring bytes.
        for shift in 0..3 {
            let padded = [&b"xxx"[..shift], bytes].concat();
            for encoded in [
                STANDARD_NO_PAD.encode(&padded),
                URL_SAFE_NO_PAD.encode(&padded),
            ] {
                let inner = encoded.get(4..encoded.len().saturating_sub(3));
                forms.push(("in base 64", inner.unwrap_or_default().into()));
            }
        }
        forms.retain(|(_, form)| form.len() >= 8);
        Self {
            kind: kind.to_owned(),
            forms,
        }
    }

    /// The encoding in which the bytes contain it, if they do.
    #[must_use]
    pub fn is_in(&self, haystack: &[u8]) -> Option<&'static str> {
        let found = self.forms.iter().find(|(_, form)| holds(haystack, form));
        found.map(|(name, _)| *name)
    }
}

/// Every leak: the secret, its encoding, the place, and the surrounding text.
#[must_use]
pub fn leaks(canaries: &[Canary], place: &str, haystack: &[u8]) -> Vec<String> {
    let leak = |it: &Canary| {
        let form = it.is_in(haystack)?;
        let needle = it.forms.iter().find(|(_, form)| holds(haystack, form));
        let around = needle.and_then(|(_, form)| find(haystack, form));
        let around = around.map_or(String::new(), |at| around_of(haystack, at));
        Some(format!("{} {form} in {place}: …{around}…", it.kind))
    };
    canaries.iter().filter_map(leak).collect()
}

/// As [`leaks`], for every file under a folder except the named ones.
///
/// # Errors
/// When a file cannot be read.
pub fn leaks_in_files(
    canaries: &[Canary],
    folder: &Path,
    but: &[&str],
) -> std::io::Result<(Vec<String>, usize)> {
    let (mut found, mut files) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if but.contains(&name.as_ref()) {
            continue;
        }
        if path.is_dir() {
            let (more, count) = leaks_in_files(canaries, &path, but)?;
            found.extend(more);
            files += count;
        } else {
            files += 1;
            let place = path.display().to_string();
            found.extend(leaks(canaries, &place, &std::fs::read(&path)?));
        }
    }
    Ok((found, files))
}

fn around_of(haystack: &[u8], at: usize) -> String {
    let begin = at.saturating_sub(160);
    let end = haystack.len().min(at + 80);
    String::from_utf8_lossy(&haystack[begin..end]).replace('\n', " ")
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    find(haystack, needle).is_some()
}

/// Searches for the first byte and compares there; haystacks have megabytes.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|byte| *byte == first) {
        let at = from + at;
        if haystack[at..].starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

fn url_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_every_form_and_in_the_middle_of_a_text() {
        let canary = Canary::new("test", "canary/of+this=test");
        for text in [
            "a canary/of+this=test b".to_owned(),
            hex::encode("xcanary/of+this=testx"),
            "canary%2Fof%2Bthis%3Dtest".to_owned(),
            base64::prelude::BASE64_STANDARD.encode("user:canary/of+this=test"),
            base64::prelude::BASE64_STANDARD.encode("a canary/of+this=test and more"),
            base64::prelude::BASE64_URL_SAFE.encode("ab canary/of+this=test"),
        ] {
            assert!(canary.is_in(text.as_bytes()).is_some(), "{text}");
        }
        assert_eq!(canary.is_in(b"canary/of+this=tes and its like"), None);
    }
}
