//! `tocsin oncall`: who is on call, and who changes that.

mod hours;
mod load;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};

use super::client::{Client, ClientArgs};
use super::failure::Failure;
use super::output::{Out, OutputArg, cell, cell_of, clean};
use crate::actions::oncall::{ON_CALL_VERBS, OnCallAction};
use crate::api::{
    OnCall, OnCallOutcome, OverrideLine, OverrideList, RotationLine, RotationSchedule, Schedule,
    ScheduleQuery, SpanLine, WhoQuery, local,
};
use crate::config::Moment;

const PATH: &str = "/api/v1/oncall";

/// `tocsin oncall …`.
#[derive(Debug, Args)]
pub(super) struct OncallArgs {
    #[command(subcommand)]
    command: OncallCommand,
}

#[derive(Debug, Subcommand)]
enum OncallCommand {
    /// Show who is on call in every rotation, now or at another time
    #[command(after_help = "Examples:\n  tocsin oncall who\n  \
                            tocsin oncall who --at 2026-12-24T20:00")]
    Who(WhoArgs),
    /// Show who is on call when, with overrides, gaps and who is out of office
    #[command(after_help = "Examples:\n  tocsin oncall show\n  \
                            tocsin oncall show payments --weeks 8")]
    Show(ShowArgs),
    /// List the overrides that people made and that have not ended
    #[command(after_help = "Example:\n  tocsin oncall list")]
    List(Common),
    /// Write who is on call when as an iCalendar
    ///
    /// A calendar program can subscribe to the same: it is at
    /// /api/v1/oncall/calendar.ics?rotation=NAME&key=TOKEN, for a token of scope read.
    #[command(
        after_help = "Examples:\n  tocsin oncall export payments > payments.ics\n  \
                            tocsin oncall export --person ada --weeks 12 > ada.ics"
    )]
    Export(ExportArgs),
    /// Show how much people had to do, and how unequally that is shared
    ///
    /// The load is a number for comparisons: the minutes as operator and as spokesperson, 15 for
    /// each page, and 45 more for each page from 22:00 to 06:00 where the person is.
    #[command(after_help = "Examples:\n  tocsin oncall load\n  \
                            tocsin oncall load --team payments --since 7d")]
    Load(load::LoadArgs),
    /// Write how long people were on call in a month as CSV
    ///
    /// For each person: hours on call, those at night and on weekends by their own clock, pages,
    /// incidents and minutes in roles. A month of the past is computed from the rotations as they
    /// are configured now, with the overrides that were made.
    #[command(after_help = "Example:\n  tocsin oncall hours --month 2026-11 > november.csv")]
    Hours(hours::HoursArgs),
    #[command(flatten)]
    Change(ChangeArgs),
}

/// Output and daemon options.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
struct WhoArgs {
    /// When, local to each rotation's time zone unless it has an offset from UTC; at most 53 weeks
    /// ahead and 400 days back
    #[arg(long, value_name = "TIME")]
    at: Option<Moment>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The rotation; all of them if left out
    rotation: Option<String>,
    /// How many weeks from now, 1 to 53
    #[arg(long, default_value_t = 4, value_name = "N")]
    weeks: u32,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct ExportArgs {
    /// The rotation
    #[arg(required_unless_present = "person")]
    rotation: Option<String>,
    /// Only when this person is on call, in the rotation or in all of them
    #[arg(long, value_name = "PERSON")]
    person: Option<String>,
    /// How many weeks from now, 1 to 53
    #[arg(long, default_value_t = 12, value_name = "N")]
    weeks: u32,
    #[command(flatten)]
    client: ClientArgs,
}

/// A change of who is on call.
#[derive(Debug)]
struct ChangeArgs {
    action: OnCallAction,
    common: Common,
}

/// A subcommand for each verb: the verb's own arguments, and the common ones.
impl Subcommand for ChangeArgs {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        ON_CALL_VERBS.iter().fold(command, |command, verb| {
            let change = (verb.arguments)(clap::Command::new(verb.name));
            // The common arguments would replace the verb's help with their own doc comment.
            let about = change.get_about().cloned();
            let long_about = change.get_long_about().cloned();
            let change = Common::augment_args(change).about(about.unwrap_or_default());
            let change = match long_about {
                Some(long_about) => change.long_about(long_about),
                None => change,
            };
            command.subcommand(change.after_help(format!("Example:\n  {}", verb.example)))
        })
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        ON_CALL_VERBS.iter().any(|verb| verb.name == name)
    }
}

