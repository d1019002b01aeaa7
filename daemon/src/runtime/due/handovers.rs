//! Tells whoever will be on call what is open, shortly before they are: once for each handover, and
//! nobody if nothing is. Whoever operates one of these incidents is asked whether to hand it over.

use tocsin_core::command::Command;
use tocsin_core::time::MINUTE_MS;
use tocsin_core::trial::ShiftNotice;
use tocsin_core::{Actor, IncidentId, ShiftEnd, Timestamp};

use crate::people::{HandoverAhead, Roster};
use crate::runtime::due::Due;
use crate::runtime::engine::request::Request;
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::shift_told;

/// How long before a handover whoever takes over is told, in milliseconds: long enough to talk to
/// whoever hands over.
pub(super) const HANDOVER_AHEAD_MS: u64 = 15 * MINUTE_MS;
/// How long before a handover it is looked at who has an incident then, in milliseconds.
pub(super) const LAST_LOOK_MS: u64 = 5 * MINUTE_MS;

impl Due {
    /// Tells whoever takes over soon what is open; returns how many. What opens later pages them,
    /// or is known to whoever works on it.
    pub(super) async fn tell_of_handovers(
        &self,
        soon: &[HandoverAhead],
        roster: &Roster,
        now: Timestamp,
    ) -> Result<usize, EngineError> {
        let mut told = 0;
        for handover in soon {
            let shift = ShiftNotice {
                rotation: handover.rotation.clone(),
                from: handover.at,
                warnings: Vec::new(),
                open: Some(self.intake.open_at(handover, roster)),
            };
            let person = &handover.incoming;
            // Not before, as somebody else may take an incident until then.
            if handover.at <= now.plus_ms(LAST_LOOK_MS) {
                let open = shift.open.as_deref().unwrap_or_default();
                self.note_end_of_shift(open, handover).await?;
            }
            if shift_told::is_told(self.view.store(), &shift, person)? {
                continue;
            }
            let contact = self.intake.responders().quiet_contact(person);
            let is_anything = shift.open.as_ref().is_some_and(|it| !it.is_empty());
            match contact.filter(|_| is_anything) {
                Some(contact) => told += usize::from(self.remind(person, contact, shift).await?),
                None => {
                    // It was looked at: what a restart finds open later is not told either.
                    let looked = shift_told::tell(&shift, person, now)?;
                    match self.writer.ask(Request::rows(looked)).await {
                        // Another daemon was first.
                        Ok(_) | Err(EngineError::Commit(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(told)
    }

    /// Has whoever operates one of these incidents when their shift ends asked about it.
    async fn note_end_of_shift(
        &self,
        open: &[IncidentId],
        handover: &HandoverAhead,
    ) -> Result<(), EngineError> {
        let Some(outgoing) = &handover.outgoing else {
            return Ok(());
        };
        let shift = ShiftEnd {
            person: outgoing.clone(),
            rotation: handover.rotation.clone(),
            at: handover.at,
            next: handover.incoming.clone(),
        };
        for id in open {
            let ends = Command::ShiftEnds(shift.clone());
            let noted = self.intake.command(id.clone(), Actor::Tocsin, ends, None);
            match noted.await {
                // It is over by now.
                Ok(_) | Err(EngineError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
