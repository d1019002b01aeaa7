//! `tocsin policy`: checks and tests policies, for policy authors and for CI.

mod eval;

pub(super) use eval::print_reads;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use tocsin_policy::testing;

use super::failure::{Exit, Failure};
use super::output::{Format, Out, OutputArg};
use crate::config::{self, Config};

/// `tocsin policy …`.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Find mistakes in policies and test files, without running the tests
    #[command(
        long_about = "Find mistakes in policies and test files, without running the tests.\n\n\
                      Each function is run on alerts, incidents and people that are made for it. \
                      With a configuration, names of people, teams and rotations are checked too.",
        after_help = "Examples:\n  tocsin policy check policies\n  \
                      tocsin policy check --config oncall/tocsin.toml"
    )]
    Check(CheckArgs),
    /// Run the tests next to the policies (NAME.test.toml) and show differences
    #[command(
        long_about = "Run the tests next to the policies (NAME.test.toml) and show differences\n\n\
                      Nothing is printed when all pass. A file with a fault stops only the tests \
                      that need it.",
        after_help = "Examples:\n  tocsin policy test -v policies\n  \
                      tocsin policy test -k 'at night'\n  tocsin policy test --coverage"
    )]
    Test(TestArgs),
    /// Ask the policies about one alert, and show what they read
    #[command(
        long_about = "Ask routing, grading, escalation and the cadence of communication about one \
                      alert, and show what they read.\n\nThe alert opens an incident that does \
                      not exist yet. With a configuration, its rotations say who is on call, and \
                      its integrations how to read the alert.",
        after_help = "Examples:\n  tocsin policy eval --alert alert.json\n  \
                      echo '{\"title\": \"disk full\", \"labels\": {\"severity\": \"page\"}}' | \
                      tocsin policy eval --alert - --now 2026-07-04T03:00:00Z"
    )]
    Eval(eval::EvalArgs),
}

/// `tocsin policy check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// Print a line even when nothing is wrong
    #[arg(short, long)]
    verbose: bool,
}

/// `tocsin policy test`.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// Run only the tests whose name contains this text, whatever the case of its letters
    #[arg(short = 'k', long, value_name = "TEXT")]
    only: Option<String>,
    /// Print every test with the file that answered it, and the coverage
    #[arg(short, long)]
    verbose: bool,
    /// Print which lines no test ran
    #[arg(long, conflicts_with = "only")]
    coverage: bool,
}

/// A folder of policies.
#[derive(Debug, Args)]
struct FolderArgs {
    /// The folder with routing.rhai, grading.rhai, escalation.rhai and communication.rhai [default:
    /// that of the configuration, or policies]
    dir: Option<PathBuf>,
    /// The configuration that the policies are for [default: tocsin.toml next to the folder, if
    /// there is one]
    #[arg(short, long, env = "TOCSIN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArg,
}

/// A folder, and the configuration that it is for.
struct Folder {
    dir: PathBuf,
    config: Option<(PathBuf, Config)>,
}

impl FolderArgs {
    fn open(&self) -> Result<Folder, Failure> {
        let dir = self.dir.clone();
        if let Some(file) = &self.config {
            let loaded = config::load(file).map_err(|error| Failure::usage(error.to_string()))?;
            let dir = dir.unwrap_or_else(|| loaded.config.policy.path.clone());
            let config = Some((file.clone(), loaded.config));
            return Ok(Folder { dir, config });
        }
        let dir = dir.unwrap_or_else(|| PathBuf::from("policies"));
        let file = dir.parent().unwrap_or(Path::new("")).join("tocsin.toml");
        // Nobody asked for this one: if it has faults, `tocsin check` reports them.
        let loaded = config::load(&file).ok();
        let config = loaded.filter(|it| it.config.policy.path == dir);
        let config = config.map(|it| (file, it.config));
        Ok(Folder { dir, config })
    }
}

/// Runs `tocsin policy …`.
///
/// # Errors
/// When a policy has a fault or a test fails; it was printed.
pub(super) fn run(command: &PolicyCommand, out: &mut Out<'_>) -> Result<(), Failure> {
    match command {
        PolicyCommand::Check(args) => check(args, out),
        PolicyCommand::Test(args) => test(args, out),
        PolicyCommand::Eval(args) => eval::run(args, out),
    }
}

fn check(args: &CheckArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let Folder { dir, config } = args.folder.open()?;
    let names = config.as_ref().map(|(_, config)| config.names());
    let reports = tocsin_policy::check(&dir, names.as_ref()).err();
    match (args.folder.output.output, &reports) {
        (Format::Json, Some(reports)) => out.json(reports)?,
        (Format::Json, None) => out.json(&[(); 0])?,
        (Format::Text, Some(reports)) => out.line(reports.to_string())?,
        (Format::Text, None) if args.verbose => {
            let names = match &config {
                Some((file, _)) => format!(
                    "people, teams and rotations are those of {}",
                    file.display()
                ),
                None => "people, teams and rotations were not checked: name a --config".to_owned(),
            };
            out.line(format!("{}: no faults; {names}", dir.display()))?;
        }
        (Format::Text, None) => {}
    }
    ended(reports.is_none())
}

fn test(args: &TestArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let Folder { dir, .. } = args.folder.open()?;
    let report = testing::run_tests(&dir, args.only.as_deref());
    if let Some(only) = &args.only
        && report.passed + report.failures.len() + report.not_run == 0
    {
        let dir = dir.display();
        return Err(Failure::failed(format!(
            "no test in {dir} has `{only}` in its name; `tocsin policy test -v` lists them"
        )));
    }
    if args.folder.output.output == Format::Json {
        out.json(&report)?;
        return ended(report.ok());
    }
    let total = report.passed + report.failures.len() + report.not_run;
    if total == 0 && report.faults.is_empty() {
        out.line(format!(
            "no tests in {}: write some in routing.test.toml, grading.test.toml, \
             escalation.test.toml and communication.test.toml",
            dir.display()
        ))?;
    }
    if args.verbose {
        for pass in &report.passes {
            out.line(pass.to_string())?;
        }
    }
    if args.verbose || args.coverage {
        for file in &report.coverage {
            out.line(file.to_string())?;
        }
    }
    if args.verbose || args.only.is_some() || !report.ok() {
        out.line(report.to_string())?;
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
