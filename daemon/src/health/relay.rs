//! Checks once per minute that the mail relay accepts a connection and a login, so that a failed
//! relay is found before a page needs it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::mail::Mailer;

/// How often the relay is probed.
const PROBE_EVERY: Duration = Duration::from_secs(60);
/// How long the relay may take to answer; the health watch waits for it.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Probes the relay periodically, and stores the result.
pub struct RelayProbe {
    mailer: Arc<Mailer>,
    state: Mutex<RelayState>,
    last: Mutex<Option<Instant>>,
}

/// The last result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RelayState {
    /// Not probed yet.
    #[default]
    Unknown,
    /// The relay accepted the login.
    Reached,
    /// The relay could not be reached or refused the login, with the reason.
    Failed(String),
}

impl RelayProbe {
    /// A probe of the relay that `mailer` sends through.
    #[must_use]
    pub fn new(mailer: Arc<Mailer>) -> Self {
        Self {
            mailer,
            state: Mutex::default(),
            last: Mutex::default(),
        }
    }

    /// The last result.
    #[must_use]
    pub fn state(&self) -> RelayState {
        self.state.lock().clone()
    }

    /// Probes the relay if it is due.
    pub(super) async fn probe_if_due(&self) {
        let now = Instant::now();
        let is_early = |at: Instant| now.duration_since(at) < PROBE_EVERY;
        if self.last.lock().is_some_and(is_early) {
            return;
        }
        *self.last.lock() = Some(now);
        let state = match self.mailer.log_in(PROBE_TIMEOUT).await {
            Ok(()) => RelayState::Reached,
            Err(error) => RelayState::Failed(error.to_string()),
        };
        *self.state.lock() = state;
    }
}
