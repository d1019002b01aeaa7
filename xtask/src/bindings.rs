//! `cargo xtask bindings`: generates the guest bindings. They are committed, so that building a
//! plugin does not compile a WIT parser.

#[cfg(feature = "bindings")]
mod generate;

use anyhow::Result;

/// Arguments of `cargo xtask bindings`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Change nothing; fail if the committed file is out of date
    #[arg(long)]
    check: bool,
}

/// Writes or checks the committed bindings. The generator is a feature of this crate, because it
/// takes long to compile; without the feature, this command runs itself again with it.
pub(crate) fn run(args: &Args) -> Result<()> {
    #[cfg(feature = "bindings")]
    return generate::run(args.check);
    #[cfg(not(feature = "bindings"))]
    return again(args.check);
}

/// The first line of the bindings has the hash of their WIT, so that a test detects outdated
/// bindings without compiling the generator.
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
    fn the_committed_bindings_match_the_wit() {
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
