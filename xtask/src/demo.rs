//! `cargo xtask demo`: builds the daemon and the plugins from a clean checkout, and runs the demo.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{paths, plugins, progress};

/// Arguments of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave the daemon running after the demo
    #[arg(long)]
    hold: bool,
}

/// Builds what the demo needs and runs it. The exit code is the demo's.
///
/// # Errors
/// When something cannot be built or started.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let began = Instant::now();
    println!("building the daemon; the first time this takes several minutes");
    // Downloading the plugins' compiler needs the network, compiling the daemon the CPU: do both at
    // the same time.
    let mut daemon = paths::cargo();
    // For the whole workspace, so that dependencies have the same features as in the tests, which
    // then need not compile wasmtime again.
    daemon.args(["build", "--workspace", "--bin", "tocsin"]);
    let daemon = progress::start(&mut daemon, "the daemon")?;
    let plugins = plugins::run(&plugins::Args::default());
    let is_built = daemon.succeeds()?;
    plugins?;
    if !is_built {
        bail!("the daemon does not compile; see cargo's output above");
    }
    println!(
        "everything is built after {:.0} s",
        began.elapsed().as_secs_f64()
    );
    let mut demo = Command::new(paths::target().join("debug").join("tocsin"));
    demo.arg("demo")
        .arg("--plugin")
        .arg(paths::target().join("plugins").join("slack"));
    if args.hold {
        demo.arg("--hold");
    }
    let status = demo.status().context("cannot start the demo")?;
    println!(
        "the demo ended after {:.0} s in total",
        began.elapsed().as_secs_f64()
    );
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