impl FromArgMatches for ChangeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let verb = ON_CALL_VERBS.iter().find(|verb| verb.name == name);
        Ok(Self {
            action: (verb.ok_or_else(missing)?.read)(matches)?,
            common: Common::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Runs `tocsin oncall …`.
///
/// # Errors
/// When the daemon cannot be reached or refuses.
pub(super) fn run(args: &OncallArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    match &args.command {
        OncallCommand::Who(args) => {
            let client = Client::new(&args.common.client)?;
            let answer = client.list(
                PATH,
                &WhoQuery {
                    at: args.at,
                    key: None,
                },
            )?;
            answer.show(args.common.output, out, |oncall: &OnCall, out| {
                let rows: Vec<_> = oncall.rotations.iter().map(row).collect();
                out.table(
                    &["ROTATION", "ON CALL", "UNTIL", "NOTE"],
                    &rows,
                    "No rotations.",
                )
            })
        }
        OncallCommand::Show(args) => {
            let query = ScheduleQuery {
                weeks: Some(args.weeks),
                ..ScheduleQuery::of(args.rotation.clone())
            };
            let client = Client::new(&args.common.client)?;
            let answer = client.list(&format!("{PATH}/schedule"), &query)?;
            answer.show(args.common.output, out, |schedule: &Schedule, out| {
                schedule.rotations.iter().try_for_each(|it| print(it, out))
            })
        }
        OncallCommand::List(args) => {
            let answer = Client::new(&args.client)?.get(&format!("{PATH}/overrides"))?;
            answer.show(args.output, out, |list: &OverrideList, out| {
                let rows: Vec<_> = list.overrides.iter().map(override_row).collect();
                let header = ["ID", "ROTATION", "ON CALL", "FROM", "UNTIL", "BY", "REASON"];
                out.table(&header, &rows, "No overrides.")
            })
        }
        OncallCommand::Export(args) => {
            let query = ScheduleQuery {
                person: args.person.clone(),
                weeks: Some(args.weeks),
                ..ScheduleQuery::of(args.rotation.clone())
            };
            let path = format!("{PATH}/calendar.ics");
            let text = Client::new(&args.client)?.text(&path, &query)?;
            // Every line of an iCalendar ends with CR LF, which is part of the format.
            out.raw(&text)
        }
        OncallCommand::Load(args) => args.run(out),
        OncallCommand::Hours(args) => args.run(out),
        OncallCommand::Change(args) => {
            let client = Client::new(&args.common.client)?;
            let answer = client.post(&format!("{PATH}/actions"), &args.action)?;
            answer.show(args.common.output, out, |outcome: &OnCallOutcome, out| {
                out.line(clean(&outcome.reply))
            })
        }
    }
}

fn row(rotation: &RotationLine) -> Vec<String> {
    let people = rotation.now.iter().map(|it| cell(&it.person));
    let people: Vec<_> = people.collect();
    let until = rotation.next_handover.as_ref();
    let until = until.map(|at| local(at, &rotation.timezone));
    vec![
        cell(&rotation.rotation),
        match people.is_empty() {
            true => "nobody".to_owned(),
            false => people.join(", "),
        },
        cell_of(until.as_ref()),
        cell(rotation.note()),
    ]
}

fn print(schedule: &RotationSchedule, out: &mut Out<'_>) -> Result<(), Failure> {
    let zone = &schedule.timezone;
    out.line(format!("{} ({})", cell(&schedule.rotation), cell(zone)))?;
    let line = |it: &SpanLine| {
        vec![
            cell(local(&it.from, zone)),
            cell(local(&it.until, zone)),
            cell(it.on_call.as_deref().unwrap_or("nobody")),
            cell(it.note()),
        ]
    };
    let rows: Vec<_> = schedule.spans.iter().map(line).collect();
    out.table(
        &["FROM", "UNTIL", "ON CALL", "NOTE"],
        &rows,
        "Nobody is on call.",
    )
}

fn override_row(over: &OverrideLine) -> Vec<String> {
    let OverrideLine {
        id,
        rotation,
        person,
        by,
        reason,
        ..
    } = over;
    let [from, until] = &[&over.from, &over.until].map(|at| local(at, &over.timezone));
    [id, rotation, person, from, until, by, reason]
        .map(cell)
        .to_vec()
}
