//! The tokens in memory, and changes to them.
//!
//! Every request is checked against the index, which is replaced as a whole; a revoked token grants
//! nothing as soon as its removal is durable.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tocsin_core::Timestamp;
use tocsin_store::{Store, Table};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::auth::{NewToken, RANDOM_BYTES, Token, TokenIndex, TokenRefusal, TokenRow};
use crate::config::Config;
use crate::runtime::engine::request::Request;
use crate::runtime::engine::writer::Writer;
use crate::runtime::error::EngineError;
use crate::runtime::run_to_completion::run_to_completion;
use crate::runtime::state::followed::Followed;
use crate::runtime::state::tables::RowWrites;
use crate::runtime::state::tables::token::TOKENS;

/// The name of the token that the first start makes.
const FIRST_NAME: &str = "first admin";

/// The stored tokens.
pub struct Tokens {
    index: Arc<ArcSwap<TokenIndex>>,
    /// One change at a time, so that two do not lose each other's token.
    changing: Arc<Mutex<()>>,
    followed: Followed,
}

/// Why a token is not made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The change is not allowed.
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    /// The system's random generator failed.
    #[error("cannot create a token: the system's random generator failed: {0}")]
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
    pub fn load(store: &dyn Store) -> Result<Self, EngineError> {
        let followed = Followed::from_now(store, Table::Token)?;
        Ok(Self {
            index: Arc::new(ArcSwap::from_pointee(rows(store)?)),
            changing: Arc::default(),
            followed,
        })
    }

    /// Reads the rows again if another engine wrote one. While a change of this one is under way
    /// it waits for the next time.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn follow(&self, store: &dyn Store) -> Result<(), EngineError> {
        let Ok(_one) = self.changing.try_lock() else {
            return Ok(());
        };
        if self.followed.take_changed(store)? {
            self.index.store(Arc::new(rows(store)?));
        }
        Ok(())
    }

    /// The row of a token, unless it is unknown or revoked.
    #[must_use]
    pub fn find(&self, token: &Token) -> Option<Arc<TokenRow>> {
        self.index.load().find(token)
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<TokenRow>> {
        self.index.load().list()
    }

    /// Whether one of scope `admin` is kept.
    #[must_use]
    pub fn has_admin(&self) -> bool {
        self.index.load().has_admin()
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
        if self.has_admin() {
            return Ok(None);
        }
        let wanted = NewToken::admin(FIRST_NAME);
        let (token, _) = self.create(wanted, config, now, writer).await?;
        Ok(Some(token))
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
        wanted.check(config)?;
        let one = Arc::clone(&self.changing).lock_owned().await;
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).map_err(|error| TokenError::Random(error.to_string()))?;
        let token = Token::new(wanted.scope, random);
        let id = uuid::Uuid::now_v7().to_string();
        let row = TokenRow::new(&token, id, wanted.name, wanted.integration, now);
        let row = Arc::new(row.for_person(wanted.person));
        let next = self.index.load().with(&row)?;
        let change = TOKENS.put(row.hash.as_str(), &row)?;
        self.write(one, change, next, writer).await?;
        Ok((token, row))
    }

    /// Revokes a token by its id.
    ///
    /// # Errors
    /// [`TokenError`] when it is unknown, the last of scope `admin`, or cannot be stored.
    pub async fn revoke(&self, id: &str, writer: &Writer) -> Result<Arc<TokenRow>, TokenError> {
        let one = Arc::clone(&self.changing).lock_owned().await;
        let (next, row) = self.index.load().without(id)?;
        let removal = TOKENS.remove(row.hash.as_str());
        self.write(one, removal, next, writer).await?;
        Ok(row)
    }

    /// Row and memory change together, even if the caller is dropped: otherwise a revoked token
    /// would stay valid until the next start.
    async fn write(
        &self,
        one: OwnedMutexGuard<()>,
        write: RowWrites,
        next: TokenIndex,
        writer: &Writer,
    ) -> Result<(), EngineError> {
        let (index, writer) = (Arc::clone(&self.index), writer.clone());
        run_to_completion(async move {
            let _one = one;
            writer.offer(Request::rows(write)).await?;
            index.store(Arc::new(next));
            Ok(())
        })
        .await
    }
}

fn rows(store: &dyn Store) -> Result<TokenIndex, EngineError> {
    let mut index = TokenIndex::default();
    TOKENS.for_each(store, |row| {
        index.insert(Arc::new(row));
        Ok(())
    })?;
    Ok(index)
}
