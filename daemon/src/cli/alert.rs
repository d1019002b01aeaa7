//! `tocsin alert`: lists and shows alerts.

mod history;

use clap::{Args, Subcommand};

use super::client::{Client, ClientArgs, path_part};
use super::failure::Failure;
use super::output::{Out, OutputArg, cell, cell_labels, cell_of, clean};
use super::silence::print_silences;
use crate::api::{AlertDetail, AlertEnd, AlertLine, AlertList, AlertQuery, Outcome};

const PATH: &str = "/api/v1/alerts";

/// `tocsin alert …`.
#[derive(Debug, Subcommand)]
pub(super) enum AlertCommand {
    /// List alerts
    #[command(
        after_help = "Examples:\n  tocsin alert list\n  tocsin alert list --firing --output json"
    )]
    List(ListArgs),
    /// Show one alert, with its incident or why it has none
    #[command(after_help = "Example:\n  tocsin alert show prometheus 1c3d1e5bd0f6a3b2")]
    Show(ShowArgs),
    /// Show how an alert changed and where it went, the newest change first
    #[command(after_help = "Example:\n  tocsin alert history prometheus 1c3d1e5bd0f6a3b2")]
    History(HistoryArgs),
    /// End an alert that its sender never ends
    #[command(
        after_help = "Example:\n  tocsin alert resolve pagerduty disk-7 --reason \"replaced\""
    )]
    Resolve(ResolveArgs),
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only firing alerts
    #[arg(long)]
    firing: bool,
    /// Maximum number of alerts
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

/// Which alert.
#[derive(Debug, Args)]
struct AlertArgs {
    /// The alert's integration, as `tocsin alert list` shows it
    integration: String,
    /// The alert's fingerprint, as `tocsin alert list` shows it
    fingerprint: String,
}

impl AlertArgs {
    fn path(&self) -> String {
        let (integration, fingerprint) =
            (path_part(&self.integration), path_part(&self.fingerprint));
        format!("{PATH}/{integration}/{fingerprint}")
    }
}

#[derive(Debug, Args)]
pub(super) struct ResolveArgs {
    #[command(flatten)]
    alert: AlertArgs,
    /// Why it is over, for the incident's log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    alert: AlertArgs,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    alert: AlertArgs,
    /// Maximum number of changes
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    /// Only older changes: where the previous page ended
    #[arg(long, value_name = "MS")]
    before: Option<i64>,
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
    match command {
        AlertCommand::List(args) => list(args, out),
        AlertCommand::Show(args) => {
            let answer = Client::new(&args.client)?.get(&args.alert.path())?;
            answer.show(args.output, out, print)
        }
        AlertCommand::History(args) => history::run(args, out),
        AlertCommand::Resolve(args) => {
            let path = format!("{}/resolve", args.alert.path());
            let end = AlertEnd {
                reason: args.reason.clone(),
            };
            let answer = Client::new(&args.client)?.post(&path, &end)?;
            answer.show(args.output, out, |outcome: &Outcome, out| {
                out.line(clean(&outcome.reply))
            })
        }
    }
}

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let query = AlertQuery {
        firing: args.firing.then_some(true),
        limit: Some(args.limit),
        ..AlertQuery::default()
    };
    let answer = Client::new(&args.client)?.list(PATH, &query)?;
    answer.show(args.output, out, |list: &AlertList, out| {
        let rows: Vec<_> = list.alerts.iter().map(row).collect();
        let header = [
            "STATUS",
            "SINCE",
            "INTEGRATION",
            "FINGERPRINT",
            "PLACE",
            "INCIDENT",
            "TITLE",
            "LABELS",
        ];
        out.table(&header, &rows, "No alerts.")
    })
}

fn row(alert: &AlertLine) -> Vec<String> {
    let incident = incident(alert);
    vec![
        status(alert).to_owned(),
        cell(&alert.starts_at),
        cell(&alert.integration),
        // Never cut: `tocsin alert show` needs all of it.
        clean(&alert.fingerprint),
        alert.place.as_str().to_owned(),
        cell_of(incident.as_ref()),
        cell(&alert.title),
        cell_labels(&alert.labels),
    ]
}

/// The number of its incident, and its status if that is over.
fn incident(alert: &AlertLine) -> Option<String> {
    let number = alert.incident?;
    let over = alert.incident_status.filter(|it| !it.is_active());
    Some(match over {
        Some(status) => format!("{number} ({status})"),
        None => number.to_string(),
    })
}

fn status(alert: &AlertLine) -> &'static str {
    match (alert.firing, &alert.fires_at) {
        (true, _) if !alert.silenced_by.is_empty() => "silenced",
        (true, _) => "firing",
        (false, None) => "resolved",
        (false, Some(_)) => "heard of",
    }
}

/// Prints an alert's fields, one per line, then its labels and annotations.
fn print(alert: &AlertDetail, out: &mut Out<'_>) -> Result<(), Failure> {
    let line = &alert.line;
    let (integration, fingerprint) = (clean(&line.integration), clean(&line.fingerprint));
    out.line(format!(
        "Alert {integration} {fingerprint}: {}",
        clean(&line.title)
    ))?;
    let place = match incident(line) {
        Some(incident) => format!("incident {incident}"),
        None => line.place.as_str().to_owned(),
    };
    let because = alert
        .ignored_because
        .as_deref()
        .or(alert.route_reason.as_deref());
    let policy = alert.routed_by.as_ref().map(|it| {
        let failure = it.failure.as_ref();
        let failure = failure.map_or_else(String::new, |it| format!(": it failed: {it}"));
        format!("{} ({}){failure}", it.place(), it.hash)
    });
    let repeats = alert.repeats.to_string();
    let lease = line.lease_until.as_deref();
    let fields = [
        ("status", Some(status(line))),
        ("place", Some(place.as_str())),
        ("resolved by", alert.incident_resolved_by.as_deref()),
        ("reopens at", alert.incident_reopens_at.as_deref()),
        ("because", because),
        ("policy", policy.as_deref()),
        ("asked again", alert.routed_again_at.as_deref()),
        ("waiting for", alert.waiting_for.as_deref()),
        ("waiting until", alert.waiting_until.as_deref()),
        ("summary", Some(alert.summary.as_str())),
        ("link", line.link.as_deref()),
        ("firing since", Some(line.starts_at.as_str())),
        ("first seen", Some(alert.first_seen.as_str())),
        ("last seen", Some(line.last_seen.as_str())),
        ("changed", Some(alert.changed_at.as_str())),
        ("fires at", line.fires_at.as_deref()),
        ("repeats", Some(repeats.as_str())),
        (
            "lease until",
            lease.or(line
                .firing
                .then_some("none: only its sender or `tocsin alert resolve` ends it")),
        ),
    ];
    for (name, value) in fields {
        if let Some(value) = value.filter(|it| !it.is_empty()) {
            out.line(format!("  {name:<14}{}", clean(value)))?;
        }
    }
    print_silences(&alert.silences, out)?;
    for (heading, labels) in [
        ("labels", &line.labels),
        ("annotations", &alert.annotations),
    ] {
        if !labels.is_empty() {
            out.line(format!("  {heading}"))?;
        }
        for (name, value) in labels {
            out.line(format!("    {}={}", clean(name), clean(value)))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
