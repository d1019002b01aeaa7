//! Who is on call as of now: the configuration with the overrides that people made and with when
//! they are out of office, which are kept in memory beside their rows. What a change may do is
//! decided in [`crate::people`].

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tocsin_core::{Actor, PersonId, Timestamp};
use tocsin_store::{Store, Table};

use crate::config::Config;
use crate::people::{
    CurrentRoster, MadeOverride, NewOverride, OverrideRefusal, Roster, cancel_override,
    crowded_out, make_overrides, override_id,
};
use crate::runtime::engine::request::Request;
use crate::runtime::engine::writer::Writer;
use crate::runtime::error::EngineError;
use crate::runtime::registry::cache::Cache;
use crate::runtime::state::tables::RowWrites;
use crate::runtime::state::tables::absence::{ABSENCES, AbsenceRow};
use crate::runtime::state::tables::mark::Mark;
use crate::runtime::state::tables::on_call_override::OVERRIDES;

type Kept = Vec<Arc<MadeOverride>>;
type Absent = Vec<Arc<AbsenceRow>>;

/// Who is on call as of now.
pub struct OnCall {
    configured: Arc<Roster>,
    /// The places of people's calendars: what others said does not count.
    calendars: BTreeMap<PersonId, String>,
    kept: Arc<Cache<Kept>>,
    absent: Arc<Cache<Absent>>,
    merged: Mutex<Option<Merged>>,
}

/// The roster, and the rows that it was merged from.
struct Merged {
    kept: Arc<Kept>,
    absent: Arc<Absent>,
    roster: Arc<Roster>,
}

/// Why an override is not made or canceled.
#[derive(Debug, thiserror::Error)]
pub enum OverrideError {
    /// The change is not allowed.
    #[error(transparent)]
    Refused(#[from] OverrideRefusal),
    /// It could not be stored.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Who makes overrides, and when.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    pub by: &'a Actor,
    pub now: Timestamp,
    /// Names the request: a repeated one makes nothing anew.
    pub request: &'a str,
}

impl OnCall {
    /// What a store says over the roster of the configuration.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read or a row is damaged.
    pub fn load(
        store: Arc<dyn Store>,
        configured: Arc<Roster>,
        config: &Config,
    ) -> Result<Self, EngineError> {
        let people = config.people.iter();
        let calendars =
            people.filter_map(|(id, it)| Some((id.clone(), it.calendar.as_ref()?.place())));
        let overrides = (Table::Override, Mark::OVERRIDES);
        Ok(Self {
            configured,
            calendars: calendars.collect(),
            kept: Cache::load(Arc::clone(&store), overrides, |it| OVERRIDES.all(it))?,
            absent: Cache::load(store, (Table::Absence, Mark::ABSENCES), |it| {
                ABSENCES.all(it)
            })?,
            merged: Mutex::default(),
        })
    }

    /// The roster as it is now, whichever engine wrote its overrides. While the store cannot be
    /// read, it is the last that was.
    #[must_use]
    pub fn roster(&self) -> Arc<Roster> {
        let (kept, absent) = (followed(&self.kept), followed(&self.absent));
        let mut merged = self.merged.lock();
        if let Some(merged) = merged.as_ref()
            && Arc::ptr_eq(&merged.kept, &kept)
            && Arc::ptr_eq(&merged.absent, &absent)
        {
            return Arc::clone(&merged.roster);
        }
        let roster = Arc::new(self.merge(&kept, &absent));
        *merged = Some(Merged {
            kept,
            absent,
            roster: Arc::clone(&roster),
        });
        roster
    }

    fn merge(&self, kept: &Kept, absent: &Absent) -> Roster {
        let mut roster = self.configured.with_overrides(kept);
        for row in absent {
            if self.calendars.get(&row.person) == Some(&row.place) {
                let absences = row.absences.clone();
                roster.absences.insert(row.person.clone(), absences);
            }
        }
        roster
    }

    /// Keeps what a calendar said until `ends_at`, unless that is kept already and was noted after
    /// `noted_since`.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be stored.
    pub(crate) async fn keep_absences(
        &self,
        row: AbsenceRow,
        ends_at: Timestamp,
        noted_since: Timestamp,
        writer: &Writer,
    ) -> Result<(), EngineError> {
        let keep = |absent: &Absent| kept_anew(absent, &row, ends_at, noted_since);
        self.absent.change(writer, keep).await
    }

    /// The request that keeps what a calendar said, decided on the rows as they are now; for the
    /// simulator.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read or a row is damaged.
    pub fn keeping(&self, row: &AbsenceRow, ends_at: Timestamp) -> Result<Request, EngineError> {
        let keep = |absent: &Absent| kept_anew(absent, row, ends_at, row.read_at);
        let (rows, ()) = self.absent.decided(&keep)?;
        Ok(Request::rows(rows))
    }

    /// The overrides that have not ended and those that ended lately, in the order of their
    /// beginning, whichever engine wrote them.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn overrides(&self) -> Result<Kept, EngineError> {
        let mut kept = Kept::clone(&self.kept.follow()?.0);
        kept.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        Ok(kept)
    }

