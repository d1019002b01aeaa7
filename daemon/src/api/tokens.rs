//! Tokens. The text of one is in the answer that made it and in no other.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Scope;

/// A token to be made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedToken {
    /// What people call it.
    pub(crate) name: String,
    /// `ingest`, `read`, `respond` or `admin`.
    #[schema(value_type = String, example = "respond")]
    pub(crate) scope: Scope,
    /// The integration; for scope `ingest`.
    #[serde(default)]
    pub(crate) integration: Option<String>,
    /// Whom it acts for; for the other scopes.
    #[serde(default)]
    pub(crate) person: Option<String>,
}

/// A token as it is shown: never its text.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TokenLine {
    /// Names it when it is revoked.
    pub(crate) id: String,
    pub(crate) name: String,
    #[schema(value_type = String)]
    pub(crate) scope: Scope,
    pub(crate) integration: Option<String>,
    pub(crate) person: Option<String>,
    /// Its last four characters.
    pub(crate) last4: String,
    pub(crate) created_at: String,
}

/// Every token, the oldest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TokenList {
    pub(crate) tokens: Vec<TokenLine>,
}

/// A token that was made.
// It has no `Debug`, so that no log can print it.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    pub(crate) line: TokenLine,
    /// Its text, shown this once.
    pub(crate) token: String,
}
