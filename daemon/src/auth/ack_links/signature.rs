//! The signed token of an acknowledge link.
//!
//! The token is `BASE64URL(claim) . BASE64URL(mac)`: the claim is JSON, the mac is HMAC-SHA256
//! (RFC 2104) over a fixed prefix and the claim's bytes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tocsin_core::incident::Incident;
use tocsin_core::{IncidentId, MessageId, PageId, PersonId, TestId, Timestamp};

/// Longest token that is read, in bytes.
pub const ACK_TOKEN_BYTES_MAX: usize = 2_048;
/// Length of the key, in bytes.
pub const KEY_BYTES: usize = 32;

/// Prefix of the MAC's input, so that no other use of the key can produce a valid link.
const PURPOSE: &[u8] = b"tocsin acknowledge link, version 1\0";

/// The claim of a link: this person acknowledges or answers this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckClaim {
    /// What is acknowledged.
    #[serde(flatten)]
    pub of: AckTarget,
    /// Who acknowledges.
    #[serde(rename = "u")]
    pub person: PersonId,
    /// The channel that showed the link; absent in links of releases that sent them only by mail.
    #[serde(rename = "v", default = "by_mail")]
    pub via: String,
    /// The first instant at which the link is no longer valid.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
}

fn by_mail() -> String {
    "mail".to_owned()
}

/// What a link acknowledges or answers. Each case has its own names, so that a case can be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AckTarget {
    /// A page of one incident.
    Page {
        #[serde(rename = "i")]
        incident: IncidentId,
        #[serde(rename = "p")]
        page: PageId,
    },
    /// What a message asks, with one of the choices.
    Answer {
        #[serde(rename = "m")]
        message: MessageId,
        #[serde(rename = "c")]
        choice: String,
    },
    /// Every page that a message brought. After the case above, whose names begin like this one's.
    Message {
        #[serde(rename = "m")]
        message: MessageId,
    },
    /// A test of the way to a person.
    Test {
        #[serde(rename = "t")]
        test: TestId,
    },
}

impl AckTarget {
    /// A page of an incident, by its number.
    #[must_use]
    pub fn page(incident: &Incident, page: u32) -> Self {
        Self::Page {
            incident: incident.id.clone(),
            page: incident.page_id(page),
        }
    }
}

/// Why a link is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AckRefusal {
    /// Part of the token is missing, or it is not a token.
    #[error("this link is incomplete; open it from the message again, or copy all of it")]
    Malformed,
    /// The signature is not valid.
    #[error("this link was not made by this daemon; use chat or the CLI")]
    Forged,
    /// The link has expired.
    #[error("this link has expired; use chat or the CLI")]
    Expired,
}

/// The key that signs links.
#[derive(Clone)]
pub struct AckKey(SecretSlice<u8>);

impl AckKey {
    /// A key of random bytes.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(SecretSlice::from(bytes.to_vec()))
    }

    /// The token with this claim.
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

    /// The claim in a token. Compares in constant time, and parses the claim only after its
    /// signature was checked.
    ///
    /// # Errors
    /// [`AckRefusal`], with a message for the person.
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
