//! The kept silences in memory beside their rows: every firing alert is matched against them. What
//! a change may do is decided in [`crate::silence`].

use std::sync::Arc;

use tocsin_core::{Labels, Timestamp, limits};
use tocsin_store::{Store, Table};

use crate::runtime::engine::request::Request;
use crate::runtime::engine::writer::Writer;
use crate::runtime::error::EngineError;
use crate::runtime::registry::cache::{Cache, ReadAt};
use crate::runtime::state::tables::RowWrites;
use crate::runtime::state::tables::hidden::HIDDEN;
use crate::runtime::state::tables::mark::Mark;
use crate::runtime::state::tables::silence::SILENCES;
use crate::silence::{self, PostableSilence, Silence, SilenceRefusal, SilenceState};

type Kept = Vec<Arc<Silence>>;

/// The silences that are kept.
pub struct Silences {
    kept: Arc<Cache<Kept>>,
    /// Those that the sweep has seen.
    swept: parking_lot::Mutex<Arc<Kept>>,
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
    pub fn load(store: Arc<dyn Store>) -> Result<Self, EngineError> {
        Ok(Self {
            kept: Cache::load(store, (Table::Silence, Mark::SILENCES), |it| {
                SILENCES.all(it)
            })?,
            swept: parking_lot::Mutex::default(),
        })
    }

    /// Reads the rows again if any engine wrote one.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(crate) fn follow(&self) -> Result<(), EngineError> {
        self.kept.follow().map(drop)
    }

    /// As [`matching`](Self::matching), by the silences that are kept now, whichever engine wrote
    /// them, at most [`SILENCED_BY_MAX`](limits::SILENCED_BY_MAX); and what these are not older
    /// than.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn matching_now(
        &self,
        labels: &Labels,
        now: Timestamp,
    ) -> Result<(Vec<String>, ReadAt), EngineError> {
        let (kept, read_at) = self.kept.follow()?;
        let mut matching = silence::matching(&kept, labels, now);
        matching.truncate(limits::SILENCED_BY_MAX);
        Ok((matching, read_at))
    }

    /// Those that are active at `now`, whichever engine wrote them, and what they are not older
    /// than.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(crate) fn in_force(&self, now: Timestamp) -> Result<(Kept, ReadAt), EngineError> {
        let (kept, read_at) = self.kept.follow()?;
        let holds = |it: &&Arc<Silence>| it.state(now) == SilenceState::Active;
        Ok((kept.iter().filter(holds).cloned().collect(), read_at))
    }

    /// When the next one begins or ends after `now`.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let kept = self.kept.rows();
        let times = kept.iter().flat_map(|it| [it.starts_at, it.ends_at]);
        times.filter(|at| *at > now).min()
    }

    /// Whether one was set, changed or ended since this was last asked: then the sweep looks at
    /// once for alerts that nothing holds back any more.
    pub(crate) fn take_changed(&self) -> bool {
        let kept = self.kept.rows();
        let swept = std::mem::replace(&mut *self.swept.lock(), Arc::clone(&kept));
        !Arc::ptr_eq(&swept, &kept)
    }

    /// All that are kept: pending, active and recently expired.
    #[must_use]
    pub fn all(&self) -> Arc<Kept> {
        self.kept.rows()
    }

    /// The ids of the silences that mute an alert with these labels at `now`.
    #[must_use]
    pub fn matching(&self, labels: &Labels, now: Timestamp) -> Vec<String> {
        silence::matching(&self.kept.rows(), labels, now)
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
        let set = |kept: &Kept| -> Result<_, SilenceError> {
            let set = silence::set(kept, posted.clone(), new_id, now)?;
            let mut rows = RowWrites::default();
            for silence in &set.changed {
                rows = rows.and(SILENCES.put(&silence.id, silence)?);
            }
            Ok((rows, set.id))
        };
        self.kept.change(writer, set).await
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
        let end = |kept: &Kept| -> Result<_, SilenceError> {
            let ended = silence::expire(kept, id, now)?;
            Ok((SILENCES.put(id, &ended)?, ()))
        };
        self.kept.change(writer, end).await
    }

    /// Forgets silences that expired long ago, and what they have hidden.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be stored.
    pub async fn tidy(&self, now: Timestamp, writer: &Writer) -> Result<(), EngineError> {
        let forget = |kept: &Kept| -> Result<_, EngineError> {
            let old = kept.iter().filter(|it| silence::is_forgotten(it, now));
            let removed = old.map(|it| SILENCES.remove(&it.id).and(HIDDEN.remove(&it.id)));
            Ok((removed.fold(RowWrites::default(), RowWrites::and), ()))
        };
        match self.kept.change(writer, forget).await {
            // The next sweep comes soon.
            Err(EngineError::Overloaded) => Ok(()),
            forgotten => forgotten,
        }
    }
}

/// The request that writes a silence, decided on the store as it is now; for the simulator.
///
/// # Errors
/// As [`Silences::load`].
pub fn silencing(store: &dyn Store, silence: &Silence) -> Result<Request, EngineError> {
    let mark = Mark::SILENCES.leave(Mark::SILENCES.revision(store)?)?;
    Ok(Request::rows(SILENCES.put(&silence.id, silence)?.and(mark)))
}
