//! `tocsin silence`: by Alertmanager's own API, so that `amtool` sees the same silences.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Client, ClientArgs, items, path_part};
use super::failure::Failure;
use super::output::{Format, Out, OutputArg, cell, clean};
use crate::config::Span;
use crate::runtime::{Clock as _, SystemClock};
use crate::silence::{WireMatcher, parse_matcher};
use crate::time::format_time;

/// `tocsin silence …`.
#[derive(Debug, Subcommand)]
pub(super) enum SilenceCommand {
    /// Silence alerts: they are kept, and page nobody
    #[command(after_help = "Example:\n  \
        tocsin silence add service=checkout 'instance=~web-.*' --for 2h --comment \"deployment\"")]
    Add(AddArgs),
    /// List silences
    #[command(after_help = "Example:\n  tocsin silence list")]
    List(ListArgs),
    /// End a silence now
    #[command(after_help = "Example:\n  tocsin silence expire 01997a4e-…")]
    Expire(ExpireArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// What alerts must have: name=value, name!=value, name=~pattern or name!~pattern; all hold
    #[arg(required = true, value_name = "MATCHER")]
    matchers: Vec<String>,
    /// For how long from now, such as 30m, 2h or 1d
    #[arg(long = "for", value_name = "TIME")]
    lasts: Span,
    /// Why, for everybody who wonders
    #[arg(long, value_name = "TEXT")]
    comment: String,
    /// Who says so
    #[arg(long, env = "USER", default_value = "tocsin", value_name = "NAME")]
    author: String,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Also those that have ended
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
            Client::new(&args.client)?.delete(&path)?;
            out.line(format!("Silence {} has ended.", clean(&args.id)))
        }
    }
}

fn add(args: &AddArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let matchers: Result<Vec<WireMatcher>, _> = args
        .matchers
        .iter()
        .map(|text| parse_matcher(text).map(WireMatcher::from))
        .collect();
    let matchers = matchers.map_err(|error| Failure::usage(error.to_string()))?;
    let now = SystemClock.now();
    let ends_at = format_time(now.plus_ms(args.lasts.as_ms()));
    let body = json!({
        "matchers": matchers,
        "startsAt": format_time(now),
        "endsAt": ends_at,
        "createdBy": args.author,
        "comment": args.comment,
    });
    let answer = Client::new(&args.client)?.post("/api/v2/silences", &body)?;
    if args.output.output == Format::Json {
        return out.json(&answer);
    }
    let id = cell(answer.get("silenceID"));
    out.line(format!(
        "Silence {id} holds until {ends_at}; `tocsin silence expire {id}` ends it."
    ))
}

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let mut answer = Client::new(&args.client)?.get("/api/v2/silences")?;
    let state = |silence: &Value| cell(silence.pointer("/status/state"));
    if !args.all
        && let Some(silences) = answer.as_array_mut()
    {
        silences.retain(|silence| state(silence) != "expired");
    }
    if args.output.output == Format::Json {
        return out.json(&answer);
    }
    let rows: Vec<_> = items(&answer, "silences")
        .iter()
        .map(|silence| {
            let member = |name: &str| cell(silence.get(name));
            let matchers = silence.get("matchers").and_then(Value::as_array);
            let matchers = matchers.into_iter().flatten().map(matcher);
            vec![
                member("id"),
                state(silence),
                member("endsAt"),
                member("createdBy"),
                matchers.collect::<Vec<_>>().join(" "),
                member("comment"),
            ]
        })
        .collect();
    let header = ["ID", "STATE", "ENDS", "BY", "MATCHERS", "COMMENT"];
    out.table(&header, &rows, "No silences.")
}

fn matcher(wire: &Value) -> String {
    let is = |name: &str| wire.get(name).and_then(Value::as_bool);
    let operator = match (
        is("isEqual").unwrap_or(true),
        is("isRegex").unwrap_or(false),
    ) {
        (true, false) => "=",
        (false, false) => "!=",
        (true, true) => "=~",
        (false, true) => "!~",
    };
    let (name, value) = (cell(wire.get("name")), cell(wire.get("value")));
    format!("{name}{operator}{value}")
}