    /// Makes the overrides that `wanted` asks for of the roster as it is now: all or none. A
    /// repeated request gets those that it made before, and true.
    ///
    /// # Errors
    /// [`OverrideError`] when one is not allowed, or they cannot be stored.
    pub async fn make(
        &self,
        maker: Maker<'_>,
        writer: &Writer,
        wanted: impl Fn(&Roster) -> Result<Vec<NewOverride>, OverrideRefusal>,
    ) -> Result<(Vec<MadeOverride>, bool), OverrideError> {
        let make = |kept: &Kept| self.decide(kept, maker, &wanted);
        self.kept.change(writer, make).await
    }

    /// The request that makes overrides, decided on the rows as they are now, and what it makes;
    /// for the simulator.
    ///
    /// # Errors
    /// As [`make`](Self::make).
    pub fn making(
        &self,
        maker: Maker<'_>,
        wanted: impl Fn(&Roster) -> Result<Vec<NewOverride>, OverrideRefusal>,
    ) -> Result<(Request, Vec<MadeOverride>), OverrideError> {
        let make = |kept: &Kept| self.decide(kept, maker, &wanted);
        let (rows, (made, _)) = self.kept.decided(&make)?;
        Ok((Request::rows(rows), made))
    }

    fn decide(
        &self,
        kept: &Kept,
        maker: Maker<'_>,
        wanted: &impl Fn(&Roster) -> Result<Vec<NewOverride>, OverrideRefusal>,
    ) -> Result<(RowWrites, (Vec<MadeOverride>, bool)), OverrideError> {
        let Maker { by, now, request } = maker;
        let before = made_by(kept, maker);
        if !before.is_empty() {
            return Ok((RowWrites::default(), (before, true)));
        }
        let roster = self.configured.with_overrides(kept);
        let made = make_overrides(kept, &roster, wanted(&roster)?, (request, by, now))?;
        let mut rows = RowWrites::default();
        for over in &made {
            rows = rows.and(put(over)?);
        }
        if let Some(first) = made.first() {
            for old in crowded_out(kept, &first.rotation, made.len(), now) {
                rows = rows.and(OVERRIDES.remove(&old.id));
            }
        }
        Ok((rows, (made, false)))
    }

    /// Cancels an override: one that has begun ends now.
    ///
    /// # Errors
    /// [`OverrideError`] when it is unknown, has ended, or the change cannot be stored.
    pub async fn cancel(
        &self,
        id: &str,
        now: Timestamp,
        writer: &Writer,
    ) -> Result<MadeOverride, OverrideError> {
        let cancel = |kept: &Kept| canceled(kept, id, now);
        self.kept.change(writer, cancel).await
    }

    /// The request that cancels an override, decided on the rows as they are now; for the
    /// simulator.
    ///
    /// # Errors
    /// As [`cancel`](Self::cancel).
    pub fn canceling(&self, id: &str, now: Timestamp) -> Result<Request, OverrideError> {
        let (rows, _) = self.kept.decided(&|kept: &Kept| canceled(kept, id, now))?;
        Ok(Request::rows(rows))
    }
}

impl CurrentRoster for OnCall {
    fn now(&self) -> Arc<Roster> {
        self.roster()
    }
}

/// The rows as they are now, or as they were last read.
fn followed<T: Send + Sync + 'static>(cache: &Cache<T>) -> Arc<T> {
    match cache.follow() {
        Ok((rows, _)) => rows,
        Err(error) => {
            tracing::error!(%error, "cannot read who is on call; what was last read counts");
            cache.rows()
        }
    }
}

/// The overrides that the same request made before.
fn made_by(kept: &Kept, maker: Maker<'_>) -> Vec<MadeOverride> {
    let of_request = |number| {
        let id = override_id(maker.request, number);
        let made = kept.iter().find(|it| it.id == id && it.by == *maker.by)?;
        Some(MadeOverride::clone(made))
    };
    (0..).map_while(of_request).collect()
}

fn canceled(
    kept: &Kept,
    id: &str,
    now: Timestamp,
) -> Result<(RowWrites, MadeOverride), OverrideError> {
    let (canceled, rest) = cancel_override(kept, id, now)?;
    let rows = match &rest {
        Some(rest) => put(rest)?,
        None => OVERRIDES.remove(id),
    };
    Ok((rows, canceled))
}

/// What a calendar said, unless it is kept already and was noted after `noted_since`.
fn kept_anew(
    absent: &Absent,
    row: &AbsenceRow,
    ends_at: Timestamp,
    noted_since: Timestamp,
) -> Result<(RowWrites, ()), EngineError> {
    let is_kept = |it: &AbsenceRow| {
        let AbsenceRow {
            person,
            place,
            read_at,
            absences,
        } = it;
        (person, place, absences) == (&row.person, &row.place, &row.absences)
            && *read_at > noted_since
    };
    if absent.iter().any(|it| is_kept(it)) {
        return Ok((RowWrites::default(), ()));
    }
    let rows = ABSENCES.put_until(row.person.as_str(), row, Some(ends_at))?;
    Ok((rows, ()))
}

fn put(over: &MadeOverride) -> Result<RowWrites, EngineError> {
    OVERRIDES.put_until(&over.id, over, Some(over.forgotten_at()))
}
