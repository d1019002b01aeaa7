//! Whether the mail relay answers. A relay that is configured and gone is found out by the page
//! that needs it, unless somebody looks before: so one log-in a minute, without a mail.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::mail::Mailer;

/// How often the relay is asked.
const PROBE_EVERY: Duration = Duration::from_secs(60);
/// How long it may take to answer; the watch waits for it.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the relay now and then, and remembers the answer.
pub struct RelayProbe {
    mailer: Arc<Mailer>,
    state: Mutex<RelayState>,
    last: Mutex<Option<Instant>>,
}

/// How the relay answered the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RelayState {
    /// It was not asked yet.
    #[default]
    Unknown,
    /// It accepted the log-in.
    Reached,
    /// It could not be reached or refused the log-in; says why.
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

    /// How the relay answered the last time.
    #[must_use]
    pub fn state(&self) -> RelayState {
        self.state.lock().clone()
    }

    /// Asks the relay if it is time.
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
