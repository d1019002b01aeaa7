//! A heartbeat to an external service, which alerts somebody when it stops, as nothing on this
//! machine can report that the machine is down. It is sent only while the daemon is healthy.

use std::time::Duration;

use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use url::Url;

use crate::config::{HeartbeatConfig, SecretError};

/// Request timeout.
pub const BEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends heartbeats. The URL is a secret: anyone who knows it can fake them.
pub struct Heartbeat {
    url: SecretString,
    every: Duration,
    http: reqwest::Client,
    state: Mutex<BeatState>,
    last: Mutex<Option<Instant>>,
}

/// The results so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BeatState {
    /// How many heartbeats were accepted.
    pub sent: u64,
    /// Why the last one failed, if it did.
    pub last_error: Option<String>,
}

/// Why a heartbeat cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum HeartbeatError {
    /// The URL cannot be read.
    #[error("[heartbeat] url: {0}")]
    Secret(#[from] SecretError),
    /// The secret is not a URL. The message does not show it.
    #[error("[heartbeat] url: the secret is not an http or https URL; put one there")]
    NoUrl,
    /// There is no HTTP client.
    #[error("[heartbeat]: cannot set up the HTTP client: {0}")]
    Client(reqwest::Error),
}

impl Heartbeat {
    /// A heartbeat sender for this configuration.
    ///
    /// # Errors
    /// [`HeartbeatError`] when the URL cannot be read or is not valid.
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

    /// The results so far.
    #[must_use]
    pub fn state(&self) -> BeatState {
        self.state.lock().clone()
    }

    /// How often one is sent.
    #[must_use]
    pub fn every(&self) -> Duration {
        self.every
    }

    /// Sends one if it is due, and records the result.
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
            // Redirects are not followed, so they count as failures.
            Ok(answer) => Some(format!("the service answers {}", answer.status())),
            Err(error) => Some(why(&error.without_url())),
        };
        let mut state = self.state.lock();
        match &failed {
            None => state.sent += 1,
            Some(why) => {
                tracing::warn!(why, "a heartbeat failed; the next one is sent on schedule");
            }
        }
        state.last_error = failed;
    }
}

/// The innermost cause; the outer ones only say that a request failed.
fn why(error: &reqwest::Error) -> String {
    let mut why: &dyn std::error::Error = error;
    while let Some(source) = why.source() {
        why = source;
    }
    why.to_string()
}
