//! Where the workspace and its build folder are, in one place, so that every command agrees.

use std::env;
use std::path::{Path, PathBuf};

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Cargo's target folder: `CARGO_TARGET_DIR`, else `target` under the root. Relative values are
/// taken from the current folder, as cargo itself does.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR").filter(|it| !it.is_empty()) {
        Some(dir) => env::current_dir().unwrap_or_else(|_| root()).join(dir),
        None => root().join("target"),
    }
}
