//! `cargo xtask demo`: from a clean checkout to the story's end, with everything built on the
//! way: the plugins for WebAssembly, and the daemon.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{paths, plugins, progress};

/// What `cargo xtask demo` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave the daemon running after the story, to look around
    #[arg(long)]
    hold: bool,
}

/// Builds what the demo needs and tells it. The exit code is the demo's.
///
/// # Errors
/// When something cannot be built or started.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let began = Instant::now();
    println!("building the daemon; the first time this takes several minutes");
    // The plugins' compiler is fetched while the daemon compiles: one waits for the network, the
    // other for the processor.
    let mut daemon = paths::cargo();
    // For the whole workspace, so that every dependency has the features that it has in the tests,
    // and those need not compile wasmtime once more.
    daemon.args(["build", "--workspace", "--bin", "tocsin"]);
    let daemon = progress::start(&mut daemon, "the daemon")?;
    let plugins = plugins::run(&plugins::Args::default());
    let is_built = daemon.succeeds()?;
    plugins?;
    if !is_built {
        bail!("the daemon does not compile; what cargo says is above");
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
        "the demo ended after {:.0} s in all",
        began.elapsed().as_secs_f64()
    );
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
