//! `tocsin alert`: what monitoring says now.

use clap::{Args, Subcommand};

use super::client::{Client, ClientArgs};
use super::failure::Failure;
use super::output::{Out, OutputArg, cell, cell_labels, cell_of};
use crate::api::{AlertLine, AlertList, AlertQuery};

/// `tocsin alert …`.
#[derive(Debug, Subcommand)]
pub(super) enum AlertCommand {
    /// List alerts
    #[command(
        after_help = "Examples:\n  tocsin alert list\n  tocsin alert list --firing --output json"
    )]
    List(ListArgs),
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only those that are firing now
    #[arg(long)]
    firing: bool,
    /// How many at most
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

/// Runs `tocsin alert …`.
///
/// # Errors
/// When the daemon cannot be reached or refuses.
pub(super) fn run(command: &AlertCommand, out: &mut Out<'_>) -> Result<(), Failure> {
    let AlertCommand::List(args) = command;
    let query = AlertQuery {
        firing: args.firing.then_some(true),
        limit: Some(args.limit),
        ..AlertQuery::default()
    };
    let answer = Client::new(&args.client)?.list("/api/v1/alerts", &query)?;
    answer.show(args.output, out, |list: &AlertList, out| {
        let rows: Vec<_> = list.alerts.iter().map(row).collect();
        let header = [
            "STATUS",
            "SINCE",
            "INTEGRATION",
            "PLACE",
            "INCIDENT",
            "TITLE",
            "LABELS",
        ];
        out.table(&header, &rows, "No alerts.")
    })
}

fn row(alert: &AlertLine) -> Vec<String> {
    let status = if alert.firing { "firing" } else { "resolved" };
    let incident = alert.incident.map(|it| it.to_string());
    vec![
        status.to_owned(),
        cell(&alert.starts_at),
        cell(&alert.integration),
        alert.place.as_str().to_owned(),
        cell_of(incident.as_ref()),
        cell(&alert.title),
        cell_labels(&alert.labels),
    ]
}
