//! The command line: what `tocsin` understands, one file a subcommand.
//!
//! Output goes to standard output and can be read by scripts (`--output json`); failures go to
//! standard error with a remedy. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.

mod alert;
mod check;
mod client;
mod demo;
mod doctor;
mod failure;
mod incident;
mod init;
mod oncall;
mod output;
mod plugin;
mod policy;
mod serve;
mod silence;
mod token;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use failure::{Exit, Failure};
pub use output::Out;

/// The command line of `tocsin`.
#[derive(Debug, Parser)]
#[command(
    name = "tocsin",
    version,
    about = "An incident-automation daemon: alerts in, the right person paged, the log kept",
    after_help = "Start here:\n  tocsin init oncall && tocsin serve --config oncall/tocsin.toml\n\n\
                  Exit codes: 0 done, 1 failed, 2 wrong usage or configuration."
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
    /// Tell the whole story on this machine, with no account anywhere
    Demo(demo::DemoArgs),
    /// Check configuration, policies and plugins; nothing is started
    Check(check::CheckArgs),
    /// Read a stopped daemon's whole store and say whether it is sound
    Verify(verify::VerifyArgs),
    /// Check and test policies
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Look at plugins
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// See incidents, and act on them
    Incident(incident::IncidentArgs),
    /// See alerts
    #[command(subcommand)]
    Alert(alert::AlertCommand),
    /// Silence alerts for a while
    #[command(subcommand)]
    Silence(silence::SilenceCommand),
    /// See who is on call
    #[command(subcommand)]
    Oncall(oncall::OncallCommand),
    /// Say how the daemon does, and what to fix
    Doctor(doctor::DoctorArgs),
    /// Make, list and revoke tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
}

/// Where a subcommand's configuration is.
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

/// The whole program: reads the command line, runs, and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    // Fails only when one is installed already, and then that one serves.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let mut stdout = std::io::stdout();
    match run(&cli, &mut Out::stdout(&mut stdout)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Runs a parsed command line.
///
/// # Errors
/// [`Failure`] with what to say and the exit code.
pub fn run(cli: &Cli, out: &mut Out<'_>) -> Result<(), Failure> {
    match &cli.command {
        Command::Init(args) => init::run(args, out),
        Command::Serve(args) => serve::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Check(args) => check::run(args, out),
        Command::Verify(args) => verify::run(args, out),
        Command::Policy(command) => policy::run(command, out),
        Command::Plugin(command) => plugin::run(command, out),
        Command::Incident(args) => incident::run(args, out),
        Command::Alert(command) => alert::run(command, out),
        Command::Silence(command) => silence::run(command, out),
        Command::Oncall(command) => oncall::run(command, out),
        Command::Doctor(args) => doctor::run(args, out),
        Command::Token(command) => token::run(command, out),
    }
}

/// A runtime for requests and waits.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.map_err(|error| Failure::failed(format!("no threads can be started: {error}")))
}

#[cfg(test)]
mod tests;
