//! `tocsin report`: figures over many incidents.

use clap::{Args, Subcommand};

use super::client::{Client, ClientArgs};
use super::failure::Failure;
use super::output::{Format, Out, OutputArg};
use crate::api::{PromiseReport, PromisesLine, ReportQuery};
use crate::config::Span;

/// `tocsin report …`.
#[derive(Debug, Subcommand)]
pub(super) enum ReportCommand {
    /// Show how many promised updates came in time
    ///
    /// An update counts as late when it came within five minutes after it was due, and as broken
    /// when it did not. Drills do not count.
    #[command(
        after_help = "Examples:\n  tocsin report promises\n  tocsin report promises --since 28d"
    )]
    Promises(PromisesArgs),
}

#[derive(Debug, Args)]
pub(super) struct PromisesArgs {
    /// Only incidents that opened within this time, at most 366d
    #[arg(long, default_value = "90d", value_name = "TIME")]
    since: Span,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

/// Runs `tocsin report …`.
///
/// # Errors
/// When the daemon cannot be reached or refuses.
pub(super) fn run(command: &ReportCommand, out: &mut Out<'_>) -> Result<(), Failure> {
    let ReportCommand::Promises(args) = command;
    let query = ReportQuery {
        since: args.since,
        key: None,
    };
    let client = Client::new(&args.client)?;
    let report: PromiseReport = client.list("/api/v1/reports/promises", &query)?.read()?;
    if args.output.output == Format::Json {
        return out.json(&report);
    }
    out.line(report.in_words())?;
    if report.audiences.is_empty() {
        return Ok(());
    }
    let row = |it: &PromisesLine| {
        let counts = [it.kept, it.late, it.broken].map(|it| it.to_string());
        [it.audience.clone()].into_iter().chain(counts).collect()
    };
    let rows: Vec<Vec<String>> = report.audiences.iter().map(row).collect();
    out.table(&["AUDIENCE", "IN TIME", "LATE", "BROKEN"], &rows, "")
}
