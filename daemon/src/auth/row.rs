//! The stored row of a token, and its scope.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tocsin_core::{IntegrationId, PersonId, Timestamp};

use super::secret::{Token, TokenHash};

/// What a token may do. `Admin` includes `Respond`, which includes `Read`. None of them includes
/// `Ingest`, except that an admin may use `/ingest/ID` to try out an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Send alerts to the token's integration, and nothing else.
    Ingest,
    /// Read incidents, alerts and who is on call.
    Read,
    /// Also act on incidents, silences and who is on call.
    Respond,
    /// Also manage tokens.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Read, Self::Respond, Self::Admin];

    /// The scope's name in tokens, on the command line and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Respond => "respond",
            Self::Admin => "admin",
        }
    }

    /// Whether a token of this scope may call an endpoint that needs `wanted`. Only ingest tokens
    /// may call ingest endpoints, and they may call no others.
    #[must_use]
    pub fn allows(self, wanted: Self) -> bool {
        let rank = |scope| match scope {
            Self::Ingest => None,
            Self::Read => Some(1),
            Self::Respond => Some(2),
            Self::Admin => Some(3),
        };
        match (rank(self), rank(wanted)) {
            (Some(has), Some(wants)) => has >= wants,
            (None, None) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let scope = Self::ALL.into_iter().find(|scope| scope.as_str() == text);
        scope.ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// Text that is not a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope; use ingest, read, respond or admin")]
pub struct UnknownScope(pub String);

/// A token as stored, under its hash; the token itself is not stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Identifies the token in lists and when it is revoked.
    pub id: String,
    /// The token's name, for people.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// The integration that it may send alerts to; set only for `ingest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationId>,
    /// The person in whose name it acts. `None`: it acts under its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// SHA-256 of the token.
    pub hash: TokenHash,
    /// Its last four characters, so that people can tell which token they have.
    pub last4: String,
    pub created_at: Timestamp,
}

impl TokenRow {
    #[must_use]
    pub fn new(
        token: &Token,
        id: String,
        name: String,
        integration: Option<IntegrationId>,
        created_at: Timestamp,
    ) -> Self {
        let (hash, last4) = (token.hash(), token.last4().to_owned());
        Self {
            id,
            name,
            scope: token.scope(),
            integration,
            person: None,
            hash,
            last4,
            created_at,
        }
    }

    /// Sets the person.
    #[must_use]
    pub fn for_person(self, person: Option<PersonId>) -> Self {
        Self { person, ..self }
    }

    /// Whether this is the row of `token`; compares in constant time.
    #[must_use]
    pub fn matches(&self, token: &Token) -> bool {
        self.hash.matches(&token.hash())
    }

    /// Whether this token may send alerts to `integration`.
    #[must_use]
    pub fn may_ingest(&self, integration: &IntegrationId) -> bool {
        self.scope == Scope::Ingest && self.integration.as_ref() == Some(integration)
    }
}
