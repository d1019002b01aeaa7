//! Tells whoever will be on call what is open, shortly before they are: once for each handover, and
//! nobody if nothing is.

use tocsin_core::Timestamp;
use tocsin_core::time::MINUTE_MS;
use tocsin_core::trial::ShiftNotice;

use crate::people::{HandoverAhead, Roster};
use crate::runtime::due::Due;
use crate::runtime::engine::request::Request;
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::shift_told;

/// How long before a handover whoever takes over is told, in milliseconds: long enough to talk to
/// whoever hands over.
pub(super) const HANDOVER_AHEAD_MS: u64 = 15 * MINUTE_MS;

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
}
