//! Paths of the repository, its build folder and downloaded programs.

use std::env;
use std::path::{Path, PathBuf};

/// The repository's root folder.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Cargo's target folder, derived from where this test was built.
#[must_use]
pub fn target() -> PathBuf {
    let exe = env::current_exe().ok();
    let built = exe
        .as_deref()
        .and_then(|it| it.ancestors().nth(3))
        .map(Path::to_path_buf);
    built.unwrap_or_else(|| root().join("target"))
}

/// A program that Cargo built beside the tests.
#[must_use]
pub fn built(name: &str) -> PathBuf {
    let exe = env::current_exe().ok();
    let folder = exe.as_deref().and_then(|it| it.ancestors().nth(2));
    folder.unwrap_or(Path::new("")).join(name)
}

/// The folder of the built plugins: `TOCSIN_PLUGINS`, else `plugins` in the target folder, where
/// `cargo xtask plugins` puts them.
#[must_use]
pub fn plugins() -> PathBuf {
    env::var_os("TOCSIN_PLUGINS").map_or_else(|| target().join("plugins"), PathBuf::from)
}

/// Where downloaded programs are kept between runs.
#[must_use]
pub fn tools() -> PathBuf {
    target().join("tools")
}
