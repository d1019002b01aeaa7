//! `tocsin oncall`: who answers now.

use clap::{Args, Subcommand};

use super::client::{Client, ClientArgs, items};
use super::failure::Failure;
use super::output::{Format, Out, OutputArg, cell};

/// `tocsin oncall …`.
#[derive(Debug, Subcommand)]
pub(super) enum OncallCommand {
    /// Who is on call now, in every rotation
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
    if args.output.output == Format::Json {
        return out.json(&answer);
    }
    let rows: Vec<_> = items(&answer, "rotations")
        .iter()
        .map(|rotation| {
            let people = items(rotation, "now").iter();
            let people = people.map(|person| cell(person.get("person")));
            let people: Vec<_> = people.collect();
            vec![
                cell(rotation.get("rotation")),
                match people.is_empty() {
                    true => "nobody".to_owned(),
                    false => people.join(", "),
                },
                cell(rotation.get("next_handover")),
            ]
        })
        .collect();
    out.table(&["ROTATION", "ON CALL", "UNTIL"], &rows, "No rotations.")
}
