//! `[mail]`: the SMTP relay, the last resort of every page; `[relays.NAME]`: further ones for
//! plugins.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::secret::SecretRef;

/// The `[mail]` section, and each of `[relays.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MailConfig {
    /// The relay's name or address.
    pub host: String,
    /// The relay's port. Default 25 without TLS, 587 with `starttls`, 465 with `tls`.
    #[serde(default)]
    pub port: Option<u16>,
    /// `starttls` (default): upgrade to TLS, and refuse to continue without; `tls`: TLS from the
    /// first byte; `none`: no TLS, for a relay on this machine.
    #[serde(default)]
    pub tls: MailTls,
    /// A PEM file of additional certificate authorities to trust for the relay's certificate.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The user to authenticate as; without it, the daemon does not authenticate.
    #[serde(default)]
    pub username: Option<String>,
    /// The user's password: `{ env = "NAME" }` or `{ file = "path" }`.
    #[serde(default)]
    pub password: Option<SecretRef>,
    /// The sender of the mails, such as `tocsin@example.com` or `tocsin <tocsin@example.com>`.
    pub from: String,
}

/// How a connection to the relay is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// No TLS.
    None,
    /// Upgraded before anything is sent; an error when the relay does not support it.
    #[default]
    Starttls,
    /// From the first byte.
    Tls,
}

impl MailConfig {
    /// The port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            MailTls::None => 25,
            MailTls::Starttls => 587,
            MailTls::Tls => 465,
        })
    }
}
