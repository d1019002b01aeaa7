//! Keys that are stable across retries, restarts and reloads.

/// 130 bits of BLAKE3 over the parts in 26 characters of base 32 (RFC 4648, lower case). Parts are
/// joined with their lengths, so that `("ab", "c")` and `("a", "bc")` differ.
pub(crate) fn digest(domain: &str, parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in std::iter::once(&domain).chain(parts) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    base32(hasher.finalize().as_bytes())
}

fn base32(bytes: &[u8; 32]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut text = String::with_capacity(26);
    for index in 0..26 {
        let bit = index * 5;
        let pair = u16::from(bytes[bit / 8]) << 8 | u16::from(bytes[bit / 8 + 1]);
        let value = (pair >> (11 - bit % 8)) & 31;
        text.push(char::from(ALPHABET[usize::from(value)]));
    }
    text
}

/// The key of an event's delivery to a plugin: the same for every attempt.
pub fn delivery_key(plugin: &str, event_id: &str) -> String {
    digest("d1", &[plugin, event_id])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_stable_and_depends_on_every_part() {
        assert_eq!(delivery_key("slack", "e1"), delivery_key("slack", "e1"));
        assert_eq!(delivery_key("slack", "e1").len(), 26);
        assert_ne!(digest("d", &["ab", "c"]), digest("d", &["a", "bc"]));
        assert_ne!(delivery_key("slack", "e1"), delivery_key("slack", "e2"));
    }

    #[test]
    fn base_32_is_rfc_4648s() {
        let mut bytes = [0; 32];
        bytes[..6].copy_from_slice(b"foobar");
        assert!(base32(&bytes).starts_with("mzxw6ytbo"));
    }
}
