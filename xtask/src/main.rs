//! The project's automation, in its own language, so that it runs wherever the project does.
//!
//! This file only says which commands there are; each one has a module of its own.
#![forbid(unsafe_code)]

mod bindings;
mod paths;
mod plugins;

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
    /// Compile the plugins under plugins/ into WebAssembly components
    Plugins(plugins::Args),
    /// Write plugin-sdk/src/bindings.rs anew from plugin-sdk/wit
    Bindings(bindings::Args),
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Plugins(args) => plugins::run(&args),
        Command::Bindings(args) => bindings::run(&args),
    }
}
