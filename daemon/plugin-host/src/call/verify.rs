//! Verifies the signatures of webhooks.
//!
//! The host verifies, over the raw bytes and in constant time, so that no plugin has to and none
//! ever gets the secret. Sources: Slack, "Verifying requests from Slack"; GitLab, "Webhooks:
//! secret token"; standardwebhooks.com, specification 1; GitHub's `X-Hub-Signature` and
//! `X-Hub-Signature-256` for the plain HMAC; Twilio, "Webhooks security"; Square's
//! `x-square-hmacsha256-signature` for the HMAC over URL and body; RFC 6750 and RFC 7617.

use crate::rights::manifest::{HmacHash, Scheme, Signed, VerifyAsk};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use url::form_urlencoded;

/// Signatures tried from one `webhook-signature` header.
const SIGNATURES_MAX: usize = 8;
const AUTHORIZATION: &str = "authorization";
const TWILIO_HEADER: &str = "x-twilio-signature";
const SLACK_TIMESTAMP: &str = "x-slack-request-timestamp";
const STANDARD_TIMESTAMP: &str = "webhook-timestamp";

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
        Scheme::StandardWebhooks => vec!["webhook-signature"],
        Scheme::Token { header } | Scheme::Hmac { header, .. } => vec![header],
        Scheme::Bearer | Scheme::Basic => vec![AUTHORIZATION],
        Scheme::Twilio => vec![TWILIO_HEADER],
        Scheme::None => vec![],
    }
}

/// When a verified request was signed, in seconds since 1970; `None` if the scheme signs no time.
pub(crate) fn signed_s(scheme: &Scheme, headers: &[(String, Vec<u8>)]) -> Option<u64> {
    let header = match scheme {
        Scheme::SlackV0 => SLACK_TIMESTAMP,
        Scheme::StandardWebhooks => STANDARD_TIMESTAMP,
        Scheme::Token { .. }
        | Scheme::Bearer
        | Scheme::Basic
        | Scheme::Hmac { .. }
        | Scheme::Twilio
        | Scheme::None => return None,
    };
    let mut headers = headers.iter();
    let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case(header))?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// A request as received.
#[derive(Debug, Clone, Copy)]
pub struct Received<'r> {
    /// The URL that the sender used: the daemon's public URL with path and query.
    pub url: &'r str,
    /// Names in any case.
    pub headers: &'r [(String, Vec<u8>)],
    pub body: &'r [u8],
    /// The host's clock.
    pub now_ms: u64,
}

/// Checks a request. Returns `true` when the sender was verified and `false` for [`Scheme::None`].
///
/// # Errors
/// Why it is rejected.
pub fn verify(ask: &VerifyAsk, secret: &str, received: Received<'_>) -> Result<bool, VerifyError> {
    let request = Request {
        received,
        tolerance_s: ask.tolerance_s,
    };
    match &ask.scheme {
        Scheme::SlackV0 => request.slack(secret)?,
        Scheme::StandardWebhooks => request.standard(secret, &ask.secret)?,
        Scheme::Token { header } => matches_secret(request.value(header)?, secret)?,
        Scheme::Bearer => matches_secret(request.credentials("bearer")?, secret)?,
        Scheme::Basic => matches_secret(&request.password()?, secret)?,
        Scheme::Hmac {
            hash,
            signed,
            header,
        } => request.hmac((*hash, *signed), header, secret)?,
        Scheme::Twilio => request.twilio(secret)?,
        Scheme::None => return Ok(false),
    }
    Ok(true)
}

struct Request<'r> {
    received: Received<'r>,
    tolerance_s: u64,
}

