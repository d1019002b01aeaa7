//! `cargo xtask bench`: makes release builds of the daemon, the plugins and `benches/`, and
//! measures the figures of docs/performance.md.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::{paths, plugins, progress, steps};

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Names of benchmarks, and `--output text|markdown|json`; see `--help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// Builds and measures. A missed bound is not a failure.
///
/// # Errors
/// When something cannot be built or started.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    println!("making release builds; the first time this takes many minutes");
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
            // One folder for both, so that shared dependencies are compiled once.
            .arg("--target-dir")
            .arg(paths::target());
        if !progress::succeeds(&mut cargo, "the release build")? {
            bail!("the release build failed; see cargo's output above");
        }
    }
    let mut bench = Command::new(paths::target().join("release").join("tocsin-bench"));
    steps::code(bench.args(&args.args))
}
