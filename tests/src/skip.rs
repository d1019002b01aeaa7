//! Skipping aloud: a check that this machine cannot run is named, with the reason.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;

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
