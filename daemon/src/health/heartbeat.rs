//! A heartbeat to a service outside. Nothing on this machine can report that the machine is gone; a
//! service that misses the heartbeat can, and alerts somebody. So the heartbeat is sent only while
//! the daemon is healthy: a missing heartbeat is the alarm.

use std::time::Duration;

use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use url::Url;

use crate::config::{HeartbeatConfig, SecretError};

/// How long the service may take to answer.
pub const BEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends heartbeats. The URL is a secret: whoever knows it can fake them.
pub struct Heartbeat {
    url: SecretString,
    every: Duration,
    http: reqwest::Client,
    state: Mutex<BeatState>,
    last: Mutex<Option<Instant>>,
}

/// What became of the heartbeats so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BeatState {
    /// How many arrived.
    pub sent: u64,
    /// Why the last one did not arrive, if it did not.
    pub last_error: Option<String>,
}

/// Why a heartbeat cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum HeartbeatError {
    /// The URL cannot be read.
    #[error("[heartbeat] url: {0}")]
    Secret(#[from] SecretError),
    /// The secret is not a URL. It is not shown.
    #[error("[heartbeat] url: the secret is not an http or https URL; put one there")]
    NoUrl,
    /// There is no HTTP client.
    #[error("[heartbeat]: no HTTP client: {0}")]
    Client(reqwest::Error),
}

impl Heartbeat {
    /// A heartbeat as configured.
    ///
    /// # Errors
    /// [`HeartbeatError`] when the URL cannot be read or is none.
    pub fn new(config: &HeartbeatConfig) -> Result<Self, HeartbeatError> {
        let url = config.url.read()?;
        let parsed = Url::parse(url.expose_secret().trim());
        if !parsed.is_ok_and(|it| matches!(it.scheme(), "http" | "https")) {
            return Err(HeartbeatError::NoUrl);
        }
        let http = reqwest::Client::builder()
            .timeout(BEAT_TIMEOUT)
            .user_agent(concat!("tocsin/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| HeartbeatError::Client(error.without_url()))?;
        Ok(Self {
            url,
            every: Duration::from_millis(config.every.as_ms()),
            http,
            state: Mutex::default(),
            last: Mutex::default(),
        })
    }

    /// What became of them so far.
    #[must_use]
    pub fn state(&self) -> BeatState {
        self.state.lock().clone()
    }

    /// How often one is sent.
    #[must_use]
    pub fn every(&self) -> Duration {
        self.every
    }

    /// Sends one if it is time, and remembers what became of it.
    pub async fn beat_if_due(&self) {
        let now = Instant::now();
        if self
            .last
            .lock()
            .is_some_and(|at| now.duration_since(at) < self.every)
        {
            return;
        }
        *self.last.lock() = Some(now);
        let answer = self.http.get(self.url.expose_secret().trim()).send().await;
        let failed = match answer {
            Ok(answer) if answer.status().is_success() => None,
            // A redirect is not followed, so this heartbeat did not arrive.
            Ok(answer) => Some(format!("the service answers {}", answer.status())),
            Err(error) => Some(why(&error.without_url())),
        };
        let mut state = self.state.lock();
        match &failed {
            None => state.sent += 1,
            Some(why) => {
                tracing::warn!(
                    why,
                    "a heartbeat did not arrive; the next one is sent in time"
                );
            }
        }
        state.last_error = failed;
    }
}

/// The innermost reason; the outer ones only say that a request failed.
fn why(error: &reqwest::Error) -> String {
    let mut why: &dyn std::error::Error = error;
    while let Some(source) = why.source() {
        why = source;
    }
    why.to_string()
}
