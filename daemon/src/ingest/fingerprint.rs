//! The identity of an alert.
//!
//! It is computed before anything is truncated, so that alerts that differ only in truncated parts
//! remain distinct, and a resolve finds its alert.

use tocsin_core::limits::NAME_BYTES_MAX;
use tocsin_core::{Fingerprint, Labels};

const FNV_OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
/// Separates names and values; does not occur in UTF-8.
const SEPARATOR: u8 = 0xff;

/// The fingerprint that Prometheus and Alertmanager give this set of labels: 64-bit FNV-1a over
/// each name and value in the byte order of the names, each followed by the byte 0xFF; 16 hex
/// digits. Source: `LabelSet.Fingerprint` of github.com/prometheus/common.
#[must_use]
pub fn label_fingerprint(labels: &Labels) -> Fingerprint {
    let mut hash = FNV_OFFSET_BASIS;
    for (name, value) in labels {
        for byte in field(name).chain(field(value)) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        }
    }
    Fingerprint(format!("{hash:016x}"))
}

fn field(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().chain(std::iter::once(SEPARATOR))
}

/// A sender's own identifier of an alert, or its hash if it is too long or contains control
/// characters, which a key must not contain.
pub(super) fn sender_fingerprint(text: &str) -> Fingerprint {
    if text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control) {
        return Fingerprint(text.to_owned());
    }
    let hash = blake3::hash(text.as_bytes()).to_hex();
    Fingerprint(format!("blake3:{hash}"))
}
