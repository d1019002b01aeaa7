//! `cargo xtask bench`: builds the daemon, the plugins and `benches/` as released, and takes the
//! figures of docs/performance.md beside those of peers.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::{paths, plugins, progress, steps};

/// What `cargo xtask bench` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What `--help` shows: names of benchmarks, and `--output text|markdown|json`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// Builds and measures. A figure that misses its bound is no failure.
///
/// # Errors
/// When something cannot be built or started.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    println!("building as released; the first time this takes many minutes");
    plugins::run(&plugins::Args::default())?;
    let manifest = paths::root().join("benches").join("Cargo.toml");
    let daemon = [
        "--package",
        "tocsin",
        "--bin",
        "tocsin",
        "--example",
        "many_closed",
    ];
    let daemon = daemon.map(Into::into);
    let benches = ["--manifest-path".into(), manifest.into_os_string()];
    for what in [&daemon[..], &benches[..]] {
        let mut cargo = paths::cargo();
        cargo
            .args(["build", "--release"])
            .args(what)
            // One folder for both, so that what they share is compiled once.
            .arg("--target-dir")
            .arg(paths::target());
        if !progress::succeeds(&mut cargo, "the release build")? {
            bail!("the release build failed; what cargo says is above");
        }
    }
    let mut bench = Command::new(paths::target().join("release").join("tocsin-bench"));
    steps::code(bench.args(&args.args))
}
