//! Sends a mail over SMTP and classifies the outcome.
//!
//! Each mail uses its own connection, as pages are rare and an idle connection is usually dead by
//! the time it is needed. The session is driven step by step, because the step at which it failed
//! decides whether the mail may have been delivered (RFC 5321, section 4.5.3.2.6).

use std::fmt;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use secrecy::ExposeSecret;

use super::letter::Letter;
use crate::config::{MailConfig, MailTls, SecretError};

/// How long each half of a session may take: until the relay is ready for the message text, and
/// from then until the relay accepts it.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the relay may take to answer `QUIT`.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);

/// Sends mails through one relay.
#[derive(Clone)]
pub struct Mailer {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    from: Mailbox,
    timeout: Duration,
}

#[derive(Clone)]
enum Tls {
    None,
    Starttls(TlsParameters),
    Wrapped(TlsParameters),
}

/// The relay accepted the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The mail's Message-ID.
    pub message_id: String,
    /// The relay's reply, usually with its own ID of the mail.
    pub reply: String,
}

/// The relay did not accept the mail, or the outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It was not sent; a retry may succeed.
    #[error("mail relay {relay} did not accept the mail: {cause}; it is retried")]
    Temporary { relay: String, cause: String },
    /// It was not sent, and the same mail will be refused again.
    #[error(
        "mail relay {relay} refused the mail: {cause}; correct the address, or `from` of the relay"
    )]
    Rejected { relay: String, cause: String },
    /// The text was sent and no reply was received. A retry has the same Message-ID.
    #[error("mail relay {relay} may have accepted the mail: {cause}; a retry may arrive twice")]
    Unknown { relay: String, cause: String },
}

/// The relay cannot be reached, or refuses the login.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("mail relay {relay} cannot be used: {cause}")]
pub struct CannotLogIn {
    relay: String,
    cause: String,
}

