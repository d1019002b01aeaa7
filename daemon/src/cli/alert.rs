//! `tocsin alert`: what monitoring says now.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::client::{Client, ClientArgs, items};
use super::failure::Failure;
use super::output::{Format, Out, OutputArg, cell, time};

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
    /// Only those that fire now
    #[arg(long)]
    firing: bool,
    /// How many at most
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: u32,
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
    let mut path = format!("/api/v1/alerts?limit={}", args.limit);
    if args.firing {
        path.push_str("&firing=true");
    }
    let answer = Client::new(&args.client)?.get(&path)?;
    if args.output.output == Format::Json {
        return out.json(&answer);
    }
    let rows: Vec<_> = items(&answer, "alerts")
        .iter()
        .map(|alert| {
            let member = |name: &str| cell(alert.get(name));
            vec![
                match alert.get("firing").and_then(Value::as_bool) {
                    Some(true) => "firing".to_owned(),
                    _ => "resolved".to_owned(),
                },
                time(alert.get("starts_at")),
                member("integration"),
                member("place"),
                member("incident"),
                member("title"),
                member("labels"),
            ]
        })
        .collect();
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
}
