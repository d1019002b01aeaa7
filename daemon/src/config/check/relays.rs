//! Checks of mail relays.

use super::super::mail::{MailConfig, MailTls};
use super::super::source::{Place, at};
use super::{Check, is_ip, is_loopback};

impl Check<'_> {
    pub(super) fn relay(&mut self, section: &[Place<'_>], mail: &MailConfig) {
        let at = |key: &'static str| [section, at![key]].concat();
        if mail.host.is_empty() || mail.host.contains(['/', ':', ' ']) && !is_ip(&mail.host) {
            let message = format!("`{}` is not the host name of a mail relay", mail.host);
            let remedy = "write only the host name or address, and set the port with `port`";
            self.error(&at("host"), message, remedy);
        }
        if mail.from.parse::<lettre::message::Mailbox>().is_err() {
            let message = format!("`{}` is not a mail address", mail.from);
            let remedy = "write it as \"tocsin@example.com\" or \"tocsin <tocsin@example.com>\"";
            self.error(&at("from"), message, remedy);
        }
        match (&mail.username, &mail.password) {
            (Some(_), None) => self.error(
                &at("username"),
                "there is a username without a password".to_owned(),
                "add password = { env = \"NAME\" }, or remove username",
            ),
            (None, Some(_)) => self.error(
                &at("password"),
                "there is a password without a username".to_owned(),
                "add username, or remove password",
            ),
            (Some(_), Some(_)) if mail.tls == MailTls::None && !is_loopback(&mail.host) => self
                .error(
                    &at("tls"),
                    "the password would be sent unencrypted".to_owned(),
                    "set tls = \"starttls\" or \"tls\"",
                ),
            _ => {}
        }
        if mail.ca_file.is_some() && mail.tls == MailTls::None {
            let message = "ca-file has no effect without TLS".to_owned();
            self.error(&at("ca-file"), message, "set tls, or remove ca-file");
        }
    }
}