/// The relay's settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The password cannot be read.
    #[error("password: {0}")]
    Password(#[from] SecretError),
    /// The certificate authorities cannot be read.
    #[error("ca-file {path}: {cause}; put a readable PEM file there")]
    Authorities { path: String, cause: String },
    /// The sender is not an address.
    #[error("from: {0}; write it as \"tocsin@example.com\"")]
    From(#[from] lettre::address::AddressError),
    /// TLS cannot be set up.
    #[error("tls: {0}; correct `host` or `tls`")]
    Tls(String),
}

type Smtp<T> = Result<T, lettre::transport::smtp::Error>;

impl Mailer {
    /// A mailer for a relay. Reads the password and the certificate authorities.
    ///
    /// # Errors
    /// [`SetupError`] when the settings cannot be read or used.
    pub fn new(config: &MailConfig) -> Result<Self, SetupError> {
        let credentials = match (&config.username, &config.password) {
            (Some(user), Some(place)) => Some(Credentials::new(
                user.clone(),
                place.read()?.expose_secret().to_owned(),
            )),
            _ => None,
        };
        let tls = match config.tls {
            MailTls::None => Tls::None,
            MailTls::Starttls => Tls::Starttls(tls_parameters(config)?),
            MailTls::Tls => Tls::Wrapped(tls_parameters(config)?),
        };
        let (host, port) = (config.host.clone(), config.port());
        let from = config.from.parse()?;
        Ok(Self {
            host,
            port,
            tls,
            credentials,
            from,
            timeout: SEND_TIMEOUT,
        })
    }

    /// Sends one mail, to all of its recipients or to none.
    ///
    /// # Errors
    /// [`MailError`] says whether a retry makes sense, and whether it may arrive twice.
    pub async fn send(&self, letter: &impl Letter) -> Result<Receipt, MailError> {
        let refused = |cause: String| MailError::Rejected {
            relay: self.relay(),
            cause,
        };
        let (message, message_id) = letter.written(&self.from).map_err(refused)?;
        let text = message.formatted();
        let mut session = self.ready_for_text(message.envelope().to(), &text).await?;
        let reply = match tokio::time::timeout(self.timeout, session.message(&text)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => return Err(self.at_text(&error)),
            Err(_) => {
                let cause = "no answer after the text".to_owned();
                return Err(MailError::Unknown {
                    relay: self.relay(),
                    cause,
                });
            }
        };
        // The mail is already accepted, so errors do not matter.
        let _ = tokio::time::timeout(GOODBYE_TIMEOUT, session.quit()).await;
        Ok(Receipt {
            message_id,
            reply: reply_text(&reply),
        })
    }

    /// Connects and logs in without sending anything. Gives up after `limit`.
    ///
    /// # Errors
    /// [`CannotLogIn`], with the cause.
    pub async fn log_in(&self, limit: Duration) -> Result<(), CannotLogIn> {
        let failed = |cause: String| CannotLogIn {
            relay: self.relay(),
            cause,
        };
        match tokio::time::timeout(limit, self.connect()).await {
            Ok(Ok(mut session)) => {
                // The relay answered, so errors do not matter.
                let _ = tokio::time::timeout(GOODBYE_TIMEOUT, session.quit()).await;
                Ok(())
            }
            Ok(Err(error)) => Err(failed(with_causes(&error))),
            Err(_) => Err(failed(format!("no answer within {} s", limit.as_secs()))),
        }
    }

    /// Connects and sends the envelope, until the relay is ready for the text.
    async fn ready_for_text(
        &self,
        to: &[lettre::Address],
        text: &[u8],
    ) -> Result<AsyncSmtpConnection, MailError> {
        let steps = async {
            let mut session = self
                .connect()
                .await
                .map_err(|error| self.temporary(&error))?;
            self.envelope(&mut session, to, text)
                .await
                .map_err(|error| self.at_text(&error))?;
            Ok(session)
        };
        match tokio::time::timeout(self.timeout, steps).await {
            // Before the text, nothing can have been delivered.
            Ok(Err(MailError::Unknown { relay, cause })) => {
                Err(MailError::Temporary { relay, cause })
            }
            Ok(ready) => ready,
            Err(_) => {
                let cause = format!("no answer within {} s", self.timeout.as_secs());
                Err(MailError::Temporary {
                    relay: self.relay(),
                    cause,
                })
            }
        }
    }

    async fn connect(&self) -> Smtp<AsyncSmtpConnection> {
        let hello = ClientId::default();
        let wrapped = match &self.tls {
            Tls::Wrapped(tls) => Some(tls.clone()),
            _ => None,
        };
        let server = (self.host.as_str(), self.port);
        let limit = Some(self.timeout);
        let mut session =
            AsyncSmtpConnection::connect_tokio1(server, limit, &hello, wrapped, None).await?;
        if let Tls::Starttls(tls) = &self.tls {
            session.starttls(tls.clone(), &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            session.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(session)
    }

    async fn envelope(
        &self,
        session: &mut AsyncSmtpConnection,
        to: &[lettre::Address],
        text: &[u8],
    ) -> Smtp<()> {
        let offers = |extension| session.server_info().supports_feature(extension);
        let mut options = Vec::new();
        if !text.is_ascii() && offers(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        session
            .command(Mail::new(Some(self.from.email.clone()), options))
            .await?;
        for to in to {
            session.command(Rcpt::new(to.clone(), Vec::new())).await?;
        }
        session.command(Data).await?;
        Ok(())
    }

    /// A failure to connect or to log in can be fixed at the relay or in the configuration, so the
    /// mail is retried whatever the reply code.
    fn temporary(&self, error: &lettre::transport::smtp::Error) -> MailError {
        MailError::Temporary {
            relay: self.relay(),
            cause: with_causes(error),
        }
    }

    /// A failure after the envelope began: the reply code decides; without one, the outcome is
    /// unknown.
    fn at_text(&self, error: &lettre::transport::smtp::Error) -> MailError {
        let (relay, cause) = (self.relay(), with_causes(error));
        match (error.is_permanent(), error.is_transient()) {
            (true, _) => MailError::Rejected { relay, cause },
            (_, true) => MailError::Temporary { relay, cause },
            _ => MailError::Unknown { relay, cause },
        }
    }

    fn relay(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    #[cfg(test)]
    pub(super) fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailer({} from {})", self.relay(), self.from)
    }
}

fn tls_parameters(config: &MailConfig) -> Result<TlsParameters, SetupError> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca_file {
        let unusable = |cause: String| SetupError::Authorities {
            path: path.display().to_string(),
            cause,
        };
        let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
        let authorities =
            Certificate::from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
        builder = builder.add_root_certificate(authorities);
    }
    builder
        .build()
        .map_err(|error| SetupError::Tls(error.to_string()))
}

fn reply_text(reply: &Response) -> String {
    let lines: Vec<&str> = reply.message().collect();
    format!("{} {}", reply.code(), lines.join(" "))
}

/// An error with its causes, as the outer text often says only that something failed.
fn with_causes(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
