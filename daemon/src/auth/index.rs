//! The tokens that are kept, found by their hash, and which changes to them are allowed.

use std::collections::HashMap;
use std::sync::Arc;

use super::new_token::TokenRefusal;
use super::row::{Scope, TokenRow};
use super::secret::{Token, repeatable};

/// Tokens that are kept; more are refused until some are revoked.
pub const TOKENS_MAX: usize = 1_000;

/// The kept tokens.
#[derive(Debug, Default)]
pub struct TokenIndex {
    by_hash: HashMap<String, Arc<TokenRow>>,
}

impl TokenIndex {
    /// The row of a token, unless it is unknown or revoked. The map is asked by a hash that a
    /// guesser cannot steer, and the row compares in constant time.
    #[must_use]
    pub fn find(&self, token: &Token) -> Option<Arc<TokenRow>> {
        let row = self.by_hash.get(token.hash().as_str())?;
        row.matches(token).then(|| Arc::clone(row))
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<TokenRow>> {
        let mut rows: Vec<_> = self.by_hash.values().cloned().collect();
        rows.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        rows
    }

    /// Whether one of scope `admin` is kept.
    #[must_use]
    pub fn has_admin(&self) -> bool {
        self.by_hash.values().any(|it| it.scope == Scope::Admin)
    }

    /// The index with one more row, as a store's rows are read.
    pub fn insert(&mut self, row: Arc<TokenRow>) {
        self.by_hash.insert(row.hash.as_str().to_owned(), row);
    }

    /// Whether one more may be kept.
    ///
    /// # Errors
    /// When [`TOKENS_MAX`] are.
    pub fn may_grow(&self) -> Result<(), TokenRefusal> {
        match self.by_hash.len() < TOKENS_MAX {
            true => Ok(()),
            false => Err(TokenRefusal::TooMany),
        }
    }

    /// The row of the token with this id, if it may be revoked.
    ///
    /// # Errors
    /// When it is unknown, or the last of scope `admin`.
    pub fn revocable(&self, id: &str) -> Result<Arc<TokenRow>, TokenRefusal> {
        let row = self.by_hash.values().find(|it| it.id == id);
        let row = row.ok_or_else(|| TokenRefusal::Unknown(repeatable(id).to_owned()))?;
        let admins = self.by_hash.values().filter(|it| it.scope == Scope::Admin);
        if row.scope == Scope::Admin && admins.count() < 2 {
            return Err(TokenRefusal::LastAdmin);
        }
        Ok(Arc::clone(row))
    }
}
