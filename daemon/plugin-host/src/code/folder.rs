//! Reads a plugin's folder: plugin.toml and plugin.wasm, up to a maximum size.

use super::error::LoadError;
use crate::rights::manifest::Manifest;
use std::path::{Path, PathBuf};

/// Largest component file, in bytes.
const COMPONENT_BYTES_MAX: u64 = 32 << 20;
/// Largest manifest, in bytes.
const MANIFEST_BYTES_MAX: u64 = 256 << 10;

/// What was read from a plugin's folder.
pub(super) struct Folder {
    pub(super) manifest: Manifest,
    pub(super) wasm: Vec<u8>,
    pub(super) wasm_path: PathBuf,
}

pub(super) async fn read_folder(id: &str, path: PathBuf) -> Result<Folder, LoadError> {
    let configured = id.to_owned();
    let shown = path.clone();
    let work = move || {
        let manifest_path = path.join("plugin.toml");
        let text = read_bounded(&manifest_path, MANIFEST_BYTES_MAX)?;
        let text = String::from_utf8(text).map_err(|error| LoadError::Read {
            path: manifest_path.clone(),
            reason: error.to_string(),
        })?;
        let manifest = Manifest::parse(&text).map_err(|faults| LoadError::Manifest {
            path: manifest_path,
            faults,
        })?;
        if manifest.id != configured {
            return Err(LoadError::Id {
                configured,
                found: manifest.id,
                path,
            });
        }
        let wasm_path = path.join("plugin.wasm");
        let wasm = read_bounded(&wasm_path, COMPONENT_BYTES_MAX)?;
        Ok(Folder {
            manifest,
            wasm,
            wasm_path,
        })
    };
    let read = tokio::task::spawn_blocking(work).await;
    read.unwrap_or_else(|error| {
        Err(LoadError::Read {
            path: shown,
            reason: error.to_string(),
        })
    })
}

fn read_bounded(path: &Path, bytes_max: u64) -> Result<Vec<u8>, LoadError> {
    let fault = |reason: String| LoadError::Read {
        path: path.to_owned(),
        reason,
    };
    let length = std::fs::metadata(path)
        .map_err(|error| fault(error.to_string()))?
        .len();
    if length > bytes_max {
        return Err(fault(format!(
            "it has {length} bytes, more than {bytes_max}"
        )));
    }
    std::fs::read(path).map_err(|error| fault(error.to_string()))
}
