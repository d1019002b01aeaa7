//! An incident's status and timestamps, folded from events.

use serde::{Deserialize, Serialize};

use crate::event::{Effect, Event, Recorded};
use crate::lifecycle::status::Status;
use crate::{Actor, Timestamp};

/// An incident's status, and since when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lifecycle {
    pub status: Status,
    pub opened_at: Timestamp,
    /// When it was opened or last reopened.
    #[serde(default)]
    pub active_since: Timestamp,
    /// `None` until acknowledged, and again after an unacknowledge or a reopening.
    pub acknowledged_at: Option<Timestamp>,
    /// Who acknowledged it, for as long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<Actor>,
    pub mitigated_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    /// How often it was reopened.
    pub reopens: u32,
}

impl Lifecycle {
    pub(crate) fn opened(at: Timestamp) -> Self {
        Self {
            status: Status::Open,
            opened_at: at,
            active_since: at,
            acknowledged_at: None,
            acknowledged_by: None,
            mitigated_at: None,
            resolved_at: None,
            reopens: 0,
        }
    }

    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        match &recorded.event {
            Event::Acknowledged { .. } => {
                self.acknowledged_at.get_or_insert(at);
                self.acknowledged_by = Some(recorded.by.clone());
            }
            Event::Mitigated { .. } => {
                self.status = Status::Mitigated;
                self.mitigated_at = Some(at);
            }
            Event::Resolved { .. } => {
                self.status = Status::Resolved;
                self.resolved_at = Some(at);
            }
            Event::Reopened { .. } => {
                *self = Self {
                    opened_at: self.opened_at,
                    reopens: self.reopens + 1,
                    ..Self::opened(at)
                };
            }
            Event::Closed {} => self.status = Status::Closed,
            event if event.traits().effect == Effect::StartsAgain => {
                (self.acknowledged_at, self.acknowledged_by) = (None, None);
            }
            _ => {}
        }
    }
}