impl Request<'_> {
    fn slack(&self, secret: &str) -> Result<(), VerifyError> {
        let timestamp = self.text(SLACK_TIMESTAMP)?;
        self.check_timestamp(SLACK_TIMESTAMP, timestamp)?;
        let signature = self.text("x-slack-signature")?;
        let hex = signature
            .strip_prefix("v0=")
            .ok_or_else(|| VerifyError::Malformed("x-slack-signature".into()))?;
        let given = decode_hex("x-slack-signature", hex)?;
        let parts = [b"v0:", timestamp.as_bytes(), b":", self.received.body];
        matches(&mac::<Hmac<Sha256>>(secret.as_bytes(), &parts), &given)
    }

    fn standard(&self, secret: &str, secret_name: &str) -> Result<(), VerifyError> {
        let id = self.text("webhook-id")?;
        let timestamp = self.text(STANDARD_TIMESTAMP)?;
        self.check_timestamp(STANDARD_TIMESTAMP, timestamp)?;
        let key = STANDARD
            .decode(secret.strip_prefix("whsec_").unwrap_or(secret))
            .map_err(|_| VerifyError::Secret(secret_name.into()))?;
        let parts = [
            id.as_bytes(),
            b".",
            timestamp.as_bytes(),
            b".",
            self.received.body,
        ];
        let ours = mac::<Hmac<Sha256>>(&key, &parts);
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

    fn hmac(
        &self,
        (hash, signed): (HmacHash, Signed),
        header: &str,
        secret: &str,
    ) -> Result<(), VerifyError> {
        let text = self.text(header)?;
        let (prefix, bytes) = match hash {
            HmacHash::Sha1 => ("sha1=", 20),
            HmacHash::Sha256 => ("sha256=", 32),
        };
        let text = text.strip_prefix(prefix).unwrap_or(text);
        // The length tells them apart: hexadecimal digits are base 64 too, of more bytes.
        let given = match hex::decode(text) {
            Ok(given) if given.len() == bytes => given,
            _ => decode_base64(header, text)?,
        };
        let url = match signed {
            Signed::Body => "",
            Signed::UrlAndBody => self.received.url,
        };
        let (key, parts) = (secret.as_bytes(), [url.as_bytes(), self.received.body]);
        let ours = match hash {
            HmacHash::Sha1 => mac::<Hmac<Sha1>>(key, &parts),
            HmacHash::Sha256 => mac::<Hmac<Sha256>>(key, &parts),
        };
        matches(&ours, &given)
    }

    /// What follows the name of the scheme in `Authorization`; its name may be in any case.
    fn credentials(&self, scheme: &str) -> Result<&[u8], VerifyError> {
        let text = self.text(AUTHORIZATION)?;
        let (name, rest) = text.split_once(' ').unwrap_or_default();
        match name.eq_ignore_ascii_case(scheme) {
            true => Ok(rest.trim().as_bytes()),
            false => Err(VerifyError::Malformed(AUTHORIZATION.to_owned())),
        }
    }

    fn password(&self) -> Result<Vec<u8>, VerifyError> {
        let malformed = || VerifyError::Malformed(AUTHORIZATION.to_owned());
        let pair = STANDARD.decode(self.credentials("basic")?);
        let pair = pair.map_err(|_| malformed())?;
        let colon = pair.iter().position(|byte| *byte == b':');
        Ok(pair[colon.ok_or_else(malformed)? + 1..].to_vec())
    }

    /// Signs the URL, then the name and value of each field of the form, sorted by name.
    fn twilio(&self, secret: &str) -> Result<(), VerifyError> {
        let given = decode_base64(TWILIO_HEADER, self.text(TWILIO_HEADER)?)?;
        let mut fields: Vec<_> = form_urlencoded::parse(self.received.body).collect();
        fields.sort();
        // A field with the same value twice is signed once.
        fields.dedup();
        let fields = fields.iter().flat_map(|(name, value)| [&**name, &**value]);
        let fields: Vec<_> = fields.map(str::as_bytes).collect();
        let signs = |url: &str| {
            let parts = [&[url.as_bytes()], &fields[..]].concat();
            matches(&mac::<Hmac<Sha1>>(secret.as_bytes(), &parts), &given)
        };
        let url = self.received.url;
        // Whether Twilio signs a URL with its port or without depends on the kind of request.
        signs(url).or_else(|mismatch| signs(&other_port(url).ok_or(mismatch)?))
    }

    fn check_timestamp(&self, header: &str, seconds: &str) -> Result<(), VerifyError> {
        let malformed = |_| VerifyError::Malformed(header.to_owned());
        let at_s: u64 = seconds.parse().map_err(malformed)?;
        let off_s = (self.received.now_ms / 1000).abs_diff(at_s);
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
            .received
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

fn mac<M: KeyInit + Mac>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // proof: HMAC takes keys of every length.
    #[allow(clippy::expect_used)]
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// The same URL without its port, or with the default port of its scheme if it has none.
fn other_port(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let default = if scheme == "https" { 443 } else { 80 };
    let end = host.rfind(']').unwrap_or(0);
    match host[end..].rfind(':') {
        Some(at) => Some(format!("{scheme}://{}{path}", &host[..end + at])),
        None => Some(format!("{scheme}://{host}:{default}{path}")),
    }
}

fn decode_base64(header: &str, text: &str) -> Result<Vec<u8>, VerifyError> {
    STANDARD
        .decode(text)
        .map_err(|_| VerifyError::Malformed(header.to_owned()))
}

fn decode_hex(header: &str, text: &str) -> Result<Vec<u8>, VerifyError> {
    hex::decode(text).map_err(|_| VerifyError::Malformed(header.to_owned()))
}

/// Compares digests of equal length, so as not to reveal the secret's length.
fn matches_secret(given: &[u8], secret: &str) -> Result<(), VerifyError> {
    let ours = blake3::hash(secret.as_bytes());
    matches(ours.as_bytes(), blake3::hash(given).as_bytes())
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
