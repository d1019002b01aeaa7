//! `tocsin incident`: lists, shows, explains, opens and acts on incidents.

mod why;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use tocsin_core::Role;
use tocsin_core::incident::HoldStage;

use super::client::{Client, ClientArgs};
use super::failure::Failure;
use super::output::{Out, OutputArg, cell, cell_of, clean};
use super::silence::print_silences;
use crate::actions::{Action, NewIncident, VERBS};
use crate::api::{
    AlertCounts, ChangeLine, HoldLine, IncidentDetail, IncidentLine, IncidentList, IncidentQuery,
    Outcome, PageLine, RoleLine, StatusFilter,
};

const PATH: &str = "/api/v1/incidents";
/// The argument of every verb.
const NUMBER: &str = "number";

/// `tocsin incident …`.
#[derive(Debug, Args)]
pub(super) struct IncidentArgs {
    #[command(subcommand)]
    command: IncidentCommand,
}

#[derive(Debug, Subcommand)]
enum IncidentCommand {
    /// List incidents, newest first
    #[command(after_help = "Examples:\n  tocsin incident list\n  \
                            tocsin incident list --status active --output json")]
    List(ListArgs),
    /// Show one incident with its log
    #[command(after_help = "Example:\n  tocsin incident show 42")]
    Show(ShowArgs),
    /// Show what policies decided about an incident, and what they read
    #[command(after_help = "Example:\n  tocsin incident why 42")]
    Why(ShowArgs),
    /// Open an incident by hand
    #[command(
        after_help = "Example:\n  tocsin incident open --title \"Checkout is slow\" \
                            --service checkout --grade major"
    )]
    Open(OpenArgs),
    #[command(flatten)]
    Act(ActArgs),
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
struct ListArgs {
    /// Only incidents that are open, mitigated, resolved or closed; `active` is the first two
    #[arg(long, value_name = "STATUS")]
    status: Option<StatusFilter>,
    /// Maximum number of incidents
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The incident's number
    number: u64,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct OpenArgs {
    #[command(flatten)]
    new: NewIncident,
    #[command(flatten)]
    common: Common,
}

/// An action and its incident.
#[derive(Debug)]
struct ActArgs {
    number: u64,
    action: Action,
    common: Common,
}

/// A subcommand for each verb: the number, the verb's own arguments, and the common ones.
impl Subcommand for ActArgs {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        VERBS.iter().fold(command, |command, verb| {
            let number = clap::Arg::new(NUMBER)
                .required(true)
                .value_name("NUMBER")
                .value_parser(clap::value_parser!(u64))
                .help("The incident's number");
            let act = (verb.arguments)(clap::Command::new(verb.name).arg(number));
            // The common arguments would replace the verb's help with their own doc comment.
            let about = act.get_about().cloned();
            let long_about = act.get_long_about().cloned();
            let act = Common::augment_args(act).about(about.unwrap_or_default());
            let act = match long_about {
                Some(long_about) => act.long_about(long_about),
                None => act,
            };
            command.subcommand(act.after_help(format!("Example:\n  {}", verb.example)))
        })
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        VERBS.iter().any(|verb| verb.name == name)
    }
}

