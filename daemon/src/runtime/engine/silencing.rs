//! Silences that begin or end while their alerts are in incidents, and what silences have hidden.

use tocsin_core::alert::Alert;
use tocsin_core::command::Refusal;
use tocsin_core::event::{Event, Recorded};
use tocsin_core::intake::{Silencing, decide_silencing};
use tocsin_core::{Actor, Timestamp};

use crate::runtime::engine::Engine;
use crate::runtime::engine::plan::Planned;
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::mark::Mark;
use crate::runtime::state::view::IncidentState;

impl Engine {
    /// Refuses what was decided on silences that have changed since the feed's position `read_at`,
    /// or of which one has begun or ended since, at `until`.
    pub(super) fn check_silences(
        &self,
        (read_at, until): (Option<u64>, Option<Timestamp>),
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let has_changed = read_at.is_some_and(|at| at < self.silences_changed.0);
        match has_changed || until.is_some_and(|until| until <= now) {
            true => Err(Refusal::NeedsVerdict.into()),
            false => Ok(()),
        }
    }

    /// The silences that match an alert, which may be in an incident.
    pub(super) fn plan_silencing(
        &mut self,
        alert: &str,
        silencing: &Silencing,
        now: Timestamp,
    ) -> Result<Planned, EngineError> {
        self.check_silences((silencing.silences_at, silencing.silences_until), now)?;
        let Some(alert) = self.alert(alert)? else {
            return Ok(Planned::default());
        };
        let home = match alert.incident() {
            Some(id) => self.read_incident(id)?,
            None => None,
        };
        let home = home.as_deref().map(IncidentState::parts);
        let intake = decide_silencing(&alert, home, silencing, self.env(now))?;
        let mut planned = self.write_intake(&Actor::Tocsin, &[alert], None, intake, now)?;
        if let Some(mark) = silencing.silences_mark {
            planned.guard(Mark::SILENCES.guard(mark));
        }
        Ok(planned)
    }

    /// Counts an alert for each silence that did not match it before.
    pub(super) fn count_hidden_alert(
        &mut self,
        before: Option<&Alert>,
        after: &Alert,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let had = before.map(Alert::silences).unwrap_or_default();
        for silence in after.silences().iter().filter(|it| !had.contains(it)) {
            let mut hidden = self.hidden(silence)?;
            hidden.hid.alerts = hidden.hid.alerts.saturating_add(1);
            self.write_hidden(silence, hidden, planned)?;
        }
        Ok(())
    }

    /// Counts the pauses of an escalation for the silences that caused them.
    pub(super) fn count_hidden_pauses(
        &mut self,
        recorded: &[Recorded],
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        for event in recorded.iter().map(|it| &it.event) {
            let Event::Silenced { by } = event else {
                continue;
            };
            for silence in by {
                let mut hidden = self.hidden(&silence.id)?;
                hidden.hid.pauses = hidden.hid.pauses.saturating_add(1);
                self.write_hidden(&silence.id, hidden, planned)?;
            }
        }
        Ok(())
    }
}
