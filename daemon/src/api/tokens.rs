//! Tokens. A token's text is only in the response that created it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Scope;

/// A token to create.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedToken {
    /// The token's name, for people.
    pub(crate) name: String,
    /// `ingest`, `read`, `respond` or `admin`.
    #[schema(value_type = String, example = "respond")]
    pub(crate) scope: Scope,
    /// The integration that it may send alerts to; only for scope `ingest`.
    #[serde(default)]
    pub(crate) integration: Option<String>,
    /// The person in whose name it acts; only for the other scopes.
    #[serde(default)]
    pub(crate) person: Option<String>,
}

/// A token without its text.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TokenLine {
    /// The ID by which to revoke it.
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

/// All tokens, oldest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TokenList {
    pub(crate) tokens: Vec<TokenLine>,
}

/// A newly created token.
// It has no `Debug`, so that no log can print it.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    pub(crate) line: TokenLine,
    /// The token's text, shown only once.
    pub(crate) token: String,
}
