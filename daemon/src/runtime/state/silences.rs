//! The silences in force, in memory beside their rows: every firing alert is held against them.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tocsin_core::{Labels, Timestamp};
use tocsin_store::{Store, Table};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::runtime::engine::layout::row_change;
use crate::runtime::engine::request::{EngineError, Request, Write};
use crate::runtime::engine::writer::Writer;
use crate::runtime::run_to_completion::run_to_completion;
use crate::runtime::state::view::for_each_row;
use crate::silence::{PostableSilence, Silence};

/// Silences that are kept; more are refused, and expired ones make room.
const SILENCES_MAX: usize = 10_000;
/// How long an expired silence is shown, in milliseconds: five days, as Alertmanager keeps them.
const EXPIRED_KEPT_MS: u64 = 5 * 24 * tocsin_core::time::HOUR_MS;

/// The silences that are kept.
pub struct Silences {
    kept: Arc<ArcSwap<Vec<Arc<Silence>>>>,
    /// One change at a time, so that two do not lose each other's silence.
    changing: Arc<Mutex<()>>,
    /// Those that the sweep has seen.
    swept: parking_lot::Mutex<Arc<Vec<Arc<Silence>>>>,
}

/// Why a silence is not set or ended.
#[derive(Debug, thiserror::Error)]
pub enum SilenceError {
    /// It is not a silence, or the id is no one's.
    #[error("{0}")]
    Invalid(String),
    /// There is none with this id.
    #[error("there is no silence {0}; `tocsin silence list` shows those that are")]
    Unknown(String),
    /// Too many are kept.
    #[error("{SILENCES_MAX} silences are kept already; expire some first")]
    TooMany,
    /// The engine did not take it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Silences {
    /// The silences of a store.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read or a row is damaged.
    pub fn load(store: &dyn Store) -> Result<Self, EngineError> {
        let mut kept = Vec::new();
        for_each_row(store, Table::Silence, "a silence", |silence: Silence| {
            kept.push(Arc::new(silence));
            Ok(())
        })?;
        Ok(Self {
            kept: Arc::new(ArcSwap::from_pointee(kept)),
            changing: Arc::default(),
            swept: parking_lot::Mutex::default(),
        })
    }

    /// Whether one was set, changed or ended since this was last asked: then the sweep looks at
    /// once for alerts that nothing holds back any more.
    pub(crate) fn take_changed(&self) -> bool {
        let kept = self.kept.load_full();
        let swept = std::mem::replace(&mut *self.swept.lock(), Arc::clone(&kept));
        !Arc::ptr_eq(&swept, &kept)
    }

    /// All that are kept: pending, active and lately expired.
    #[must_use]
    pub fn all(&self) -> Arc<Vec<Arc<Silence>>> {
        self.kept.load_full()
    }

    /// The ids of the silences that hold back an alert with these labels at `now`.
    #[must_use]
    pub fn matching(&self, labels: &Labels, now: Timestamp) -> Vec<String> {
        let kept = self.kept.load();
        let matching = kept.iter().filter(|it| it.silences(labels, now));
        matching.map(|it| it.id.clone()).collect()
    }

    /// Sets a silence, or changes the one whose id is given, and says its id.
    ///
    /// # Errors
    /// [`SilenceError`] when it is not valid, unknown or not taken.
    pub async fn set(
        &self,
        posted: PostableSilence,
        new_id: &str,
        now: Timestamp,
        writer: &Writer,
    ) -> Result<String, SilenceError> {
        let one = Arc::clone(&self.changing).lock_owned().await;
        let kept = self.kept.load_full();
        let silence = posted
            .into_silence(new_id, now)
            .map_err(SilenceError::Invalid)?;
        let mut changes = Vec::new();
        let mut silence = silence;
        if silence.id != new_id {
            let known = kept.iter().find(|it| it.id == silence.id);
            let known = known.ok_or_else(|| SilenceError::Unknown(silence.id.clone()))?;
            if !known.can_become(&silence, now) {
                let mut ended = known.as_ref().clone();
                // An expired one stays as it is; a new one takes its place either way.
                let _was_over = ended.expire(now);
                changes.push(ended);
                new_id.clone_into(&mut silence.id);
            }
        } else if kept.len() >= SILENCES_MAX {
            return Err(SilenceError::TooMany);
        }
        let id = silence.id.clone();
        changes.push(silence);
        self.write(one, changes, &kept, writer).await?;
        Ok(id)
    }

    /// Ends a silence now.
    ///
    /// # Errors
    /// [`SilenceError`] when it is unknown, over already or the engine did not take it.
    pub async fn expire(
        &self,
        id: &str,
        now: Timestamp,
        writer: &Writer,
    ) -> Result<(), SilenceError> {
        let one = Arc::clone(&self.changing).lock_owned().await;
        let kept = self.kept.load_full();
        let known = kept.iter().find(|it| it.id == id);
        let mut ended = known
            .ok_or_else(|| SilenceError::Unknown(id.to_owned()))?
            .as_ref()
            .clone();
        ended
            .expire(now)
            .map_err(|error| SilenceError::Invalid(error.to_string()))?;
        self.write(one, vec![ended], &kept, writer).await
    }

    /// Forgets silences that expired long ago.
    ///
    /// # Errors
    /// [`EngineError`] when the engine did not take it.
    pub async fn tidy(&self, now: Timestamp, writer: &Writer) -> Result<(), EngineError> {
        let before = now.minus_ms(EXPIRED_KEPT_MS);
        let one = Arc::clone(&self.changing).lock_owned().await;
        let kept = self.kept.load_full();
        let (old, rest): (Vec<_>, Vec<_>) =
            kept.iter().cloned().partition(|it| it.ends_at < before);
        if old.is_empty() {
            return Ok(());
        }
        let rows = old.iter().map(|it| tocsin_store::RowChange {
            table: Table::Silence,
            key: it.id.clone(),
            value: None,
            expires_at: None,
        });
        let write = Write {
            rows: rows.collect(),
            ..Write::default()
        };
        let (kept, writer) = (Arc::clone(&self.kept), writer.clone());
        run_to_completion(async move {
            let _one = one;
            writer.ask(Request::Write(Box::new(write))).await?;
            kept.store(Arc::new(rest));
            Ok(())
        })
        .await
    }

    /// Row and memory change together, also when whoever asked hangs up: else an expired silence
    /// would go on muting until the next start.
    async fn write(
        &self,
        one: OwnedMutexGuard<()>,
        changes: Vec<Silence>,
        kept: &[Arc<Silence>],
        writer: &Writer,
    ) -> Result<(), SilenceError> {
        let mut rows = Vec::new();
        for silence in &changes {
            rows.push(row_change(Table::Silence, silence.id.clone(), silence)?);
        }
        let write = Write {
            rows,
            ..Write::default()
        };
        let changed = |it: &Arc<Silence>| changes.iter().any(|new| new.id == it.id);
        let mut all: Vec<_> = kept.iter().filter(|it| !changed(it)).cloned().collect();
        all.extend(changes.into_iter().map(Arc::new));
        let (kept, writer) = (Arc::clone(&self.kept), writer.clone());
        let written = run_to_completion(async move {
            let _one = one;
            writer.offer(Request::Write(Box::new(write))).await?;
            kept.store(Arc::new(all));
            Ok(())
        });
        Ok(written.await?)
    }
}
