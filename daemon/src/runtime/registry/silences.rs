//! The silences in memory: every firing alert is matched against them. Which changes are allowed is
//! decided in [`crate::silence`].

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tocsin_core::{Labels, Timestamp};
use tocsin_store::{Store, Table};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::runtime::engine::request::Request;
use crate::runtime::engine::writer::Writer;
use crate::runtime::error::EngineError;
use crate::runtime::run_to_completion::run_to_completion;
use crate::runtime::state::followed::Followed;
use crate::runtime::state::tables::RowWrites;
use crate::runtime::state::tables::silence::SILENCES;
use crate::silence::{self, PostableSilence, Silence, SilenceRefusal};

/// The stored silences.
pub struct Silences {
    kept: Arc<ArcSwap<Vec<Arc<Silence>>>>,
    /// One change at a time, so that two do not lose each other's silence.
    changing: Arc<Mutex<()>>,
    followed: Followed,
    /// Those that the sweep has seen.
    swept: parking_lot::Mutex<Arc<Vec<Arc<Silence>>>>,
}

/// Why a silence is not set or ended.
#[derive(Debug, thiserror::Error)]
pub enum SilenceError {
    /// The change is not allowed.
    #[error(transparent)]
    Refused(#[from] SilenceRefusal),
    /// It could not be stored.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Silences {
    /// The silences of a store.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read or a row is damaged.
    pub fn load(store: &dyn Store) -> Result<Self, EngineError> {
        let followed = Followed::from_now(store, Table::Silence)?;
        Ok(Self {
            kept: Arc::new(ArcSwap::from_pointee(rows(store)?)),
            changing: Arc::default(),
            followed,
            swept: parking_lot::Mutex::default(),
        })
    }

    /// Reads the rows again if another engine wrote one. While a change of this one is under way
    /// it waits for the next time.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(crate) fn follow(&self, store: &dyn Store) -> Result<(), EngineError> {
        let Ok(_one) = self.changing.try_lock() else {
            return Ok(());
        };
        if self.followed.take_changed(store)? {
            let (stored, kept) = (rows(store)?, self.kept.load());
            // By id, since thousands may be kept and their order differs.
            let by_id: HashMap<&str, &Arc<Silence>> =
                kept.iter().map(|it| (it.id.as_str(), it)).collect();
            let is_known = |it: &Arc<Silence>| by_id.get(it.id.as_str()) == Some(&it);
            let is_same = stored.len() == kept.len() && stored.iter().all(is_known);
            if !is_same {
                self.kept.store(Arc::new(stored));
            }
        }
        Ok(())
    }

    /// Whether a silence was created, changed or expired since the last call: the sweep then
    /// immediately looks for alerts that are no longer silenced.
    pub(crate) fn take_changed(&self) -> bool {
        let kept = self.kept.load_full();
        let swept = std::mem::replace(&mut *self.swept.lock(), Arc::clone(&kept));
        !Arc::ptr_eq(&swept, &kept)
    }

    /// All silences: pending, active and recently expired.
    #[must_use]
    pub fn all(&self) -> Arc<Vec<Arc<Silence>>> {
        self.kept.load_full()
    }

    /// The IDs of the silences that silence an alert with these labels at `now`.
    #[must_use]
    pub fn matching(&self, labels: &Labels, now: Timestamp) -> Vec<String> {
        let kept = self.kept.load();
        let matching = kept.iter().filter(|it| it.silences(labels, now));
        matching.map(|it| it.id.clone()).collect()
    }

    /// Sets a silence, or changes the one whose id is given, and says its id.
    ///
    /// # Errors
    /// [`SilenceError`] when it is not valid, names an unknown one, or cannot be stored.
    pub async fn set(
        &self,
        posted: PostableSilence,
        new_id: &str,
        now: Timestamp,
        writer: &Writer,
    ) -> Result<String, SilenceError> {
        let one = Arc::clone(&self.changing).lock_owned().await;
        let kept = self.kept.load_full();
        let set = silence::set(&kept, posted, new_id, now)?;
        self.write(one, set.changed, &kept, writer).await?;
        Ok(set.id)
    }

    /// Ends a silence now.
    ///
    /// # Errors
    /// [`SilenceError`] when it is unknown, has ended already, or cannot be stored.
    pub async fn expire(
        &self,
        id: &str,
        now: Timestamp,
        writer: &Writer,
    ) -> Result<(), SilenceError> {
        let one = Arc::clone(&self.changing).lock_owned().await;
        let kept = self.kept.load_full();
        let ended = silence::expire(&kept, id, now)?;
        self.write(one, vec![ended], &kept, writer).await
    }

    /// Forgets silences that expired long ago.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be stored.
    pub async fn tidy(&self, now: Timestamp, writer: &Writer) -> Result<(), EngineError> {
        let one = Arc::clone(&self.changing).lock_owned().await;
        let kept = self.kept.load_full();
        let is_old = |it: &Arc<Silence>| silence::is_forgotten(it, now);
        let (old, rest): (Vec<_>, Vec<_>) = kept.iter().cloned().partition(is_old);
        if old.is_empty() {
            return Ok(());
        }
        let removed = old.iter().map(|it| SILENCES.remove(&it.id));
        let write = removed.fold(RowWrites::default(), RowWrites::and);
        let (kept, writer) = (Arc::clone(&self.kept), writer.clone());
        run_to_completion(async move {
            let _one = one;
            writer.ask(Request::rows(write)).await?;
            kept.store(Arc::new(rest));
            Ok(())
        })
        .await
    }

    /// Row and memory change together, even if the caller is dropped: otherwise an expired silence
    /// would stay active until the next start.
    async fn write(
        &self,
        one: OwnedMutexGuard<()>,
        changes: Vec<Silence>,
        kept: &[Arc<Silence>],
        writer: &Writer,
    ) -> Result<(), SilenceError> {
        let mut write = RowWrites::default();
        for silence in &changes {
            write = write.and(SILENCES.put(&silence.id, silence)?);
        }
        let changed = |it: &Arc<Silence>| changes.iter().any(|new| new.id == it.id);
        let mut all: Vec<_> = kept.iter().filter(|it| !changed(it)).cloned().collect();
        all.extend(changes.into_iter().map(Arc::new));
        let (kept, writer) = (Arc::clone(&self.kept), writer.clone());
        let written = run_to_completion(async move {
            let _one = one;
            writer.offer(Request::rows(write)).await?;
            kept.store(Arc::new(all));
            Ok(())
        });
        Ok(written.await?)
    }
}

fn rows(store: &dyn Store) -> Result<Vec<Arc<Silence>>, EngineError> {
    let mut rows = Vec::new();
    SILENCES.for_each(store, |silence| {
        rows.push(Arc::new(silence));
        Ok(())
    })?;
    Ok(rows)
}
