//! Waiting for what another program does: looking again and again until a deadline, never for a
//! fixed time.

use std::time::{Duration, Instant};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Looks until `look` finds something.
///
/// # Errors
/// When the time is over: a text that names what was waited for.
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

/// Whether a URL answers with success, for [`until`].
pub async fn answers(url: &str) -> Option<()> {
    // The client wants a TLS provider even for plain HTTP; an installed one is as good.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let response = reqwest::get(url).await.ok()?;
    response.status().is_success().then_some(())
}
