//! Verifies the signatures of webhooks.
//!
//! The host verifies, over the raw bytes and in constant time, so that no plugin has to and none
//! ever gets the secret. Sources: Slack, "Verifying requests from Slack"; GitLab, "Webhooks:
//! secret token"; standardwebhooks.com, specification 1; GitHub's `X-Hub-Signature-256` for the
//! plain HMAC.

use crate::rights::manifest::{Scheme, VerifyAsk};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Signatures tried from one `webhook-signature` header.
const SIGNATURES_MAX: usize = 8;

/// Why a webhook is rejected. Safe to send back: reveals nothing about the correct signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The sender did not sign.
    #[error("the header `{0}` is missing; is the sender configured to sign its requests?")]
    Missing(String),
    /// The header cannot be read.
    #[error("the header `{0}` is malformed")]
    Malformed(String),
    /// Too old, or from the future.
    #[error(
        "the request is {off_s} s off this machine's clock, more than {tolerance_s} s; \
        it is a replay, or one of the two clocks is wrong"
    )]
    Stale {
        /// The absolute difference, in seconds.
        off_s: u64,
        /// The allowed difference, in seconds.
        tolerance_s: u64,
    },
    /// The wrong secret, or a changed body.
    #[error("the signature does not match; do both sides have the same secret?")]
    Mismatch,
    /// The operator's secret has the wrong format for the scheme.
    #[error("the secret `{0}` does not have the format of the scheme (whsec_ and base64)")]
    Secret(String),
}

/// Headers that authenticate the sender; they are hidden from the guest.
pub(crate) fn signature_headers(scheme: &Scheme) -> Vec<&str> {
    match scheme {
        Scheme::SlackV0 => vec!["x-slack-signature"],
        Scheme::GitlabToken => vec!["x-gitlab-token"],
        Scheme::StandardWebhooks => vec!["webhook-signature"],
        Scheme::HmacSha256 { header } => vec![header],
        Scheme::None => vec![],
    }
}

/// Checks a request. Names in `headers` are in lower case; `now_ms` is the host's clock.
/// Returns `true` when the sender was verified and `false` for [`Scheme::None`].
///
/// # Errors
/// Why it is rejected.
pub fn verify(
    ask: &VerifyAsk,
    secret: &str,
    headers: &[(String, Vec<u8>)],
    body: &[u8],
    now_ms: u64,
) -> Result<bool, VerifyError> {
    let request = Request {
        headers,
        body,
        now_ms,
        tolerance_s: ask.tolerance_s,
    };
    match &ask.scheme {
        Scheme::SlackV0 => request.slack(secret)?,
        Scheme::GitlabToken => request.token("x-gitlab-token", secret)?,
        Scheme::StandardWebhooks => request.standard(secret, &ask.secret)?,
        Scheme::HmacSha256 { header } => request.hmac(header, secret)?,
        Scheme::None => return Ok(false),
    }
    Ok(true)
}

struct Request<'r> {
    headers: &'r [(String, Vec<u8>)],
    body: &'r [u8],
    now_ms: u64,
    tolerance_s: u64,
}

impl Request<'_> {
    fn slack(&self, secret: &str) -> Result<(), VerifyError> {
        let timestamp = self.text("x-slack-request-timestamp")?;
        self.check_timestamp("x-slack-request-timestamp", timestamp)?;
        let signature = self.text("x-slack-signature")?;
        let hex = signature
            .strip_prefix("v0=")
            .ok_or_else(|| VerifyError::Malformed("x-slack-signature".into()))?;
        let given = decode_hex("x-slack-signature", hex)?;
        let parts = [b"v0:", timestamp.as_bytes(), b":", self.body];
        matches(&mac(secret.as_bytes(), &parts), &given)
    }

    fn token(&self, header: &str, secret: &str) -> Result<(), VerifyError> {
        let given = self.value(header)?;
        // Compares digests of equal length, so as not to reveal the secret's length.
        let ours = blake3::hash(secret.as_bytes());
        matches(ours.as_bytes(), blake3::hash(given).as_bytes())
    }

    fn standard(&self, secret: &str, secret_name: &str) -> Result<(), VerifyError> {
        let id = self.text("webhook-id")?;
        let timestamp = self.text("webhook-timestamp")?;
        self.check_timestamp("webhook-timestamp", timestamp)?;
        let key = STANDARD
            .decode(secret.strip_prefix("whsec_").unwrap_or(secret))
            .map_err(|_| VerifyError::Secret(secret_name.into()))?;
        let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", self.body];
        let ours = mac(&key, &parts);
        let signatures = self.text("webhook-signature")?;
        let known = signatures
            .split(' ')
            .filter_map(|one| one.strip_prefix("v1,"));
        for given in known.take(SIGNATURES_MAX) {
            let given = STANDARD
                .decode(given)
                .map_err(|_| VerifyError::Malformed("webhook-signature".into()))?;
            if matches(&ours, &given).is_ok() {
                return Ok(());
            }
        }
        Err(VerifyError::Mismatch)
    }

    fn hmac(&self, header: &str, secret: &str) -> Result<(), VerifyError> {
        let given = self.text(header)?;
        let given = decode_hex(header, given.strip_prefix("sha256=").unwrap_or(given))?;
        matches(&mac(secret.as_bytes(), &[self.body]), &given)
    }

    fn check_timestamp(&self, header: &str, seconds: &str) -> Result<(), VerifyError> {
        let malformed = |_| VerifyError::Malformed(header.to_owned());
        let at_s: u64 = seconds.parse().map_err(malformed)?;
        let off_s = (self.now_ms / 1000).abs_diff(at_s);
        if off_s > self.tolerance_s {
            return Err(VerifyError::Stale {
                off_s,
                tolerance_s: self.tolerance_s,
            });
        }
        Ok(())
    }

    fn text(&self, header: &str) -> Result<&str, VerifyError> {
        std::str::from_utf8(self.value(header)?)
            .map_err(|_| VerifyError::Malformed(header.to_owned()))
    }

    /// The header's only value; with two it would be unknown which one the sender signed with.
    fn value(&self, header: &str) -> Result<&[u8], VerifyError> {
        let mut values = self
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(header));
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Ok(value),
            (None, _) => Err(VerifyError::Missing(header.to_owned())),
            _ => Err(VerifyError::Malformed(header.to_owned())),
        }
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // proof: HMAC takes keys of every length.
    #[allow(clippy::expect_used)]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn decode_hex(header: &str, text: &str) -> Result<Vec<u8>, VerifyError> {
    hex::decode(text).map_err(|_| VerifyError::Malformed(header.to_owned()))
}

fn matches(ours: &[u8], given: &[u8]) -> Result<(), VerifyError> {
    if bool::from(ours.ct_eq(given)) {
        Ok(())
    } else {
        Err(VerifyError::Mismatch)
    }
}

#[cfg(test)]
mod tests;
