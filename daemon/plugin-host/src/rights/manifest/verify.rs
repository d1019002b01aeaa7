//! How the sender of a webhook is authenticated, and what identifies a request of it.

use super::raw::RawVerify;

/// Default of a signed request's `tolerance-s`, in seconds.
const TOLERANCE_S: u64 = 300;
/// Largest `tolerance-s`.
const TOLERANCE_S_MAX: u64 = 3600;
/// Where GitLab puts an id of the request: the first since 17.4, the second before.
const GITLAB_IDS: [&str; 2] = ["idempotency-key", "x-gitlab-event-uuid"];
const GITLAB_TOKEN: &str = "x-gitlab-token";
const WEBHOOK_ID: &str = "webhook-id";

/// A signature scheme with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyAsk {
    pub scheme: Scheme,
    /// The secret's name. Empty for [`Scheme::None`].
    pub secret: String,
    /// Maximum age of a signed request, in seconds.
    pub tolerance_s: u64,
    /// Headers (lower case) that may have the sender's id of the request, which a retry repeats;
    /// the first one that is there counts.
    pub id_headers: Vec<String>,
}

/// Ways to sign a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// Slack's `v0`.
    SlackV0,
    /// standardwebhooks.com, version 1, symmetric.
    StandardWebhooks,
    /// The secret itself in this header (lower case), such as GitLab's `X-Gitlab-Token`.
    Token {
        /// The header's name.
        header: String,
    },
    /// `Authorization: Bearer SECRET`.
    Bearer,
    /// `Authorization: Basic` with the secret as the password and any user.
    Basic,
    /// An HMAC in hexadecimal or base 64, in this header (lower case).
    Hmac {
        hash: HmacHash,
        signed: Signed,
        /// The header's name.
        header: String,
    },
    /// Twilio's `X-Twilio-Signature`: HMAC-SHA-1 of the URL and the sorted fields of the form.
    Twilio,
    /// Not verified; the guest sees `verified: false`.
    None,
}

/// The hash of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HmacHash {
    Sha1,
    Sha256,
}

/// What an HMAC is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    Body,
    /// The URL as the sender knows it, and then the body.
    UrlAndBody,
}

impl Scheme {
    /// Whether what is signed tells two requests with the same body apart, so that one with the
    /// same signature is the same request: a time, an id, or a form with the ids of calls.
    pub(crate) fn signs_identity(&self) -> bool {
        matches!(self, Self::SlackV0 | Self::StandardWebhooks | Self::Twilio)
    }

    /// The scheme that a manifest names.
    fn of(name: &str, header: Option<String>) -> Result<Self, String> {
        use {HmacHash::*, Signed::*};
        let hmac = |hash, signed| {
            let header = header.clone();
            let scheme = header.map(|header| Self::Hmac {
                hash,
                signed,
                header,
            });
            scheme.ok_or_else(|| format!("`{name}` needs `header`, the signature's header"))
        };
        let with_header = match name {
            "hmac-sha1" => Some(hmac(Sha1, Body)),
            "hmac-sha256" => Some(hmac(Sha256, Body)),
            "hmac-sha1-url" => Some(hmac(Sha1, UrlAndBody)),
            "hmac-sha256-url" => Some(hmac(Sha256, UrlAndBody)),
            "token" => Some(match header.clone() {
                Some(header) => Ok(Self::Token { header }),
                None => Err("`token` needs `header`, which has the secret".to_owned()),
            }),
            _ => None,
        };
        if let Some(scheme) = with_header {
            return scheme;
        }
        match (name, header) {
            ("slack-v0", None) => Ok(Self::SlackV0),
            ("gitlab-token", None) => Ok(Self::Token {
                header: GITLAB_TOKEN.to_owned(),
            }),
            ("standard-webhooks", None) => Ok(Self::StandardWebhooks),
            ("bearer", None) => Ok(Self::Bearer),
            ("basic", None) => Ok(Self::Basic),
            ("twilio", None) => Ok(Self::Twilio),
            ("none", None) => Ok(Self::None),
            (other, _) => Err(format!(
                "`{other}` is not a scheme, or has no `header`; use slack-v0, gitlab-token, \
                 standard-webhooks, twilio, bearer, basic, none, or with header: token, \
                 hmac-sha1, hmac-sha256, hmac-sha1-url or hmac-sha256-url"
            )),
        }
    }
}

impl VerifyAsk {
    /// Reads `verify` of a route; what is wrong goes to `fault`.
    pub(super) fn read(raw: RawVerify, mut fault: impl FnMut(String)) -> Self {
        let tolerance_s = raw.tolerance_s.unwrap_or(TOLERANCE_S);
        if tolerance_s > TOLERANCE_S_MAX {
            fault(format!("`tolerance-s` is at most {TOLERANCE_S_MAX}"));
        }
        let lower = |name: String| name.to_ascii_lowercase();
        let scheme = Scheme::of(&raw.scheme, raw.header.map(lower));
        let scheme = scheme.unwrap_or_else(|message| {
            fault(message);
            Scheme::None
        });
        let named = raw.id_header.map(lower);
        if named.is_some() && (scheme.signs_identity() || scheme == Scheme::None) {
            let name = &raw.scheme;
            fault(format!(
                "`id-header` does not go with `{name}`; leave it out"
            ));
        }
        let usual: &[&str] = match &scheme {
            Scheme::StandardWebhooks => &[WEBHOOK_ID],
            Scheme::Token { header } if header == GITLAB_TOKEN => &GITLAB_IDS,
            _ => &[],
        };
        let usual = usual.iter().map(|name| (*name).to_owned());
        Self {
            scheme,
            secret: raw.secret,
            tolerance_s,
            id_headers: named.into_iter().chain(usual).collect(),
        }
    }
}
