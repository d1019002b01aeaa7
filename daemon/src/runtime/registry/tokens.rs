//! The kept tokens in memory beside their rows, and the one way to change them.
//!
//! Every request asks here, so the index is swapped as a whole; a revoked token grants nothing
//! from the moment its removal is durable.

use std::sync::Arc;

use tocsin_core::Timestamp;
use tocsin_store::{Store, Table};

use crate::auth::{NewToken, RANDOM_BYTES, Token, TokenIndex, TokenRefusal, TokenRow};
use crate::config::Config;
use crate::runtime::engine::writer::Writer;
use crate::runtime::error::EngineError;
use crate::runtime::registry::cache::Cache;
use crate::runtime::state::tables::RowWrites;
use crate::runtime::state::tables::mark::Mark;
use crate::runtime::state::tables::token::TOKENS;

/// The name of the token that the first start makes.
const FIRST_NAME: &str = "first admin";

/// The kept tokens.
pub struct Tokens {
    kept: Arc<Cache<TokenIndex>>,
}

/// Why a token is not made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The change is not allowed.
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    /// The system gave no randomness.
    #[error("the system gave no randomness for a token: {0}")]
    Random(String),
    /// It could not be stored.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Tokens {
    /// The tokens of a store.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read or a row is damaged.
    pub fn load(store: Arc<dyn Store>) -> Result<Self, EngineError> {
        let kept = Cache::load(store, (Table::Token, Mark::TOKENS), rows)?;
        Ok(Self { kept })
    }

    /// Reads the rows again if any engine wrote one.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn follow(&self) -> Result<(), EngineError> {
        self.kept.follow().map(drop)
    }

    /// The row of a token, unless it is unknown or revoked.
    #[must_use]
    pub fn find(&self, token: &Token) -> Option<Arc<TokenRow>> {
        self.kept.rows().find(token)
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<TokenRow>> {
        self.kept.rows().list()
    }

    /// Whether one of scope `admin` is kept.
    #[must_use]
    pub fn has_admin(&self) -> bool {
        self.kept.rows().has_admin()
    }

    /// Makes a token of scope `admin` if there is none yet.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn create_first_admin(
        &self,
        config: &Config,
        now: Timestamp,
        writer: &Writer,
    ) -> Result<Option<Token>, TokenError> {
        let wanted = NewToken::admin(FIRST_NAME);
        let (token, row) = made(wanted, config, now)?;
        // Of two daemons that start at once, one sees the other's.
        let add = |kept: &TokenIndex| -> Result<_, TokenError> {
            match kept.has_admin() {
                true => Ok((RowWrites::default(), false)),
                false => Ok((addition(kept, &row)?, true)),
            }
        };
        let is_added = self.kept.change(writer, add).await?;
        Ok(is_added.then_some(token))
    }

    /// Makes a token. Its text is in the returned [`Token`] and nowhere else.
    ///
    /// # Errors
    /// [`TokenError`] when it is not valid or cannot be stored.
    pub async fn create(
        &self,
        wanted: NewToken,
        config: &Config,
        now: Timestamp,
        writer: &Writer,
    ) -> Result<(Token, Arc<TokenRow>), TokenError> {
        let (token, row) = made(wanted, config, now)?;
        let add = |kept: &TokenIndex| -> Result<_, TokenError> { Ok((addition(kept, &row)?, ())) };
        self.kept.change(writer, add).await?;
        Ok((token, row))
    }

    /// Revokes a token by its id.
    ///
    /// # Errors
    /// [`TokenError`] when it is unknown, the last of scope `admin`, or cannot be stored.
    pub async fn revoke(&self, id: &str, writer: &Writer) -> Result<Arc<TokenRow>, TokenError> {
        let revoke = |kept: &TokenIndex| -> Result<_, TokenError> {
            let row = kept.revocable(id)?;
            Ok((TOKENS.remove(row.hash.as_str()), row))
        };
        self.kept.change(writer, revoke).await
    }
}

fn made(
    wanted: NewToken,
    config: &Config,
    now: Timestamp,
) -> Result<(Token, Arc<TokenRow>), TokenError> {
    wanted.check(config)?;
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(|error| TokenError::Random(error.to_string()))?;
    let token = Token::new(wanted.scope, random);
    let id = uuid::Uuid::now_v7().to_string();
    let row = TokenRow::new(&token, id, wanted.name, wanted.integration, now);
    Ok((token, Arc::new(row.for_person(wanted.person))))
}

fn addition(kept: &TokenIndex, row: &TokenRow) -> Result<RowWrites, TokenError> {
    kept.may_grow()?;
    Ok(TOKENS.put(row.hash.as_str(), row)?)
}

fn rows(store: &dyn Store) -> Result<TokenIndex, EngineError> {
    let mut index = TokenIndex::default();
    TOKENS.for_each(store, |row| {
        index.insert(Arc::new(row));
        Ok(())
    })?;
    Ok(index)
}
