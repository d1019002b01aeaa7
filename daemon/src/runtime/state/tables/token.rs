//! Tokens, by the hash of their secret.

use tocsin_store::Table;

use super::TypedTable;
use crate::auth::TokenRow;

/// The tokens that are not revoked.
pub(crate) const TOKENS: TypedTable<TokenRow> = TypedTable::new(Table::Token, "the row of a token");
