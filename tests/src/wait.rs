//! Waits for another program by polling until a deadline, never for a fixed time.

use std::time::{Duration, Instant};

/// The polling interval.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Polls until `look` returns something.
///
/// # Errors
/// On timeout; the text names what was waited for.
pub async fn until<T>(
    what: &str,
    at_most: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> Result<T, String> {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        if start.elapsed() > at_most {
            return Err(format!("waited {at_most:?} for {what}"));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Whether a URL returns a success status, for [`until`].
pub async fn answers(url: &str) -> Option<()> {
    // The client needs a TLS provider even for plain HTTP; an already installed one will do.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let response = reqwest::get(url).await.ok()?;
    response.status().is_success().then_some(())
}
