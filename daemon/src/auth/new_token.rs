//! A request for a token, and why it is refused.

use tocsin_core::limits::NAME_BYTES_MAX;
use tocsin_core::{IntegrationId, PersonId};

use super::index::TOKENS_MAX;
use super::row::Scope;
use crate::config::Config;

/// A request for a token.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// The integration; for scope `ingest` and no other.
    pub integration: Option<IntegrationId>,
    /// Whom it acts for; for every scope but `ingest`.
    pub person: Option<PersonId>,
}

/// Why a token is not made or revoked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// There can be no such token; says why.
    #[error("{0}")]
    Invalid(String),
    /// There is none with this id.
    #[error("there is no token {0}; `tocsin token list` shows the ones there are")]
    Unknown(String),
    /// Without it nobody could make another.
    #[error("this is the last admin token; make another one before you revoke it")]
    LastAdmin,
    /// Too many are kept.
    #[error("{TOKENS_MAX} tokens are kept already; revoke some first")]
    TooMany,
}

impl NewToken {
    /// A token that may do everything, for an operator who has none.
    #[must_use]
    pub fn admin(name: &str) -> Self {
        Self::new(name, Scope::Admin)
    }

    /// A token of no integration and for nobody in particular.
    #[must_use]
    pub fn new(name: &str, scope: Scope) -> Self {
        Self {
            name: name.to_owned(),
            scope,
            integration: None,
            person: None,
        }
    }

    /// Checks it against the configuration.
    ///
    /// # Errors
    /// [`TokenRefusal::Invalid`].
    pub fn check(&self, config: &Config) -> Result<(), TokenRefusal> {
        self.fault(config)
            .map_or(Ok(()), |fault| Err(TokenRefusal::Invalid(fault)))
    }

    fn fault(&self, config: &Config) -> Option<String> {
        if self.name.trim().is_empty() || self.name.len() > NAME_BYTES_MAX {
            return Some(format!(
                "a token's name has 1 to {NAME_BYTES_MAX} bytes, so that people know it"
            ));
        }
        match (self.scope, &self.integration) {
            (Scope::Ingest, None) => {
                return Some("a token of scope ingest names its integration".to_owned());
            }
            (Scope::Ingest, Some(id)) if !config.integrations.contains_key(id) => {
                return Some(format!(
                    "there is no integration `{id}`; add [integrations.{id}] first"
                ));
            }
            (Scope::Ingest, Some(_)) | (_, None) => {}
            (scope, Some(_)) => {
                return Some(format!(
                    "a token of scope {scope} is bound to no integration; leave it out"
                ));
            }
        }
        match &self.person {
            Some(_) if self.scope == Scope::Ingest => {
                Some("a token of scope ingest acts for nobody; leave the person out".to_owned())
            }
            Some(id) if !config.people.contains_key(id) => Some(format!(
                "there is nobody called `{id}`; add [people.{id}] first"
            )),
            _ => None,
        }
    }
}
