//! An incident's status and timestamps, folded from events.

use serde::{Deserialize, Serialize};

use crate::event::{Effect, Event, Recorded};
use crate::lifecycle::status::Status;
use crate::{Actor, IncidentId, Timestamp};

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
    /// When the operator is asked whether to mitigate it first, since it was first acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approach_at: Option<Timestamp>,
    /// Who acknowledged it, for as long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<Actor>,
    pub mitigated_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    /// How often it was reopened.
    pub reopens: u32,
    /// How often somebody resolved it, and not the daemon.
    #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
    pub resolves: u32,
    /// The incident that it was merged into, which ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<MergedInto>,
    /// Whether somebody has done anything about it since it was opened or last reopened.
    #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
    pub is_touched: bool,
    /// The number of the last incident into which it was proposed to merge it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_proposed: Option<u64>,
    /// Its last resolve, also after it reopened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_resolve: Option<Resolve>,
}

/// The incident that another one was merged into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedInto {
    pub id: IncidentId,
    pub number: u64,
}

/// When an incident was resolved, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolve {
    pub at: Timestamp,
    pub by: Actor,
}

impl Lifecycle {
    pub(crate) fn opened(at: Timestamp) -> Self {
        Self {
            status: Status::Open,
            opened_at: at,
            active_since: at,
            acknowledged_at: None,
            acknowledged_by: None,
            approach_at: None,
            mitigated_at: None,
            resolved_at: None,
            reopens: 0,
            resolves: 0,
            merged_into: None,
            is_touched: false,
            merge_proposed: None,
            last_resolve: None,
        }
    }

    /// Its last resolve, unless the daemon resolved it because nothing fired.
    #[must_use]
    pub fn resolved_by_hand(&self) -> Option<&Resolve> {
        let last = self.last_resolve.as_ref();
        last.filter(|it| it.by != Actor::Tocsin)
    }

    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        self.is_touched |= recorded.by.is_somebody();
        match &recorded.event {
            Event::Acknowledged { approach_at, .. } => {
                self.is_touched = true;
                self.approach_at = self.approach_at.or(*approach_at);
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
                let by = recorded.by.clone();
                self.resolves += u32::from(by != Actor::Tocsin);
                self.last_resolve = Some(Resolve { at, by });
            }
            Event::Merged { into, number, .. } => {
                self.status = Status::Resolved;
                self.resolved_at = Some(at);
                let (id, number) = (into.clone(), *number);
                self.merged_into = Some(MergedInto { id, number });
            }
            Event::MergeProposed { number, .. } => self.merge_proposed = Some(*number),
            Event::Reopened { .. } => {
                *self = Self {
                    opened_at: self.opened_at,
                    reopens: self.reopens + 1,
                    resolves: self.resolves,
                    merge_proposed: self.merge_proposed,
                    last_resolve: self.last_resolve.take(),
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
