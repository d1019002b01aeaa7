//! What Amazon SNS needs besides taking its messages: the certificates that it signs with, and
//! telling it that a subscription is wanted. Only addresses that were checked are called, without
//! following redirects.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use url::Url;

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest certificate or confirmation, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Most certificates that are kept; there is one for a region and some years.
const CERTIFICATES_MAX: usize = 64;

/// Calls Amazon SNS.
#[derive(Debug, Default)]
pub struct Sns {
    client: OnceLock<Result<reqwest::Client, String>>,
    certificates: Mutex<BTreeMap<String, Arc<[u8]>>>,
}

/// SNS did not answer as it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {why}")]
pub struct SnsError {
    url: String,
    why: String,
}

impl Sns {
    /// The certificate at an address of SNS.
    ///
    /// # Errors
    /// When it cannot be fetched.
    pub async fn certificate(&self, url: &Url) -> Result<Arc<[u8]>, SnsError> {
        if let Some(known) = self.certificates.lock().get(url.as_str()) {
            return Ok(Arc::clone(known));
        }
        let fetched: Arc<[u8]> = self.get(url).await?.into();
        let mut known = self.certificates.lock();
        if known.len() >= CERTIFICATES_MAX {
            known.clear();
        }
        known.insert(url.to_string(), Arc::clone(&fetched));
        Ok(fetched)
    }

    /// Confirms a subscription by calling its address.
    ///
    /// # Errors
    /// When SNS does not take it.
    pub async fn confirm(&self, url: &Url) -> Result<(), SnsError> {
        self.get(url).await.map(drop)
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, SnsError> {
        // The query of a confirmation has a token.
        let mut shown = url.clone();
        shown.set_query(None);
        let failed = |why: String| SnsError {
            url: shown.to_string(),
            why,
        };
        let client = self.client.get_or_init(client);
        let client = client.as_ref().map_err(|why| failed(why.clone()))?;
        let sent = client.get(url.clone()).send().await;
        // An error of the client shows the URL.
        let mut answer = sent.map_err(|error| failed(error.without_url().to_string()))?;
        if !answer.status().is_success() {
            return Err(failed(format!("status {}", answer.status())));
        }
        let mut body = Vec::new();
        loop {
            let chunk = answer.chunk().await;
            let chunk = chunk.map_err(|error| failed(error.without_url().to_string()))?;
            let Some(chunk) = chunk else {
                return Ok(body);
            };
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(failed(format!("more than {ANSWER_BYTES_MAX} bytes")));
            }
        }
    }
}

fn client() -> Result<reqwest::Client, String> {
    // Fails when a provider is already installed, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none());
    builder.build().map_err(|error| error.to_string())
}
