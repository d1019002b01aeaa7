//! The project's automation, in its own language, so that it runs wherever the project does.
//!
//! This file only says which commands there are; each one has a module of its own.
#![forbid(unsafe_code)]

mod bindings;
mod ci;
mod deny;
mod paths;
mod plugins;
mod steps;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Automation for the tocsin workspace")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every test of the workspace
    Test(test::Args),
    /// Run every check: formatting, clippy, dependencies, tests (what .ci/run calls)
    Ci(ci::Args),
    /// Compile the plugins under plugins/ into WebAssembly components
    Plugins(plugins::Args),
    /// Write plugin-sdk/src/bindings.rs anew from plugin-sdk/wit
    Bindings(bindings::Args),
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Test(args) => test::run(&args),
        Command::Ci(args) => ci::run(&args),
        Command::Plugins(args) => plugins::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Bindings(args) => bindings::run(&args).map(|()| ExitCode::SUCCESS),
    }
}
