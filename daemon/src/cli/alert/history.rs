//! `tocsin alert history`: how an alert changed.

use super::HistoryArgs;
use crate::api::{AlertChange, AlertHistory, HistoryQuery};
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::output::{Out, cell, cell_labels};

pub(super) fn run(args: &HistoryArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let query = HistoryQuery {
        limit: Some(args.limit),
        before: args.before,
        ..HistoryQuery::default()
    };
    let path = format!("{}/history", args.alert.path());
    let answer = Client::new(&args.client)?.list(&path, &query)?;
    answer.show(args.output, out, print)
}

pub(super) fn print(history: &AlertHistory, out: &mut Out<'_>) -> Result<(), Failure> {
    let rows: Vec<_> = history.changes.iter().map(row).collect();
    let header = ["AT", "CHANGE", "PLACE", "TITLE", "LABELS"];
    out.table(&header, &rows, "No changes.")?;
    match history.next_before {
        Some(before) => out.line(format!("There may be older ones: --before {before}")),
        None => Ok(()),
    }
}

fn row(change: &AlertChange) -> Vec<String> {
    let place = match (change.incident, &change.ignored_because) {
        (Some(number), _) => format!("incident {number}"),
        (None, Some(reason)) => format!("ignored: {reason}"),
        (None, None) => change.place.as_str().to_owned(),
    };
    vec![
        cell(&change.at),
        change.change.to_string(),
        cell(place),
        cell(&change.title),
        cell_labels(&change.labels),
    ]
}