impl FromArgMatches for ActArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let verb = VERBS.iter().find(|verb| verb.name == name);
        Ok(Self {
            number: *matches.get_one(NUMBER).ok_or_else(missing)?,
            action: (verb.ok_or_else(missing)?.read)(matches)?,
            common: Common::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Runs `tocsin incident …`.
///
/// # Errors
/// When the daemon cannot be reached or refuses.
pub(super) fn run(args: &IncidentArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    match &args.command {
        IncidentCommand::List(args) => list(args, out),
        IncidentCommand::Show(args) => {
            let path = format!("{PATH}/{}", args.number);
            let answer = Client::new(&args.common.client)?.get(&path)?;
            answer.show(args.common.output, out, print)
        }
        IncidentCommand::Why(args) => why::run(args, out),
        IncidentCommand::Open(args) => {
            let answer = Client::new(&args.common.client)?.post(PATH, &args.new)?;
            answer.show(args.common.output, out, print_outcome)
        }
        IncidentCommand::Act(args) => {
            let path = format!("{PATH}/{}/actions", args.number);
            let answer = Client::new(&args.common.client)?.post(&path, &args.action)?;
            answer.show(args.common.output, out, print_outcome)
        }
    }
}

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let query = IncidentQuery {
        status: args.status,
        limit: Some(args.limit),
        ..IncidentQuery::default()
    };
    let answer = Client::new(&args.common.client)?.list(PATH, &query)?;
    answer.show(args.common.output, out, |list: &IncidentList, out| {
        let rows: Vec<_> = list.incidents.iter().map(row).collect();
        let header = [
            "NUMBER", "STATUS", "GRADE", "OPENED", "OPERATOR", "SERVICE", "TITLE",
        ];
        out.table(&header, &rows, "No incidents.")
    })
}

fn row(incident: &IncidentLine) -> Vec<String> {
    let security = if incident.security { " +security" } else { "" };
    vec![
        incident.number.to_string(),
        status(incident),
        format!("{}{security}", incident.grade),
        cell(&incident.opened_at),
        cell_of(incident.operator.as_ref()),
        cell(&incident.service),
        cell(marked(incident)),
    ]
}

/// The title, which says if it is a drill.
fn marked(incident: &IncidentLine) -> String {
    let drill = if incident.drill { "DRILL: " } else { "" };
    format!("{drill}{}", incident.title)
}

/// The status, with `acked` for an active incident that somebody has acknowledged: the operator may
/// be unknown, as when a token without a person did.
fn status(incident: &IncidentLine) -> String {
    let is_acked = incident.status.is_active() && incident.acknowledged;
    let acked = if is_acked { " (acked)" } else { "" };
    format!("{}{acked}", incident.status)
}

fn alerts(counts: &AlertCounts) -> String {
    let AlertCounts {
        total,
        firing,
        silenced,
    } = counts;
    match silenced {
        0 => format!("{total}, {firing} firing"),
        silenced => format!("{total}, {firing} firing, {silenced} of them silenced"),
    }
}

/// Prints an incident's fields, one per line, then its pages and its log.
fn print(incident: &IncidentDetail, out: &mut Out<'_>) -> Result<(), Failure> {
    let line = &incident.line;
    let status = status(line);
    let alerts = alerts(&incident.alerts);
    let paused = incident
        .paused
        .then_some("none while every firing alert is silenced");
    out.line(format!(
        "Incident {}: {}",
        line.number,
        clean(&marked(line))
    ))?;
    let firing = incident.reopens_at.as_ref().map(|at| {
        let firing = incident.alerts.firing;
        format!("{firing} still firing; it reopens at {at} unless they end")
    });
    let hold = incident.hold.as_ref().map(held);
    let numbers = |all: &[u64]| {
        all.iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let took_in = Some(&incident.took_in).filter(|it| !it.is_empty());
    let took_in = took_in.map(|it| format!("incidents {}", numbers(it)));
    let merged_into = incident.merged_into.map(|it| format!("incident {it}"));
    let fields = [
        ("status", Some(status.as_str())),
        ("merged into", merged_into.as_deref()),
        ("took in", took_in.as_deref()),
        ("grade", Some(line.grade.as_str())),
        ("security", line.security.then_some("true")),
        ("service", Some(line.service.as_str())),
        ("team", line.team.as_deref()),
        ("operator", line.operator.as_deref()),
        ("alerts", Some(alerts.as_str())),
        (
            "next step",
            incident.next_escalation_at.as_deref().or(paused),
        ),
        ("acknowledged", hold.as_deref()),
        ("opened", Some(line.opened_at.as_str())),
        ("mitigated", incident.mitigated_at.as_deref()),
        ("resolved", line.resolved_at.as_deref()),
        ("alerts", firing.as_deref()),
    ];
    for (label, value) in fields {
        if let Some(value) = value {
            out.line(format!("  {label:<14}{}", cell(value)))?;
        }
    }
    print_response(incident, out)?;
    print_changes(incident, out)?;
    print_silences(&incident.silences, out)?;
    print_pages(&incident.pages, out)?;
    if !incident.timeline.is_empty() {
        out.line("")?;
    }
    for entry in &incident.timeline {
        let (at, by, text) = (cell(&entry.at), cell(&entry.by), clean(&entry.text));
        let who = match names(&text, &by) {
            true => String::new(),
            false => format!("{by}: "),
        };
        out.line(format!("{at}  {who}{text}"))?;
    }
    Ok(())
}

/// Prints who has which role, what audiences were promised, and what there is to do.
fn print_response(incident: &IncidentDetail, out: &mut Out<'_>) -> Result<(), Failure> {
    let is_shown = |it: &&RoleLine| it.role != Role::Operator || it.asked.is_some();
    for role in incident.roles.iter().filter(is_shown) {
        let asked = role.asked.as_ref().map(|it| format!("{it} is asked"));
        let who = [role.person.clone(), asked].into_iter().flatten();
        let who = who.collect::<Vec<_>>().join("; ");
        out.line(format!("  {:<14}{}", role.role.as_str(), cell(&who)))?;
    }
    if !incident.responders.is_empty() {
        let helping = incident.responders.join(", ");
        out.line(format!("  {:<14}{}", "helping", cell(&helping)))?;
    }
    for it in &incident.promises {
        let broken = if it.broken {
            "broken: it was due"
        } else {
            "due"
        };
        let (audience, due) = (it.audience, cell(&it.due));
        out.line(format!("  {:<14}for {audience} {broken} {due}", "update"))?;
    }
    for it in incident.tasks.iter().filter(|it| it.done_at.is_none()) {
        let (task, text, owner) = (it.task, cell(&it.text), cell_of(it.owner.as_ref()));
        out.line(format!("  {:<14}{task}: {text} ({owner})", "task"))?;
    }
    Ok(())
}

/// Prints what was changed before it and while it is open.
fn print_changes(incident: &IncidentDetail, out: &mut Out<'_>) -> Result<(), Failure> {
    for it in &incident.changes {
        out.line(format!("  {:<14}{}", "change", changed(it)))?;
    }
    match incident.changes_unlisted {
        0 => Ok(()),
        more => out.line(format!("  {:<14}{more} more before it", "change")),
    }
}

fn changed(it: &ChangeLine) -> String {
    let (change, title, at) = (it.change, cell(&it.title), cell(&it.at));
    let link = it.link.as_ref();
    let link = link.map_or_else(String::new, |it| format!(" {}", cell(it)));
    format!("{change}: {title} ({}, {at}){link}", it.status.as_str())
}

fn print_pages(pages: &[PageLine], out: &mut Out<'_>) -> Result<(), Failure> {
    for PageLine {
        person,
        via,
        state,
        next_rung_at,
        ..
    } in pages
    {
        let (person, via) = (cell(person), cell_of(via.as_ref()));
        let next = next_rung_at.as_ref();
        let next = next.map_or(String::new(), |at| format!("; next rung at {}", cell(at)));
        let state = state.as_str();
        out.line(format!("  {:<14}{person} by {via}: {state}{next}", "page"))?;
    }
    Ok(())
}

/// Until when an acknowledgement holds, and what happens then.
fn held(hold: &HoldLine) -> String {
    let until = &hold.until;
    let starts_again = "else the escalation starts again, unless nothing fires any more";
    match hold.stage {
        HoldStage::Holds => format!("until {until}; then the operator is asked"),
        HoldStage::Snoozed => {
            format!("snoozed until {until}; then the escalation starts again if something fires")
        }
        HoldStage::Asked => format!("the operator is asked, answer by {until}, {starts_again}"),
        HoldStage::Risen | HoldStage::Paged => {
            format!("before it rose; confirm by {until}, {starts_again}")
        }
        HoldStage::PassedOn => format!("passed on; answer by {until}, {starts_again}"),
    }
}

/// Whether a line of the log says itself whose doing it was.
fn names(text: &str, by: &str) -> bool {
    let is_subject = text.strip_prefix(by).is_some_and(|it| it.starts_with(' '));
    is_subject || text.starts_with(&format!("resolved by {by}:"))
}

/// Prints the daemon's reply to an action.
fn print_outcome(outcome: &Outcome, out: &mut Out<'_>) -> Result<(), Failure> {
    if !outcome.reply.is_empty() {
        return out.line(clean(&outcome.reply));
    }
    let number = outcome.number.map(|it| it.to_string());
    out.line(format!("incident {} is updated", cell_of(number.as_ref())))
}

#[cfg(test)]
mod tests;
