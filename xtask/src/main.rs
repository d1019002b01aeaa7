//! The project's automation, in Rust, so that it runs wherever the project builds. This file lists
//! the commands; each has its own module.
#![forbid(unsafe_code)]

mod bench;
mod bindings;
mod ci;
mod crash;
mod demo;
mod deny;
mod dst;
mod flood;
mod fuzz;
mod paths;
mod plugins;
mod progress;
mod runner;
mod sim;
mod steps;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Automation for the tocsin workspace")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything and play an incident from alert to resolution
    Demo(demo::Args),
    /// Run every test of the workspace
    Test(test::Args),
    /// Kill the program repeatedly under load, and check for lost data
    Crash(crash::Args),
    /// Run many simulations with faults of every kind, or repeat one of them
    Sim(sim::Args),
    /// Test who is on call at every clock change of every time zone through 2037
    Dst(dst::Args),
    /// Feed mutated inputs to a parser
    Fuzz(fuzz::Args),
    /// Send 100,000 distinct alerts to a release build and measure it
    Flood(flood::Args),
    /// Measure the figures of docs/performance.md and those of peers, in a release build
    Bench(bench::Args),
    /// Run every check: formatting, clippy, dependencies, tests (what .ci/run calls)
    Ci(ci::Args),
    /// Compile the plugins under plugins/ into WebAssembly components
    Plugins(plugins::Args),
    /// Regenerate plugin-sdk/src/bindings.rs from plugin-sdk/wit
    Bindings(bindings::Args),
}

fn main() -> ExitCode {
    if let Some(code) = fuzz::as_compiler() {
        return code;
    }
    run(Cli::parse().command).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Ci(args) => ci::run(&args),
        Command::Crash(args) => crash::run(&args),
        Command::Dst(args) => dst::run(&args),
        Command::Flood(args) => flood::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Sim(args) => sim::run(&args),
        Command::Plugins(args) => plugins::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Bindings(args) => bindings::run(&args).map(|()| ExitCode::SUCCESS),
    }
}
