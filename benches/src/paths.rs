//! Paths, derived from where this program was built, since the target folder is shared.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The repository's root folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    let exe = env::current_exe().ok();
    let built = exe.as_deref().and_then(|it| it.ancestors().nth(2));
    built.map_or_else(|| root().join("target"), Path::to_path_buf)
}

/// Where downloaded programs are kept between runs.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// A file of the release build beside this program.
pub(crate) fn release(name: &str) -> Result<PathBuf> {
    let path = target().join("release").join(name);
    let found = path.is_file().then(|| path.clone());
    found.with_context(|| format!("{} is not built; run `cargo xtask bench`", path.display()))
}

/// A folder for one server's data, on the target folder's disk: in a memory file system a sync
/// would cost nothing.
pub(crate) fn fresh_dir() -> Result<tempfile::TempDir> {
    let dir = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(target());
    dir.context("cannot create a folder for a server's data")
}
