//! Messages of Amazon SNS: their envelope and its signature.
//!
//! Source: Amazon SNS Developer Guide, "Verifying the signatures of Amazon SNS messages". Only
//! version 2 of signatures is taken (RSA with SHA-256), as SHA-1 is not safe any more; a topic has
//! it with the attribute `SignatureVersion`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use tocsin_core::Timestamp;
use tocsin_core::time::MINUTE_MS;
use url::Url;
use webpki::EndEntityCert;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;

use super::Malformed;
use super::batch::read;
use crate::time::parse_time;

/// How old a message may be, and how early, in milliseconds. That it was taken is remembered for an
/// hour, which is longer than both together, so a replay never counts.
const AGE_MS_MAX: u64 = 50 * MINUTE_MS;
const EARLY_MS_MAX: u64 = 5 * MINUTE_MS;

/// A message as it is posted.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope {
    #[serde(rename = "Type")]
    kind: String,
    message_id: String,
    topic_arn: String,
    #[serde(default)]
    subject: Option<String>,
    message: String,
    timestamp: String,
    #[serde(default)]
    signature_version: String,
    #[serde(default)]
    signature: String,
    #[serde(default, rename = "SigningCertURL")]
    signing_cert_url: String,
    #[serde(default)]
    token: Option<String>,
    #[serde(default, rename = "SubscribeURL")]
    subscribe_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    Notification,
    /// The topic asks whether it may send here.
    SubscriptionConfirmation,
    /// The topic does not send here any more.
    UnsubscribeConfirmation,
}

/// Why a message does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotGenuine {
    #[error(
        "the topic `{0}` is not one of `topics` of the integration; add it, if its messages are \
         wanted"
    )]
    Topic(String),
    #[error(
        "the message has signature version `{0}`, and only 2 is taken; set it with `aws sns \
         set-topic-attributes --attribute-name SignatureVersion --attribute-value 2 --topic-arn …`"
    )]
    Version(String),
    #[error("`{field}` is `{url}`, which is not an address of Amazon SNS")]
    Url { field: &'static str, url: String },
    #[error(
        "the message is {off_s} s off this machine's clock, more than {tolerance_s} s; it is a \
         replay, or one of the two clocks is wrong"
    )]
    Stale { off_s: u64, tolerance_s: u64 },
    #[error("`Timestamp` is not a time: `{0}`")]
    Time(String),
    #[error("the certificate cannot be read: {0}")]
    Certificate(String),
    #[error("the signature does not match the message")]
    Signature,
}

impl Envelope {
    /// Reads a posted message.
    ///
    /// # Errors
    /// When it is not one of SNS.
    pub fn read(body: &[u8]) -> Result<Self, Malformed> {
        let value = read(body)?;
        serde_json::from_value(value).map_err(|error| Malformed {
            title: "The body is not a message of Amazon SNS",
            detail: format!("{error}; leave \"raw message delivery\" of the subscription off"),
            pointer: None,
        })
    }

    /// `None` for a kind that is not known.
    #[must_use]
    pub fn kind(&self) -> Option<MessageKind> {
        match self.kind.as_str() {
            "Notification" => Some(MessageKind::Notification),
            "SubscriptionConfirmation" => Some(MessageKind::SubscriptionConfirmation),
            "UnsubscribeConfirmation" => Some(MessageKind::UnsubscribeConfirmation),
            _ => None,
        }
    }

    /// The same for each try to deliver it.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic_arn
    }

    /// What was published.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Checks what needs no certificate, and returns where it is.
    ///
    /// # Errors
    /// Why the message does not count.
    pub fn check(&self, topics: &[String], now: Timestamp) -> Result<Url, NotGenuine> {
        if !topics.contains(&self.topic_arn) {
            return Err(NotGenuine::Topic(self.topic_arn.clone()));
        }
        match self.signature_version.as_str() {
            "2" => {}
            version => return Err(NotGenuine::Version(version.to_owned())),
        }
        let at = parse_time(&self.timestamp).flatten();
        let at = at.ok_or_else(|| NotGenuine::Time(self.timestamp.clone()))?;
        let (off_ms, tolerance_ms) = (
            now.0.abs_diff(at.0),
            match at > now {
                true => EARLY_MS_MAX,
                false => AGE_MS_MAX,
            },
        );
        if off_ms > tolerance_ms {
            return Err(NotGenuine::Stale {
                off_s: off_ms / 1_000,
                tolerance_s: tolerance_ms / 1_000,
            });
        }
        let url = address("SigningCertURL", &self.signing_cert_url)?;
        match url.path().ends_with(".pem") {
            true => Ok(url),
            false => Err(NotGenuine::Url {
                field: "SigningCertURL",
                url: self.signing_cert_url.clone(),
            }),
        }
    }

    /// Checks the signature with a certificate in PEM.
    ///
    /// # Errors
    /// When it does not match.
    pub fn verify(&self, certificate: &[u8]) -> Result<(), NotGenuine> {
        let unreadable = |why: String| NotGenuine::Certificate(why);
        let der = CertificateDer::from_pem_slice(certificate);
        let der = der.map_err(|error| unreadable(error.to_string()))?;
        let certificate = EndEntityCert::try_from(&der);
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        let signature = STANDARD.decode(&self.signature);
        let signature = signature.map_err(|_| NotGenuine::Signature)?;
        let text = self.signed();
        let algorithm = RSA_PKCS1_2048_8192_SHA256;
        let verified = certificate.verify_signature(algorithm, text.as_bytes(), &signature);
        verified.map_err(|_| NotGenuine::Signature)
    }

    /// Where the subscription is confirmed.
    ///
    /// # Errors
    /// When that is not an address of SNS.
    pub fn confirmation(&self) -> Result<Url, NotGenuine> {
        address(
            "SubscribeURL",
            self.subscribe_url.as_deref().unwrap_or_default(),
        )
    }

    /// The text that is signed: names and values, each on a line, in the order of the names.
    fn signed(&self) -> String {
        let (subject, token) = (self.subject.as_deref(), self.token.as_deref());
        let is_notification = self.kind() == Some(MessageKind::Notification);
        let of_confirmation = |value| if is_notification { None } else { value };
        let fields = [
            ("Message", Some(self.message.as_str())),
            ("MessageId", Some(&self.message_id)),
            ("Subject", subject.filter(|_| is_notification)),
            (
                "SubscribeURL",
                of_confirmation(self.subscribe_url.as_deref()),
            ),
            ("Timestamp", Some(&self.timestamp)),
            ("Token", of_confirmation(token)),
            ("TopicArn", Some(&self.topic_arn)),
            ("Type", Some(&self.kind)),
        ];
        let present = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        present
            .map(|(name, value)| format!("{name}\n{value}\n"))
            .collect()
    }
}

/// Whether a text can be the code of a region, such as `eu-central-1`.
pub(super) fn is_region(text: &str) -> bool {
    let valid = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    !text.is_empty() && text.chars().all(valid)
}

/// A URL at SNS: whoever can post here must not choose whom the daemon calls.
fn address(field: &'static str, text: &str) -> Result<Url, NotGenuine> {
    let wrong = || NotGenuine::Url {
        field,
        url: text.chars().take(200).collect(),
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let region = host
        .strip_prefix("sns.")
        .and_then(|it| it.strip_suffix(".amazonaws.com"));
    let is_plain = url.scheme() == "https"
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match is_plain && region.is_some_and(is_region) {
        true => Ok(url),
        false => Err(wrong()),
    }
}
