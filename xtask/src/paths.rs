//! The paths of the workspace and its build folder, and the cargo command for them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Environment variables that describe xtask's own package to it.
const OWN_PACKAGE: [&str; 2] = ["CARGO_MANIFEST_", "CARGO_PKG_"];

/// The cargo that runs this program, in the workspace's root folder and without the variables of
/// xtask's own package: ring's build script depends on them, so ring and its dependents would
/// otherwise be recompiled whenever `cargo xtask test` follows `cargo test`.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    for (name, _) in env::vars_os() {
        let is_own = |prefix: &&str| name.to_string_lossy().starts_with(*prefix);
        if OWN_PACKAGE.iter().any(is_own) {
            cargo.env_remove(name);
        }
    }
    cargo
}
