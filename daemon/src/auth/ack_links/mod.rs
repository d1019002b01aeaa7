//! Signed links with which a person acknowledges a page, for channels without buttons.
//!
//! GET shows a button and only POST acknowledges, as mail scanners open links. The signing key is
//! created at the first start and stored in a file next to the store, not in it, so that a backup
//! contains no secret.

mod key_file;
mod signature;

use tocsin_core::incident::Incident;
use tocsin_core::time::HOUR_MS;
use tocsin_core::{PersonId, Timestamp};

pub use signature::{ACK_TOKEN_BYTES_MAX, AckClaim, AckKey, AckRefusal, KEY_BYTES};

/// The path of the links, before the token.
pub const ACK_PATH: &str = "/ack/";
/// How long a link is valid, in milliseconds: 48 hours, so that it still works for somebody who
/// reads the mail a day later.
pub const ACK_VALID_MS: u64 = 48 * HOUR_MS;

/// Makes and checks acknowledge links.
pub struct AckLinks {
    key: AckKey,
    base_url: String,
}

impl AckLinks {
    /// Links to the daemon at `base_url`, its public URL without a trailing slash, signed with
    /// `key`.
    #[must_use]
    pub fn new(key: AckKey, base_url: String) -> Self {
        Self { key, base_url }
    }

    /// A link with which `to` can acknowledge a page until [`ACK_VALID_MS`] after `now`.
    #[must_use]
    pub fn link(&self, incident: &Incident, page: u32, to: &PersonId, now: Timestamp) -> String {
        let claim = AckClaim {
            incident: incident.id.clone(),
            page: incident.page_id(page),
            person: to.clone(),
            expires_at: now.plus_ms(ACK_VALID_MS),
        };
        self.url(&claim)
    }

    /// The claim in a link's token.
    ///
    /// # Errors
    /// [`AckRefusal`] when it is incomplete, forged or expired.
    pub fn read(&self, token: &str, now: Timestamp) -> Result<AckClaim, AckRefusal> {
        self.key.verify(token, now)
    }

    fn url(&self, claim: &AckClaim) -> String {
        format!("{}{ACK_PATH}{}", self.base_url, self.key.sign(claim))
    }
}

#[cfg(test)]
mod tests;
