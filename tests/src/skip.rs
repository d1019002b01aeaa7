//! Skipping aloud: a check that this machine cannot run is named, with the reason.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use crate::paths;

/// Says that a check was skipped and why: on stderr, and in the file that `TOCSIN_SKIPS` names,
/// from which `cargo xtask test` counts them and prints them at its end.
pub fn skipped(check: &str, why: &str) {
    eprintln!("skipped {check}: {why}");
    let Some(path) = env::var_os("TOCSIN_SKIPS") else {
        return;
    };
    let line = format!("{check}\t{}\n", why.replace(['\n', '\t'], " "));
    let opened = OpenOptions::new().create(true).append(true).open(path);
    if let Err(error) = opened.and_then(|mut file| file.write_all(line.as_bytes())) {
        eprintln!("the skip could not be noted: {error}");
    }
}

/// The folder of the built Slack plugin; when it is not built, that is said for `check`.
#[must_use]
pub fn slack_plugin(check: &str) -> Option<PathBuf> {
    let plugin = paths::plugins().join("slack");
    if plugin.join("plugin.wasm").is_file() {
        return Some(plugin);
    }
    skipped(
        check,
        "the Slack plugin is not built; run `cargo xtask plugins`",
    );
    None
}
