//! `tocsin policy`: checks and tests policies, for policy authors and for CI.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tocsin_policy::testing;

use super::failure::{Exit, Failure};
use super::output::{Format, Out, OutputArg};

/// `tocsin policy …`.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Check every policy and test file in a folder without running them
    #[command(after_help = "Example:\n  tocsin policy check policies")]
    Check(FolderArgs),
    /// Run the tests next to the policies (NAME.test.toml) and show differences
    #[command(after_help = "Example:\n  tocsin policy test -v policies")]
    Test(FolderArgs),
}

/// A folder of policies.
#[derive(Debug, Args)]
pub(super) struct FolderArgs {
    /// The folder with routing.rhai, grading.rhai and escalation.rhai
    #[arg(default_value = "policies")]
    pub(super) dir: PathBuf,
    /// Print a line even when nothing is wrong
    #[arg(short, long)]
    pub(super) verbose: bool,
    #[command(flatten)]
    pub(super) output: OutputArg,
}

/// Runs `tocsin policy …`.
///
/// # Errors
/// When a policy has a fault or a test fails; it was printed.
pub(super) fn run(command: &PolicyCommand, out: &mut Out<'_>) -> Result<(), Failure> {
    match command {
        PolicyCommand::Check(args) => check(args, out),
        PolicyCommand::Test(args) => test(args, out),
    }
}

fn check(args: &FolderArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let result = testing::check(&args.dir);
    let reports = result.err();
    match (args.output.output, &reports) {
        (Format::Json, Some(reports)) => out.json(reports)?,
        (Format::Json, None) => out.json(&[(); 0])?,
        (Format::Text, Some(reports)) => out.line(reports.to_string())?,
        (Format::Text, None) if args.verbose => {
            out.line(format!("{}: no faults", args.dir.display()))?;
        }
        (Format::Text, None) => {}
    }
    ended(reports.is_none())
}

fn test(args: &FolderArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let report = testing::run_tests(&args.dir);
    match args.output.output {
        Format::Json => out.json(&report)?,
        Format::Text if args.verbose || !report.ok() => out.line(report.to_string())?,
        Format::Text => {}
    }
    ended(report.ok())
}

/// Everything was printed to standard output; only the exit code is left.
fn ended(is_ok: bool) -> Result<(), Failure> {
    match is_ok {
        true => Ok(()),
        false => Err(Failure {
            exit: Exit::Failed,
            text: String::new(),
        }),
    }
}
