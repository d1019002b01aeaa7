//! Signed links with which a person acknowledges a page, for channels without buttons.
//!
//! GET shows a button and only POST acknowledges, as mail scanners open links. The signing key is
//! created at the first start and stored in a file next to the store, not in it, so that a backup
//! contains no secret.

mod key_file;
mod signature;

use tocsin_core::time::HOUR_MS;
use tocsin_core::{PersonId, Timestamp};

pub use signature::{ACK_TOKEN_BYTES_MAX, AckClaim, AckKey, AckRefusal, AckTarget, KEY_BYTES};

/// The path of the links, before the token.
pub const ACK_PATH: &str = "/ack/";
/// How long a link is valid, in milliseconds, unless the incident is resolved before: 12 hours, so
/// that it works for a whole shift, and a forwarded mail does not for long.
pub const ACK_VALID_MS: u64 = 12 * HOUR_MS;

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

    /// A link with which `to` can acknowledge something until [`ACK_VALID_MS`] after `now`. `via`
    /// is the channel that shows it, such as `mail` or `ntfy`.
    #[must_use]
    pub fn link(&self, of: AckTarget, to: &PersonId, via: &str, now: Timestamp) -> String {
        self.link_until(of, to, via, (now, now))
    }

    /// The same for what may still be pressed until `until`, if that is later.
    #[must_use]
    pub fn link_until(
        &self,
        of: AckTarget,
        to: &PersonId,
        via: &str,
        (now, until): (Timestamp, Timestamp),
    ) -> String {
        self.url(&AckClaim {
            of,
            person: to.clone(),
            via: via.to_owned(),
            expires_at: until.max(now.plus_ms(ACK_VALID_MS)),
        })
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
