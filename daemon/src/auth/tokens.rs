//! The rows of tokens, and the one way to change them.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tocsin_core::limits::NAME_BYTES_MAX;
use tocsin_core::{IntegrationId, PersonId, Timestamp};
use tocsin_store::{RowChange, Store, Table};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::config::Config;
use crate::runtime::{EngineError, Request, Write, Writer, for_each_row, run_to_completion};
use crate::tokens::{RANDOM_BYTES, Scope, Token, TokenRow, repeatable};

/// Tokens that are kept; more are refused until some are revoked.
pub const TOKENS_MAX: usize = 1_000;

type Index = HashMap<String, Arc<TokenRow>>;

/// The tokens that open something.
pub struct Tokens {
    by_hash: Arc<ArcSwap<Index>>,
    /// One change at a time, so that two do not lose each other's token.
    changing: Arc<Mutex<()>>,
}

/// What somebody wants a token for.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// The integration; for scope `ingest` and no other.
    pub integration: Option<IntegrationId>,
    /// Whom it acts for; for every scope but `ingest`.
    pub person: Option<PersonId>,
}

/// Why a token is not made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// What was asked for is no token that there can be.
    #[error("{0}")]
    Invalid(String),
    /// There is none with this id.
    #[error("there is no token {0}; `tocsin token list` shows those that are")]
    Unknown(String),
    /// Without it nobody could make another.
    #[error("this is the last admin token; make another one before you revoke it")]
    LastAdmin,
    /// Too many are kept.
    #[error("{TOKENS_MAX} tokens are kept already; revoke some first")]
    TooMany,
    /// The system gave no randomness.
    #[error("the system gave no randomness for a token: {0}")]
    Random(String),
    /// The engine did not take it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Tokens {
    /// The tokens of a store.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read or a row is damaged.
    pub fn load(store: &dyn Store) -> Result<Self, EngineError> {
        let mut index = Index::new();
        for_each_row(store, Table::Token, "a token", |row: TokenRow| {
            index.insert(row.hash.as_str().to_owned(), Arc::new(row));
            Ok(())
        })?;
        Ok(Self {
            by_hash: Arc::new(ArcSwap::from_pointee(index)),
            changing: Arc::default(),
        })
    }

    /// The row of a token, unless it is unknown or revoked. The index is asked by a hash that a
    /// guesser cannot steer, and the row compares in constant time.
    #[must_use]
    pub fn find(&self, token: &Token) -> Option<Arc<TokenRow>> {
        let index = self.by_hash.load();
        let row = index.get(token.hash().as_str())?;
        row.matches(token).then(|| Arc::clone(row))
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<TokenRow>> {
        let mut rows: Vec<_> = self.by_hash.load().values().cloned().collect();
        rows.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        rows
    }

    /// Makes a token. Its text is in what this returns and nowhere else.
    ///
    /// # Errors
    /// [`TokenError`] when it is not valid or not taken.
    pub async fn create(
        &self,
        wanted: NewToken,
        config: &Config,
        now: Timestamp,
        writer: &Writer,
    ) -> Result<(Token, Arc<TokenRow>), TokenError> {
        wanted.check(config).map_err(TokenError::Invalid)?;
        let one = Arc::clone(&self.changing).lock_owned().await;
        let kept = self.by_hash.load_full();
        if kept.len() >= TOKENS_MAX {
            return Err(TokenError::TooMany);
        }
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).map_err(|error| TokenError::Random(error.to_string()))?;
        let token = Token::new(wanted.scope, random);
        let id = uuid::Uuid::now_v7().to_string();
        let row = TokenRow::new(&token, id, wanted.name, wanted.integration, now);
        let row = Arc::new(row.for_person(wanted.person));
        let value = serde_json::to_value(row.as_ref())
            .map_err(|error| EngineError::Damaged(format!("the row of a token: {error}")))?;
        let key = row.hash.as_str().to_owned();
        let mut index = kept.as_ref().clone();
        index.insert(key.clone(), Arc::clone(&row));
        self.write(one, key, Some(value), index, writer).await?;
        Ok((token, row))
    }

    /// Revokes a token by its id.
    ///
    /// # Errors
    /// [`TokenError`] when it is unknown, the last of scope `admin`, or the engine did not take
    /// it.
    pub async fn revoke(&self, id: &str, writer: &Writer) -> Result<Arc<TokenRow>, TokenError> {
        let one = Arc::clone(&self.changing).lock_owned().await;
        let kept = self.by_hash.load_full();
        let row = kept.values().find(|it| it.id == id);
        let row = Arc::clone(row.ok_or_else(|| TokenError::Unknown(repeatable(id).to_owned()))?);
        let admins = kept.values().filter(|it| it.scope == Scope::Admin);
        if row.scope == Scope::Admin && admins.count() < 2 {
            return Err(TokenError::LastAdmin);
        }
        let key = row.hash.as_str();
        let mut index = kept.as_ref().clone();
        index.remove(key);
        self.write(one, key.to_owned(), None, index, writer).await?;
        Ok(row)
    }

    /// Row and memory change together, also when whoever asked hangs up: else a revoked token
    /// would go on opening until the next start.
    async fn write(
        &self,
        one: OwnedMutexGuard<()>,
        key: String,
        value: Option<serde_json::Value>,
        index: Index,
        writer: &Writer,
    ) -> Result<(), EngineError> {
        let row = RowChange {
            table: Table::Token,
            key,
            value: value.map(Into::into),
            expires_at: None,
        };
        let write = Write {
            rows: vec![row],
            ..Write::default()
        };
        let (by_hash, writer) = (Arc::clone(&self.by_hash), writer.clone());
        run_to_completion(async move {
            let _one = one;
            writer.offer(Request::Write(Box::new(write))).await?;
            by_hash.store(Arc::new(index));
            Ok(())
        })
        .await
    }
}

impl NewToken {
    fn check(&self, config: &Config) -> Result<(), String> {
        if self.name.trim().is_empty() || self.name.len() > NAME_BYTES_MAX {
            return Err(format!(
                "a token's name is between 1 and {NAME_BYTES_MAX} bytes, so that people know it"
            ));
        }
        match (self.scope, &self.integration) {
            (Scope::Ingest, None) => {
                return Err("a token of scope ingest names its integration".to_owned());
            }
            (Scope::Ingest, Some(id)) if !config.integrations.contains_key(id) => {
                return Err(format!(
                    "there is no integration `{id}`; add [integrations.{id}] first"
                ));
            }
            (Scope::Ingest, Some(_)) | (_, None) => {}
            (scope, Some(_)) => {
                return Err(format!(
                    "a token of scope {scope} is bound to no integration; leave it out"
                ));
            }
        }
        match &self.person {
            Some(_) if self.scope == Scope::Ingest => {
                Err("a token of scope ingest acts for nobody; leave the person out".to_owned())
            }
            Some(id) if !config.people.contains_key(id) => Err(format!(
                "there is nobody called `{id}`; add [people.{id}] first"
            )),
            _ => Ok(()),
        }
    }
}
