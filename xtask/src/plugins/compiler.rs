//! Finds a Rust compiler with a standard library for `wasm32-unknown-unknown`.
//!
//! Tries, in this order: the installed target; `rustup target add`, if rustup can reach its server;
//! on Debian, packages that are unpacked into a private folder, see [`debian`].

use super::steps::{output_of, step};
use super::{debian, guest};
use anyhow::{Result, bail};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the compiler may come from.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Source {
    /// The first that works
    #[default]
    Auto,
    /// The installed target only
    Installed,
    /// `rustup target add` if it is not installed
    Rustup,
    /// Debian's packages, in a private folder
    Debian,
}

/// How to call a compiler for guests.
#[derive(Clone, Debug)]
pub(super) struct Compiler {
    /// Version and origin: a guest is rebuilt when it differs.
    pub(super) identity: String,
    /// Environment of the build.
    pub(super) env: Vec<(String, OsString)>,
    /// Additional arguments for cargo.
    pub(super) args: Vec<String>,
}

/// An available compiler, without a download.
pub(super) fn ready(source: Source) -> Option<Compiler> {
    let installed = || {
        if source == Source::Debian {
            None
        } else {
            installed()
        }
    };
    let unpacked = || match source {
        Source::Auto | Source::Debian => debian::ready(),
        Source::Installed | Source::Rustup => None,
    };
    installed().or_else(unpacked)
}

/// Downloads a compiler.
///
/// # Errors
/// When every allowed source failed; the message lists each failure.
pub(super) fn fetch(source: Source) -> Result<Compiler> {
    let mut failures = Vec::new();
    if matches!(source, Source::Auto | Source::Rustup) {
        match step("adding the target with rustup", add_with_rustup) {
            Ok(found) => return Ok(found),
            Err(error) => failures.push(format!("rustup: {error:#}")),
        }
    }
    if matches!(source, Source::Auto | Source::Debian) {
        if let Some(why) = failures.first().and_then(|it| it.trim().lines().last()) {
            eprintln!("plugins: rustup failed ({why}); trying Debian's packages");
        }
        match debian::fetch() {
            Ok(found) => return Ok(found),
            Err(error) => failures.push(format!("Debian packages: {error:#}")),
        }
    }
    let target = guest::TARGET;
    bail!(
        "no compiler for {target} was found; install one, e.g. with \
         `rustup target add {target}`\n{}",
        failures.join("\n")
    )
}

/// The folder of the compiler that cargo uses.
pub(super) fn sysroot() -> Result<PathBuf> {
    let path = output_of(rustc().args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(path.trim()))
}

/// The host's target triple, e.g. `x86_64-unknown-linux-gnu`.
pub(super) fn host_triple() -> Result<String> {
    Ok(output_of(rustc().args(["--print", "host-tuple"]))?
        .trim()
        .to_string())
}

fn installed() -> Option<Compiler> {
    let std = sysroot()
        .ok()?
        .join("lib/rustlib")
        .join(guest::TARGET)
        .join("lib");
    has_std(&std).then_some(())?;
    let version = output_of(rustc().arg("-vV")).ok()?;
    let identity = format!("installed\n{version}");
    Some(Compiler {
        identity,
        env: Vec::new(),
        args: Vec::new(),
    })
}

fn has_std(dir: &Path) -> bool {
    let Ok(entries) = dir.read_dir() else {
        return false;
    };
    entries
        .flatten()
        .any(|it| it.file_name().to_string_lossy().starts_with("libstd-"))
}

fn add_with_rustup() -> Result<Compiler> {
    // No retries: if the server cannot be reached, Debian's packages are faster.
    let mut command = Command::new("rustup");
    command
        .env("RUSTUP_MAX_RETRIES", "0")
        .args(["target", "add", guest::TARGET]);
    output_of(&mut command)?;
    match installed() {
        Some(found) => Ok(found),
        None => bail!("rustup added the target, but the compiler in use does not have it"),
    }
}

fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}
