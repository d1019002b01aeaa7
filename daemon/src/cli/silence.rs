//! `tocsin silence`: uses Alertmanager's API, so that `amtool` sees the same silences.

use clap::{Args, Subcommand};

use super::client::{Client, ClientArgs, path_part};
use super::failure::Failure;
use super::output::{Out, OutputArg, cell, clean};
use crate::actions::{NewSilence, parsed_matchers};
use crate::api::SilenceLine;
use crate::config::Span;
use crate::runtime::{Clock as _, SystemClock};
use crate::silence::{GettableSilence, SilenceCreated, SilenceState};

const PATH: &str = "/api/v2/silences";

/// `tocsin silence …`.
#[derive(Debug, Subcommand)]
pub(super) enum SilenceCommand {
    /// Silence alerts: matching alerts are kept, and page nobody
    #[command(after_help = "Example:\n  \
        tocsin silence add service=checkout 'instance=~web-.*' --for 2h --comment \"deployment\"")]
    Add(AddArgs),
    /// List silences, with what each has hidden so far
    #[command(after_help = "Example:\n  tocsin silence list")]
    List(ListArgs),
    /// End a silence now: alerts that it matches and that still fire page somebody
    #[command(after_help = "Example:\n  tocsin silence expire 01997a4e-…")]
    Expire(ExpireArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// name=value, name!=value, name=~pattern or name!~pattern; an alert must match all of them
    #[arg(required = true, value_name = "MATCHER")]
    matchers: Vec<String>,
    /// How long from now, such as 30m, 2h or 1d
    #[arg(long = "for", value_name = "TIME")]
    lasts: Span,
    /// Why
    #[arg(long, value_name = "TEXT")]
    comment: String,
    /// Who creates the silence
    #[arg(long, env = "USER", default_value = "tocsin", value_name = "NAME")]
    author: String,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Include expired silences
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
pub(super) struct ExpireArgs {
    /// The silence's id
    id: String,
    #[command(flatten)]
    client: ClientArgs,
}

/// Runs `tocsin silence …`.
///
/// # Errors
/// When a matcher is wrong, or the daemon cannot be reached or refuses.
pub(super) fn run(command: &SilenceCommand, out: &mut Out<'_>) -> Result<(), Failure> {
    match command {
        SilenceCommand::Add(args) => add(args, out),
        SilenceCommand::List(args) => list(args, out),
        SilenceCommand::Expire(args) => {
            let path = format!("/api/v2/silence/{}", path_part(&args.id));
            let client = Client::new(&args.client)?;
            client.delete(&path)?;
            let ended: GettableSilence = client.get(&path)?.read()?;
            let (id, hid) = (clean(&args.id), ended.hid);
            out.line(format!("Silence {id} has ended; it hid {hid}."))
        }
    }
}

/// Prints the silences that match an alert or the alerts of an incident, one per line.
///
/// # Errors
/// When it cannot be written.
pub(super) fn print_silences(silences: &[SilenceLine], out: &mut Out<'_>) -> Result<(), Failure> {
    for silence in silences {
        let SilenceLine {
            id,
            created_by,
            comment,
            ends_at,
        } = silence;
        let until = ends_at.as_ref().map(|at| format!(" until {}", cell(at)));
        let (id, until) = (clean(id), until.unwrap_or_default());
        let (by, comment) = (cell(created_by), cell(comment));
        out.line(format!(
            "  {:<14}{by} ({comment}){until}: {id}",
            "silenced by"
        ))?;
    }
    Ok(())
}

fn add(args: &AddArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let new = NewSilence {
        matchers: parsed_matchers(&args.matchers).map_err(Failure::usage)?,
        lasts: args.lasts,
        comment: args.comment.clone(),
    };
    let silence = new.postable(args.author.clone(), SystemClock.now());
    let ends_at = silence.ends_at.clone();
    let answer = Client::new(&args.client)?.post(PATH, &silence)?;
    answer.show(args.output, out, |created: &SilenceCreated, out| {
        let id = cell(&created.silence_id);
        out.line(format!(
            "Silence {id} is active until {ends_at}; `tocsin silence expire {id}` ends it."
        ))?;
        let mut warnings = created.warnings.iter();
        warnings.try_for_each(|it| out.line(format!("Warning: {}", clean(it))))
    })
}

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let mut answer = Client::new(&args.client)?.get(PATH)?;
    if !args.all {
        answer.retain(|silence: &GettableSilence| silence.status.state != SilenceState::Expired)?;
    }
    answer.show(args.output, out, |silences: &Vec<GettableSilence>, out| {
        let rows: Vec<_> = silences.iter().map(row).collect();
        let header = ["ID", "STATE", "ENDS", "HID", "BY", "MATCHERS", "COMMENT"];
        out.table(&header, &rows, "No silences.")
    })
}

fn row(silence: &GettableSilence) -> Vec<String> {
    let matchers = silence.matchers.iter().map(|it| {
        let operator = it.op().as_str();
        format!("{}{operator}{}", cell(&it.name), cell(&it.value))
    });
    vec![
        cell(&silence.id),
        silence.status.state.as_str().to_owned(),
        cell(&silence.ends_at),
        silence.hid.to_string(),
        cell(&silence.created_by),
        matchers.collect::<Vec<_>>().join(" "),
        cell(&silence.comment),
    ]
}
