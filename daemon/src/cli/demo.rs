//! `tocsin demo`: an end-to-end demo on this machine, without any accounts.

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use crate::demo::Options;

/// `tocsin demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example, which also builds what it needs, in a clone of tocsin:\n  \
                        cargo xtask demo"
)]
pub(super) struct DemoArgs {
    /// The folder of the built Slack plugin, with plugin.toml and plugin.wasm
    #[arg(long, value_name = "DIR", default_value = "target/plugins/slack")]
    plugin: PathBuf,
    /// Keep running after the demo, to look around
    #[arg(long)]
    hold: bool,
}

/// Runs the demo.
///
/// # Errors
/// When a step fails.
pub(super) fn run(args: &DemoArgs) -> Result<(), Failure> {
    let options = Options {
        plugin: args.plugin.clone(),
        hold: args.hold,
    };
    Ok(super::runtime()?.block_on(crate::demo::run(options))?)
}
