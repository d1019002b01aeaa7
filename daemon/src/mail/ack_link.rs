//! Links that acknowledge one page for one person, signed so that nobody can make or change one.
//!
//! A link's token is `BASE64URL(claim) . BASE64URL(mac)`: the claim is JSON, the mac is
//! HMAC-SHA256 (RFC 2104) over a fixed prefix and the claim's bytes. Opening a link shows a
//! button and does nothing, since mail scanners open links; pressing it acknowledges.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tocsin_core::time::HOUR_MS;
use tocsin_core::{IncidentId, PageId, PersonId, Timestamp};

/// Where the links lead: GET shows the button, POST acknowledges.
pub const ACK_PATH: &str = "/ack/";
/// How long a link is good, in milliseconds: 24 hours.
pub const ACK_VALID_MS: u64 = 24 * HOUR_MS;
/// Longest token that is looked at, in bytes.
pub const ACK_TOKEN_BYTES_MAX: usize = 2_048;
/// Bytes of the key.
pub const KEY_BYTES: usize = 32;

/// What the mac covers before the claim, so that no other use of the key can make a link.
const PURPOSE: &[u8] = b"tocsin acknowledge link, version 1\0";

/// What a link says: this person acknowledges this page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckClaim {
    /// The incident.
    #[serde(rename = "i")]
    pub incident: IncidentId,
    /// The page.
    #[serde(rename = "p")]
    pub page: PageId,
    /// Who acknowledges by it.
    #[serde(rename = "u")]
    pub person: PersonId,
    /// The first instant at which it is no longer good.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
}

/// Why a link does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AckRefusal {
    /// Part of it is missing.
    #[error("this acknowledge link is incomplete; open it from the mail again, or copy all of it")]
    Malformed,
    /// Its signature is not ours.
    #[error("this acknowledge link was not made by this daemon; acknowledge in chat or console")]
    Forged,
    /// It was good, and is no longer.
    #[error("this acknowledge link has expired; acknowledge in chat or console")]
    Expired,
}

/// The key that signs links. Made once from the system's generator, and kept by the daemon.
#[derive(Clone)]
pub struct AckKey(SecretSlice<u8>);

impl AckKey {
    /// A key of random bytes.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(SecretSlice::from(bytes.to_vec()))
    }

    /// The token of a link.
    #[must_use]
    pub fn sign(&self, claim: &AckClaim) -> String {
        let claim = serde_json::to_vec(claim).unwrap_or_default();
        let mac = self.mac(&claim).finalize().into_bytes();
        format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(claim),
            URL_SAFE_NO_PAD.encode(mac)
        )
    }

    /// The whole link. `base_url` is the daemon's public URL without a slash at its end.
    #[must_use]
    pub fn link(&self, base_url: &str, claim: &AckClaim) -> String {
        format!("{base_url}{ACK_PATH}{}", self.sign(claim))
    }

    /// What a token says, if it is ours and still good. Compares in constant time, and looks at
    /// nothing that is not signed.
    ///
    /// # Errors
    /// [`AckRefusal`], with what to tell the person.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AckClaim, AckRefusal> {
        if token.len() > ACK_TOKEN_BYTES_MAX {
            return Err(AckRefusal::Malformed);
        }
        let (claim, mac) = token.trim().split_once('.').ok_or(AckRefusal::Malformed)?;
        let decode = |text: &str| {
            URL_SAFE_NO_PAD
                .decode(text)
                .map_err(|_| AckRefusal::Malformed)
        };
        let (claim, mac) = (decode(claim)?, decode(mac)?);
        self.mac(&claim)
            .verify_slice(&mac)
            .map_err(|_| AckRefusal::Forged)?;
        let claim: AckClaim = serde_json::from_slice(&claim).map_err(|_| AckRefusal::Malformed)?;
        match now < claim.expires_at {
            true => Ok(claim),
            false => Err(AckRefusal::Expired),
        }
    }

    #[expect(clippy::expect_used, reason = "proven below")]
    fn mac(&self, claim: &[u8]) -> Hmac<Sha256> {
        // proof: HMAC takes a key of any length, so this cannot fail
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("any length");
        mac.update(PURPOSE);
        mac.update(claim);
        mac
    }
}

impl fmt::Debug for AckKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AckKey(…)")
    }
}
