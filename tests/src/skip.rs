//! Reports checks that this machine cannot run, with the reason.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use crate::paths;

/// Reports a skipped check and the reason: on stderr, and in the file that `TOCSIN_SKIPS` names,
/// which `cargo xtask test` counts and prints.
pub fn skipped(check: &str, why: &str) {
    eprintln!("skipped {check}: {why}");
    let Some(path) = env::var_os("TOCSIN_SKIPS") else {
        return;
    };
    let line = format!("{check}\t{}\n", why.replace(['\n', '\t'], " "));
    let opened = OpenOptions::new().create(true).append(true).open(path);
    if let Err(error) = opened.and_then(|mut file| file.write_all(line.as_bytes())) {
        eprintln!("cannot record the skip: {error}");
    }
}

/// The folder of the built Slack plugin; if it is not built, reports `check` as skipped.
///
/// # Panics
/// When it is not built and nobody collects the skips.
#[must_use]
pub fn slack_plugin(check: &str) -> Option<PathBuf> {
    let plugin = paths::plugins().join("slack");
    if plugin.join("plugin.wasm").is_file() {
        return Some(plugin);
    }
    let why = "the Slack plugin is not built; run `cargo xtask plugins`";
    // Without the file nobody sees a skip, and it looks like a check that passed.
    assert!(env::var_os("TOCSIN_SKIPS").is_some(), "{check}: {why}");
    skipped(check, why);
    None
}
