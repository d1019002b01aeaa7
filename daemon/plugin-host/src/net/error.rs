//! Errors of outgoing requests, and whether the request may have reached the server.

use super::redirect::HTTP_REDIRECTS_MAX;
use super::resolve::AddressRefused;
use crate::rights::{Denied, SecretError, SecretSet};
use std::error::Error as _;

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    #[error("{0}")]
    Denied(Denied),
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    Secret(SecretError),
    #[error("{0}")]
    Connect(String),
    #[error("{0}")]
    Tls(String),
    #[error("no response in time")]
    Timeout { connected: bool },
    /// The request was sent, and then the connection failed.
    #[error("{0}")]
    Broken(String),
    #[error("more than {HTTP_REDIRECTS_MAX} redirects")]
    TooManyRedirects,
    /// The request was sent, and redirected to where it may not go.
    #[error("{0}")]
    Redirected(Box<Self>),
}

impl NetError {
    /// Removes the plugin's secrets: a redirect's target is chosen by the server and may contain
    /// a credential.
    pub(crate) fn redacted(self, secrets: &SecretSet) -> Self {
        let clean = |text: String| secrets.redact_text(&text).0;
        match self {
            Self::Denied(denied) => Self::Denied(Denied {
                what: clean(denied.what),
                remedy: clean(denied.remedy),
                ..denied
            }),
            Self::Invalid(text) => Self::Invalid(clean(text)),
            Self::Connect(text) => Self::Connect(clean(text)),
            Self::Tls(text) => Self::Tls(clean(text)),
            Self::Broken(text) => Self::Broken(clean(text)),
            Self::Redirected(error) => Self::Redirected(Box::new(error.redacted(secrets))),
            Self::Secret(_) | Self::Timeout { .. } | Self::TooManyRedirects => self,
        }
    }

    /// Whether certainly nothing reached the server.
    pub(crate) fn surely_not_sent(&self) -> bool {
        match self {
            Self::Denied(_) | Self::Invalid(_) | Self::Secret(_) => true,
            Self::Connect(_) | Self::Tls(_) => true,
            Self::Timeout { connected } => !connected,
            Self::Broken(_) | Self::TooManyRedirects | Self::Redirected(_) => false,
        }
    }

    /// The same error for a request that had already been sent.
    pub(super) fn after_sending(self) -> Self {
        match self {
            Self::Timeout { .. } => Self::Timeout { connected: true },
            Self::Connect(text) | Self::Tls(text) | Self::Invalid(text) => Self::Broken(text),
            Self::Denied(_) | Self::Secret(_) => Self::Redirected(Box::new(self)),
            other => other,
        }
    }
}

/// Classifies an error by its chain of causes, which reqwest's own message hides.
pub(super) fn classify(error: &reqwest::Error) -> NetError {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(one) = cause {
        if let Some(refused) = one.downcast_ref::<AddressRefused>() {
            return match refused {
                AddressRefused::Denied(denied) => NetError::Denied(denied.clone()),
                AddressRefused::Unresolved(text) => NetError::Connect(text.clone()),
            };
        }
        causes.push(one.to_string());
        cause = one.source();
    }
    causes.dedup();
    let text = causes.join(": ");
    let in_tls = text.contains("certificate") || text.contains("TLS") || text.contains("tls");
    if error.is_timeout() {
        NetError::Timeout {
            connected: !error.is_connect(),
        }
    } else if error.is_connect() && in_tls {
        NetError::Tls(text)
    } else if error.is_connect() {
        NetError::Connect(text)
    } else if error.is_builder() {
        NetError::Invalid(text)
    } else {
        NetError::Broken(text)
    }
}
