//! Python packages from PyPI, in a private environment under the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::debian::{lock, run};
use crate::paths;

/// A Python that can import `module` of `package` (`name==version`).
///
/// # Errors
/// When it is not available here, with the reason.
pub(super) fn with(package: &str, module: &str) -> Result<PathBuf, String> {
    let imports =
        |python: &Path| run(Command::new(python).args(["-c", &format!("import {module}")])).is_ok();
    let system = PathBuf::from("python3");
    if imports(&system) {
        return Ok(system);
    }
    let dir = paths::tools().join("python").join(package);
    let venv = dir.join("venv");
    let python = venv.join("bin/python");
    fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let _lock = lock(&dir)?;
    if !imports(&python) {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        run(Command::new(venv.join("bin/pip")).args(["install", "--quiet", package]))?;
    }
    if imports(&python) {
        Ok(python)
    } else {
        Err(format!("{package} has no module {module}"))
    }
}
