//! Links that acknowledge a page, for channels without buttons. The key that signs them is made
//! at the first start and kept in a file beside the store, not in it: a backup shows no secret.
//! A link is shown by GET and used only by POST, since mail scanners follow links.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use tocsin_core::incident::Incident;
use tocsin_core::time::HOUR_MS;
use tocsin_core::{PersonId, Timestamp};

use crate::mail::{AckClaim, AckKey, AckRefusal};

/// How long a link acknowledges, in milliseconds: two days.
const LINK_TTL_MS: u64 = 48 * HOUR_MS;
/// The key's file in the data folder.
const KEY_FILE: &str = "ack-link.key";

/// Makes and checks links that acknowledge.
pub struct AckLinks {
    key: AckKey,
    base_url: String,
}

impl AckLinks {
    /// Links to the daemon at `base_url`, signed with `key`.
    #[must_use]
    pub fn new(key: AckKey, base_url: String) -> Self {
        Self { key, base_url }
    }

    /// The link that acknowledges a page for a person.
    #[must_use]
    pub fn link(&self, incident: &Incident, page: u32, to: &PersonId, now: Timestamp) -> String {
        let claim = AckClaim {
            incident: incident.id.clone(),
            page: incident.page_id(page),
            person: to.clone(),
            expires_at: now.plus_ms(LINK_TTL_MS),
        };
        self.key.link(&self.base_url, &claim)
    }

    /// What a link's token says.
    ///
    /// # Errors
    /// [`AckRefusal`] when it is forged or too old.
    pub fn read(&self, token: &str, now: Timestamp) -> Result<AckClaim, AckRefusal> {
        self.key.verify(token, now)
    }
}

/// A key that nobody has: for a daemon that leaves nothing behind.
///
/// # Errors
/// When the system has no randomness.
pub fn fresh_key() -> Result<AckKey> {
    Ok(AckKey::new(random()?))
}

/// The key of a data folder; made at the first start, readable by its owner only.
///
/// # Errors
/// When the file cannot be read or made, or is not a key.
pub fn key_in(folder: &Path) -> Result<AckKey> {
    let path = folder.join(KEY_FILE);
    if !path.exists() {
        let bytes = random()?;
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        file.write_all(hex::encode(bytes).as_bytes())?;
        file.sync_all()?;
        return Ok(AckKey::new(bytes));
    }
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let bytes = hex::decode(text.trim())
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    let bytes = bytes.with_context(|| {
        format!(
            "{} is not a key; remove it, and links sent so far end",
            path.display()
        )
    })?;
    Ok(AckKey::new(bytes))
}

fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes)
}
