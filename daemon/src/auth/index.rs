//! The stored tokens by hash, and which changes to them are allowed.

use std::collections::HashMap;
use std::sync::Arc;

use super::new_token::TokenRefusal;
use super::row::{Scope, TokenRow};
use super::secret::{Token, redact_token};

/// Most stored tokens; more are refused until some are revoked.
pub const TOKENS_MAX: usize = 1_000;

/// The stored tokens.
#[derive(Debug, Default)]
pub struct TokenIndex {
    by_hash: HashMap<String, Arc<TokenRow>>,
}

impl TokenIndex {
    /// The row of a token, unless it is unknown or revoked. An attacker cannot choose the hash used
    /// for the lookup, and the comparison takes constant time.
    #[must_use]
    pub fn find(&self, token: &Token) -> Option<Arc<TokenRow>> {
        let row = self.by_hash.get(token.hash().as_str())?;
        row.matches(token).then(|| Arc::clone(row))
    }

    /// All tokens, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<TokenRow>> {
        let mut rows: Vec<_> = self.by_hash.values().cloned().collect();
        rows.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        rows
    }

    /// Whether there is a token of scope `admin`.
    #[must_use]
    pub fn has_admin(&self) -> bool {
        self.by_hash.values().any(|it| it.scope == Scope::Admin)
    }

    /// Adds a row read from the store.
    pub fn insert(&mut self, row: Arc<TokenRow>) {
        self.by_hash.insert(row.hash.as_str().to_owned(), row);
    }

    /// Whether another token can be stored.
    ///
    /// # Errors
    /// When there are already [`TOKENS_MAX`].
    pub fn may_grow(&self) -> Result<(), TokenRefusal> {
        match self.by_hash.len() < TOKENS_MAX {
            true => Ok(()),
            false => Err(TokenRefusal::TooMany),
        }
    }

    /// The row of the token with this ID, if it may be revoked.
    ///
    /// # Errors
    /// When the token is unknown, or the last one of scope `admin`.
    pub fn revocable(&self, id: &str) -> Result<Arc<TokenRow>, TokenRefusal> {
        let row = self.by_hash.values().find(|it| it.id == id);
        let row = row.ok_or_else(|| TokenRefusal::Unknown(redact_token(id).to_owned()))?;
        let admins = self.by_hash.values().filter(|it| it.scope == Scope::Admin);
        if row.scope == Scope::Admin && admins.count() < 2 {
            return Err(TokenRefusal::LastAdmin);
        }
        Ok(Arc::clone(row))
    }
}
