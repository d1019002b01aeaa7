//! `cargo xtask bindings`: the guest bindings are generated here and committed, so that a plugin
//! does not compile a WIT parser each time it is built.

#[cfg(feature = "bindings")]
mod generate;

use anyhow::Result;

/// Arguments of `cargo xtask bindings`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Change nothing; fail if the committed file is not what the WIT gives
    #[arg(long)]
    check: bool,
}

/// Writes or checks the committed bindings. The generator is a feature of this crate, because it
/// takes long to compile; without it, this command runs itself once more with it.
pub(crate) fn run(args: &Args) -> Result<()> {
    #[cfg(feature = "bindings")]
    return generate::run(args.check);
    #[cfg(not(feature = "bindings"))]
    return again(args.check);
}

#[cfg(not(feature = "bindings"))]
fn again(check: bool) -> Result<()> {
    let mut cargo =
        std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(crate::paths::root())
        .args(["run", "--quiet", "--package", "xtask", "--profile", "xtask"])
        .args(["--features", "bindings", "--", "bindings"])
        .args(check.then_some("--check"));
    let status = cargo.status()?;
    anyhow::ensure!(status.success(), "cargo xtask bindings failed ({status})");
    Ok(())
}
