//! An event as it is kept.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::{Actor, Timestamp};

/// An event with when it happened and who did it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    pub at: Timestamp,
    pub by: Actor,
    #[serde(flatten)]
    pub event: Event,
}
