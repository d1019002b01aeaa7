//! The command line of `tocsin`, one file per subcommand.
//!
//! Output goes to standard output, for scripts as JSON (`--output json`); failures go to standard
//! error with a remedy. Exit codes: 0 success, 1 failure, 2 usage or configuration error.

mod alert;
mod check;
mod client;
mod demo;
mod doctor;
mod drill;
mod failure;
mod incident;
mod init;
mod oncall;
mod output;
mod page;
mod plugin;
mod policy;
mod report;
mod serve;
mod silence;
mod token;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use crate::runtime::{Clock, SystemClock};

pub use failure::{Exit, Failure};
pub use output::Out;

/// The command line of `tocsin`.
#[derive(Debug, Parser)]
#[command(
    name = "tocsin",
    version,
    about = "Incident automation: receives alerts, pages the right person, keeps the incident log",
    after_help = "Get started:\n  tocsin init oncall && tocsin serve --config oncall/tocsin.toml\
                  \n\n\
                  Exit codes: 0 success, 1 failure, 2 usage or configuration error."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a commented starting configuration with policies
    Init(init::InitArgs),
    /// Run the daemon
    Serve(serve::ServeArgs),
    /// Run an end-to-end demo on this machine, without any accounts
    Demo(demo::DemoArgs),
    /// Check configuration, policies and plugins without starting anything
    Check(check::CheckArgs),
    /// Check the whole store of a stopped daemon for damage
    Verify(verify::VerifyArgs),
    /// Check and test policies
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// List, inspect and check plugins
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// List, show and act on incidents
    Incident(incident::IncidentArgs),
    /// List and show alerts
    #[command(subcommand)]
    Alert(alert::AlertCommand),
    /// Add, list and expire silences
    #[command(subcommand)]
    Silence(silence::SilenceCommand),
    /// Show who is on call, and change it
    Oncall(oncall::OncallArgs),
    /// Test whether pages reach a person
    #[command(subcommand)]
    Page(page::PageCommand),
    /// Show figures over many incidents
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// Practice: play a made-up incident, and score how it was handled
    #[command(subcommand)]
    Drill(drill::DrillCommand),
    /// Check the daemon's health and say what to fix
    Doctor(doctor::DoctorArgs),
    /// Create, list and revoke tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
}

/// `--config`.
#[derive(Clone, Debug, Args)]
struct ConfigArg {
    /// The configuration file
    #[arg(
        short,
        long,
        env = "TOCSIN_CONFIG",
        default_value = "tocsin.toml",
        value_name = "FILE"
    )]
    config: PathBuf,
}

/// Parses the command line, runs it and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    main_with(Arc::new(SystemClock))
}

/// As [`main`], with another clock for the daemon.
#[must_use]
pub fn main_with(clock: Arc<dyn Clock>) -> ExitCode {
    // Fails only when a provider is already installed, which is then used.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let mut stdout = std::io::stdout();
    match run(&cli, clock, &mut Out::stdout(&mut stdout)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Runs a parsed command line; `clock` is the daemon's.
///
/// # Errors
/// [`Failure`] with the message and the exit code.
pub fn run(cli: &Cli, clock: Arc<dyn Clock>, out: &mut Out<'_>) -> Result<(), Failure> {
    match &cli.command {
        Command::Init(args) => init::run(args, out),
        Command::Serve(args) => serve::run(args, clock),
        Command::Demo(args) => demo::run(args),
        Command::Check(args) => check::run(args, out),
        Command::Verify(args) => verify::run(args, out),
        Command::Policy(command) => policy::run(command, out),
        Command::Plugin(command) => plugin::run(command, out),
        Command::Incident(args) => incident::run(args, out),
        Command::Alert(command) => alert::run(command, out),
        Command::Silence(command) => silence::run(command, out),
        Command::Oncall(args) => oncall::run(args, out),
        Command::Page(command) => page::run(command, out),
        Command::Report(command) => report::run(command, out),
        Command::Drill(command) => drill::run(command, out),
        Command::Doctor(args) => doctor::run(args, out),
        Command::Token(command) => token::run(command, out),
    }
}

/// The async runtime.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.map_err(|error| Failure::failed(format!("cannot start threads: {error}")))
}

#[cfg(test)]
mod tests;
