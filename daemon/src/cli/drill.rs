//! `tocsin drill`: plays made-up incidents, and scores how they were handled.

mod play;

use std::path::{Path, PathBuf};

use clap::builder::TypedValueParser;
use clap::{Args, Subcommand};

use super::client::{Client, ClientArgs};
use super::failure::Failure;
use super::output::{Format, Out, OutputArg};
use crate::api::DrillScore;
use crate::drill::{DrillScenario, SHIPPED, shipped};

/// `tocsin drill …`.
#[derive(Debug, Subcommand)]
pub(super) enum DrillCommand {
    /// List the drills that come with tocsin
    #[command(after_help = "Example:\n  tocsin drill list")]
    List,
    /// Print a drill that comes with tocsin, to change it
    #[command(after_help = "Example:\n  tocsin drill show database-full > ours.toml")]
    Show {
        /// The drill's name
        name: String,
    },
    /// Play a drill: its alerts, news and questions come in time, and people respond as usual
    ///
    /// The incident says DRILL everywhere. It pages whoever the policies say, and counts in no
    /// report and in nobody's load. When it is resolved, or its time is over, the score follows.
    /// What comes is entered in the log in the name of the token's person.
    #[command(
        after_help = "Examples:\n  tocsin drill run database-full --team payments\n  \
                            tocsin drill run ours.toml --speed 2"
    )]
    Run(RunArgs),
    /// Make a drill of a closed incident, without people, addresses and ids
    #[command(after_help = "Example:\n  tocsin drill from 42 > ours.toml")]
    From {
        /// The incident's number
        incident: u64,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Score the incident of a drill again
    #[command(after_help = "Example:\n  tocsin drill score 57 database-full")]
    Score {
        /// The incident's number
        incident: u64,
        /// The drill's name or file
        drill: PathBuf,
        #[command(flatten)]
        output: OutputArg,
        #[command(flatten)]
        client: ClientArgs,
    },
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The drill's name or file
    drill: PathBuf,
    /// How many times as fast it comes; people and escalations have the usual time
    #[arg(long, default_value_t = 1, value_name = "TIMES", value_parser = speeds())]
    speed: u32,
    /// The team whose alerts these are, instead of the drill's own
    #[arg(long, value_name = "ID")]
    team: Option<String>,
    /// The service that is affected, instead of the drill's own
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

fn speeds() -> impl TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(1..=1_000)
}

/// Runs `tocsin drill …`.
///
/// # Errors
/// When there is no such drill, or the daemon cannot be reached or refuses.
pub(super) fn run(command: &DrillCommand, out: &mut Out<'_>) -> Result<(), Failure> {
    match command {
        DrillCommand::List => list(out),
        DrillCommand::Show { name } => match shipped(name) {
            Some(text) => out.raw(text),
            None => Err(no_such(Path::new(name))),
        },
        DrillCommand::Run(args) => play::run(args, &read(&args.drill)?, out),
        DrillCommand::From { incident, client } => {
            let path = format!("/api/v1/incidents/{incident}/drill");
            let scenario: DrillScenario = Client::new(client)?.get(&path)?.read()?;
            let text = toml::to_string(&scenario)
                .map_err(|error| Failure::failed(format!("cannot write the drill: {error}")))?;
            out.raw(&text)
        }
        DrillCommand::Score {
            incident,
            drill,
            output,
            client,
        } => {
            let score = score(&Client::new(client)?, *incident, &read(drill)?)?;
            match output.output {
                Format::Json => out.json(&score),
                Format::Text => print(&score, out),
            }
        }
    }
}

fn list(out: &mut Out<'_>) -> Result<(), Failure> {
    let row = |text: &&str| {
        let scenario = DrillScenario::parse(text).ok()?;
        let (grade, ends) = (scenario.grade.to_string(), scenario.ends.to_string());
        Some(vec![scenario.name, grade, ends, scenario.title])
    };
    let rows: Vec<Vec<String>> = SHIPPED.iter().filter_map(row).collect();
    out.table(&["NAME", "GRADE", "ENDS", "TITLE"], &rows, "")
}

/// The drill of a file, or one that comes with the program.
fn read(drill: &Path) -> Result<DrillScenario, Failure> {
    let text = match drill.to_str().and_then(shipped) {
        Some(text) => text.to_owned(),
        None if !drill.exists() => return Err(no_such(drill)),
        None => std::fs::read_to_string(drill).map_err(|error| {
            Failure::usage(format!(
                "cannot read the drill {}: {error}",
                drill.display()
            ))
        })?,
    };
    DrillScenario::parse(&text).map_err(|why| Failure::usage(format!("{}: {why}", drill.display())))
}

fn no_such(drill: &Path) -> Failure {
    Failure::usage(format!(
        "there is no drill and no file {}; `tocsin drill list` shows the drills that come with \
         tocsin",
        drill.display()
    ))
}

fn score(client: &Client, incident: u64, drill: &DrillScenario) -> Result<DrillScore, Failure> {
    client
        .post(&format!("/api/v1/incidents/{incident}/score"), drill)?
        .read()
}

fn print(score: &DrillScore, out: &mut Out<'_>) -> Result<(), Failure> {
    let row = |it: &crate::api::DrillPart| {
        let points = format!("{:>3}", it.points);
        vec![points, it.name.clone(), it.found.clone(), it.wanted.clone()]
    };
    let rows: Vec<Vec<String>> = score.parts.iter().map(row).collect();
    out.table(&["POINTS", "WHAT", "ACHIEVED", "WANTED"], &rows, "")?;
    out.line(format!("score: {} of 100", score.total))
}
