//! Creates the key, or loads it from the file of an earlier start.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::signature::{AckKey, KEY_BYTES};

/// The key's file in the data folder.
const KEY_FILE: &str = "ack-link.key";

impl AckKey {
    /// A new key that is not stored, for a temporary daemon.
    ///
    /// # Errors
    /// When the system's random generator fails.
    pub fn random() -> Result<Self> {
        Ok(Self::new(random_bytes()?))
    }

    /// The key of a data folder; created at the first start, readable only by its owner.
    ///
    /// # Errors
    /// When the file cannot be read or created, or does not contain a key.
    pub fn load_or_create(folder: &Path) -> Result<Self> {
        let path = folder.join(KEY_FILE);
        if !path.exists() {
            let bytes = random_bytes()?;
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .with_context(|| format!("cannot create {}", path.display()))?;
            file.write_all(hex::encode(bytes).as_bytes())?;
            file.sync_all()?;
            return Ok(Self::new(bytes));
        }
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let bytes = hex::decode(text.trim()).ok();
        let bytes = bytes.and_then(|it| it.try_into().ok()).with_context(|| {
            format!(
                "{} does not contain a key; remove it, which makes existing links unusable",
                path.display()
            )
        })?;
        Ok(Self::new(bytes))
    }
}

fn random_bytes() -> Result<[u8; KEY_BYTES]> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system's random generator failed: {error}"))?;
    Ok(bytes)
}
