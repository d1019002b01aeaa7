//! Measures what a history of closed incidents costs a daemon: start, memory, disk, and the time of
//! an alert compared with an empty store.
//!
//! ```text
//! cargo run --release -p tocsin --example many_closed -- FOLDER [INCIDENTS [LIVED]]
//! ```
//!
//! The history is made in FOLDER once and then reused. LIVED of its incidents are made by the
//! daemon's own policies, writer, timers and sweeps with a clock that is set forward; the others
//! are copies of these in the store, with other IDs and numbers. Every figure is one line of JSON
//! on standard output. Each part runs in its own process, so that memory is measured from a fresh
//! start.

#![forbid(unsafe_code)]

mod copies;
mod cost;
mod history;
mod rig;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use mimalloc::MiMalloc;

/// The program's allocator, so that its memory use is measured.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Default number of incidents in the history.
const INCIDENTS_USUAL: u64 = 100_000;
/// Default number of incidents made by a daemon; each takes some milliseconds.
const LIVED_USUAL: u64 = 10_240;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--make", folder, from, to] => {
            history::make(Path::new(folder), from.parse()?, to.parse()?)
        }
        ["--copy", folder, to] => copies::make(Path::new(folder), to.parse()?),
        ["--measure", folder, name] => cost::of_start(Path::new(folder), name),
        ["--alerts", folder] => cost::of_alerts(Path::new(folder)),
        [folder] => all(Path::new(folder), INCIDENTS_USUAL, LIVED_USUAL),
        [folder, incidents] => all(Path::new(folder), incidents.parse()?, LIVED_USUAL),
        [folder, incidents, lived] => all(Path::new(folder), incidents.parse()?, lived.parse()?),
        _ => bail!("usage: many_closed FOLDER [INCIDENTS [LIVED]]"),
    }
}

fn all(folder: &Path, incidents: u64, lived: u64) -> Result<()> {
    let closed = folder.join(format!("closed-{incidents}"));
    let made = closed.join("made");
    if !made.exists() {
        let closed = fresh(closed.clone())?;
        again("--make", &closed, &["0", &lived.min(incidents).to_string()])?;
        again("--copy", &closed, &[&incidents.to_string()])?;
        std::fs::write(&made, "")?;
    }
    let empty = fresh(folder.join("empty"))?;
    again("--measure", &empty, &["empty"])?;
    again("--measure", &closed, &["closed"])?;
    again("--alerts", folder, &[])
}

/// Runs this program in a new process.
fn again(what: &str, folder: &Path, more: &[&str]) -> Result<()> {
    let program = std::env::current_exe()?;
    let status = Command::new(program)
        .arg(what)
        .arg(folder)
        .args(more)
        .status()?;
    if !status.success() {
        bail!("{what} of {} failed", folder.display());
    }
    Ok(())
}

/// Empties and returns the folder.
fn fresh(folder: PathBuf) -> Result<PathBuf> {
    if folder.exists() {
        let failed = || format!("{} cannot be emptied", folder.display());
        std::fs::remove_dir_all(&folder).with_context(failed)?;
    }
    Ok(folder)
}
