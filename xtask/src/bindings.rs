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

/// The first line of the bindings names the WIT that they are of, so that an ordinary test sees
/// when they are stale without compiling the generator.
#[cfg(any(test, feature = "bindings"))]
fn first_line() -> Result<String> {
    let wit = std::fs::read(crate::paths::root().join("plugin-sdk/wit/plugin.wit"))?;
    Ok(format!(
        "// plugin.wit, blake3 {}",
        blake3::hash(&wit).to_hex()
    ))
}

#[cfg(not(feature = "bindings"))]
fn again(check: bool) -> Result<()> {
    let mut cargo = crate::paths::cargo();
    cargo
        .args(["run", "--package", "xtask", "--profile", "xtask"])
        .args(["--features", "bindings", "--", "bindings"])
        .args(check.then_some("--check"));
    let status = cargo.status()?;
    anyhow::ensure!(status.success(), "cargo xtask bindings failed ({status})");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_bindings_are_of_this_wit() {
        let path = crate::paths::root().join("plugin-sdk/src/bindings.rs");
        let committed = std::fs::read_to_string(path).unwrap();
        let found = committed.lines().next().unwrap_or_default();
        assert_eq!(
            found,
            first_line().unwrap(),
            "run `cargo xtask bindings` and commit"
        );
    }
}
