//! Logs what a silence has hidden when it ends, once, whichever daemon is first.

use tocsin_core::Timestamp;

use crate::runtime::due::Due;
use crate::runtime::engine::request::Request;
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::hidden::{HIDDEN, Hidden};
use crate::silence::SilenceState;

/// Most silences per sweep whose end is looked at.
const ENDED_MAX: usize = 100;

impl Due {
    /// Logs the silences that have ended since, and notes in the store that they are.
    pub(super) async fn report_ended_silences(&self, now: Timestamp) -> Result<(), EngineError> {
        let all = self.silences.all();
        let ended: Vec<_> = {
            let mut reported = self.reported_silences.lock();
            reported.retain(|id| all.iter().any(|it| it.id == *id));
            let ended = all
                .iter()
                .filter(|it| it.state(now) == SilenceState::Expired);
            let news = ended.filter(|it| !reported.contains(&it.id));
            news.take(ENDED_MAX).cloned().collect()
        };
        for silence in ended {
            let id = silence.id.as_str();
            let row = HIDDEN.get(self.view.store(), id)?;
            let revision = row.as_ref().map_or(0, |it| it.revision);
            let hidden = row.map(|it| it.value).unwrap_or_default();
            if !hidden.is_reported {
                let is_reported = true;
                let write = HIDDEN.put(
                    id,
                    &Hidden {
                        is_reported,
                        ..hidden
                    },
                )?;
                match self.writer.ask(Request::rows(write.if_at(revision))).await {
                    Ok(_) => {
                        let (by, hid) = (silence.created_by.as_str(), hidden.hid);
                        tracing::info!(id, by, "a silence has ended; it hid {hid}");
                    }
                    // Another daemon was first, or it has just hidden something: look again.
                    Err(EngineError::Commit(_)) => continue,
                    Err(error) => return Err(error),
                }
            }
            self.reported_silences.lock().insert(id.to_owned());
        }
        Ok(())
    }
}
