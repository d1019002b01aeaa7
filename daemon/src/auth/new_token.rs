//! A request for a token, and why it may be refused.

use tocsin_core::limits::NAME_BYTES_MAX;
use tocsin_core::{IntegrationId, PersonId};

use super::index::TOKENS_MAX;
use super::row::Scope;
use crate::config::Config;

/// A request for a token.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The token's name, for people.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// The integration; only for scope `ingest`.
    pub integration: Option<IntegrationId>,
    /// The person in whose name it acts; for every scope but `ingest`.
    pub person: Option<PersonId>,
}

/// Why a token is not created or revoked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// The request is not valid, with the reason.
    #[error("{0}")]
    Invalid(String),
    /// There is no token with this ID.
    #[error("there is no token {0}; `tocsin token list` shows all tokens")]
    Unknown(String),
    /// Without it, nobody could create another.
    #[error("this is the last admin token; create another one before you revoke it")]
    LastAdmin,
    /// There are too many tokens.
    #[error("there are already {TOKENS_MAX} tokens; revoke some first")]
    TooMany,
}

impl NewToken {
    /// An admin token, for an operator without a token.
    #[must_use]
    pub fn admin(name: &str) -> Self {
        Self::new(name, Scope::Admin)
    }

    /// A token without integration and person.
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
                "a token's name must have 1 to {NAME_BYTES_MAX} bytes"
            ));
        }
        match (self.scope, &self.integration) {
            (Scope::Ingest, None) => {
                return Some("a token of scope ingest needs an integration".to_owned());
            }
            (Scope::Ingest, Some(id)) if !config.integrations.contains_key(id) => {
                return Some(format!(
                    "there is no integration `{id}`; add [integrations.{id}] first"
                ));
            }
            (Scope::Ingest, Some(_)) | (_, None) => {}
            (scope, Some(_)) => {
                return Some(format!(
                    "a token of scope {scope} cannot have an integration; leave it out"
                ));
            }
        }
        match &self.person {
            Some(_) if self.scope == Scope::Ingest => {
                Some("a token of scope ingest cannot have a person; leave it out".to_owned())
            }
            Some(id) if !config.people.contains_key(id) => {
                Some(config.roster().no_person(id.as_str()))
            }
            _ => None,
        }
    }
}
