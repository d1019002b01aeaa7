//! What is stored of a token, and what it may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tocsin_core::{IntegrationId, PersonId, Timestamp};

use super::secret::{Token, TokenHash};

/// What a token may do. `Admin` may do all that `Respond` may, which may do all that `Read` may.
/// None of them replaces a sender's own token, except at `/ingest/ID`, where an admin may try out
/// an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Send alerts to the one integration that it is bound to, and nothing else.
    Ingest,
    /// See incidents, alerts and who is on call.
    Read,
    /// Also act: acknowledge, grade, log, resolve, silence.
    Respond,
    /// Also see and change tokens, plugins and the daemon itself.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Read, Self::Respond, Self::Admin];

    /// Its name in tokens, on the command line and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Respond => "respond",
            Self::Admin => "admin",
        }
    }

    /// Whether a token of this scope may call an endpoint that needs `wanted`. Ingest tokens may
    /// call no other endpoint, and no other token may call theirs.
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

/// A text that is not a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope; use ingest, read, respond or admin")]
pub struct UnknownScope(pub String);

/// What is stored of a token. Its hash is its key in the store; the token itself is nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Names the token in lists and when it is revoked.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// The integration that it is bound to; set for `ingest` and for no other scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationId>,
    /// The person it acts for; what it does counts as theirs. `None`: it acts under its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// SHA-256 of the token.
    pub hash: TokenHash,
    /// Its last four characters, so that people can tell which one they hold.
    pub last4: String,
    /// When it was made.
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

    /// The row of a token that acts for a person.
    #[must_use]
    pub fn for_person(self, person: Option<PersonId>) -> Self {
        Self { person, ..self }
    }

    /// Whether `token` is the one of this row; takes the same time wherever they differ.
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
