//! `tocsin oncall`: who is on call.

use clap::{Args, Subcommand};

use super::client::{Client, ClientArgs};
use super::failure::Failure;
use super::output::{Out, OutputArg, cell, cell_of};
use crate::api::{OnCall, RotationLine};

/// `tocsin oncall …`.
#[derive(Debug, Subcommand)]
pub(super) enum OncallCommand {
    /// Show who is on call now in every rotation
    #[command(after_help = "Example:\n  tocsin oncall who")]
    Who(WhoArgs),
}

#[derive(Debug, Args)]
pub(super) struct WhoArgs {
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

/// Runs `tocsin oncall …`.
///
/// # Errors
/// When the daemon cannot be reached or refuses.
pub(super) fn run(command: &OncallCommand, out: &mut Out<'_>) -> Result<(), Failure> {
    let OncallCommand::Who(args) = command;
    let answer = Client::new(&args.client)?.get("/api/v1/oncall")?;
    answer.show(args.output, out, |oncall: &OnCall, out| {
        let rows: Vec<_> = oncall.rotations.iter().map(row).collect();
        out.table(&["ROTATION", "ON CALL", "UNTIL"], &rows, "No rotations.")
    })
}

fn row(rotation: &RotationLine) -> Vec<String> {
    let people = rotation.now.iter().map(|it| cell(&it.person));
    let people: Vec<_> = people.collect();
    vec![
        cell(&rotation.rotation),
        match people.is_empty() {
            true => "nobody".to_owned(),
            false => people.join(", "),
        },
        cell_of(rotation.next_handover.as_ref()),
    ]
}
