//! `tocsin incident`: what an engineer does about one.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client::{Client, ClientArgs, items};
use super::failure::Failure;
use super::output::{Format, Out, OutputArg, cell, clean, time};

const PATH: &str = "/api/v1/incidents";

/// `tocsin incident …`.
#[derive(Debug, Args)]
pub(super) struct IncidentArgs {
    #[command(subcommand)]
    command: IncidentCommand,
}

#[derive(Debug, Subcommand)]
enum IncidentCommand {
    /// List incidents, the newest first
    #[command(after_help = "Examples:\n  tocsin incident list\n  \
                            tocsin incident list --status active --output json")]
    List(ListArgs),
    /// Show one incident with its log
    #[command(after_help = "Example:\n  tocsin incident show 42")]
    Show(One),
    /// Open an incident by hand
    #[command(
        after_help = "Example:\n  tocsin incident open --title \"Checkout is slow\" \
                            --service checkout --grade major"
    )]
    Open(OpenArgs),
    /// Acknowledge: you have it, and nobody else is paged
    #[command(after_help = "Example:\n  tocsin incident ack 42")]
    Ack(One),
    /// Say that the harm is stopped, though the cause is not
    #[command(after_help = "Example:\n  tocsin incident mitigate 42 --reason \"rolled back\"")]
    Mitigate(Reasoned),
    /// Say that the service is back
    #[command(after_help = "Example:\n  tocsin incident resolve 42 --reason \"disk replaced\"")]
    Resolve(Reasoned),
    /// Grade it by hand; from then on policies only propose
    #[command(after_help = "Example:\n  \
                            tocsin incident grade 42 critical --reason \"orders are lost\"")]
    Grade(GradeArgs),
    /// Write a line of its log
    #[command(after_help = "Example:\n  \
                            tocsin incident log 42 --kind decided \"We roll back to 1.4\"")]
    Log(LogArgs),
    /// Put a resolved incident away
    #[command(after_help = "Example:\n  tocsin incident close 42")]
    Close(One),
}

/// Which daemon, and how to print.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only those that are open, mitigated, resolved or closed; `active` is the first two
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: u32,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct One {
    /// The incident's number
    number: u64,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Reasoned {
    /// The incident's number
    number: u64,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// How bad an incident is.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum GradeWord {
    /// Not normal, major features unaffected
    Minor,
    /// A major feature is broken, no data lost
    Major,
    /// Unreachable, or a major feature broken with data loss
    Critical,
}

#[derive(Debug, Args)]
struct OpenArgs {
    /// What is wrong, in one line
    #[arg(long, value_name = "TEXT")]
    title: String,
    /// More about it
    #[arg(long, value_name = "TEXT")]
    summary: Option<String>,
    /// The service that is hurt
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The team that owns it
    #[arg(long, value_name = "ID")]
    team: Option<String>,
    /// How bad it is; left out, the policy decides
    #[arg(long, value_enum)]
    grade: Option<GradeWord>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct GradeArgs {
    /// The incident's number
    number: u64,
    /// How bad it is
    #[arg(value_enum)]
    grade: GradeWord,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Whether only people with clearance may know; left out, it stays as it is
    #[arg(long, value_name = "BOOL")]
    security: Option<bool>,
    #[command(flatten)]
    common: Common,
}

/// What kind of line of the log.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindWord {
    /// Somebody saw something
    Seen,
    /// Something was decided
    Decided,
    /// Something was done
    Done,
    /// Anything else
    Note,
}

#[derive(Debug, Args)]
struct LogArgs {
    /// The incident's number
    number: u64,
    /// The line
    text: String,
    /// What kind of line it is
    #[arg(long, value_enum, default_value = "note")]
    kind: KindWord,
    #[command(flatten)]
    common: Common,
}

/// Runs `tocsin incident …`.
///
/// # Errors
/// When the daemon cannot be reached or refuses.
pub(super) fn run(args: &IncidentArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    match &args.command {
        IncidentCommand::List(args) => list(args, out),
        IncidentCommand::Show(args) => show(args, out),
        IncidentCommand::Open(args) => open(args, out),
        IncidentCommand::Ack(args) => act(args.number, json!({"action": "ack"}), &args.common, out),
        IncidentCommand::Mitigate(args) => reasoned(args, "mitigate", out),
        IncidentCommand::Resolve(args) => reasoned(args, "resolve", out),
        IncidentCommand::Grade(args) => {
            let mut body = json!({
                "action": "grade",
                "grade": word(&args.grade),
                "reason": args.reason,
            });
            if let Some(security) = args.security {
                body["security"] = security.into();
            }
            act(args.number, body, &args.common, out)
        }
        IncidentCommand::Log(args) => {
            let body = json!({"action": "log", "kind": word(&args.kind), "body": args.text});
            act(args.number, body, &args.common, out)
        }
        IncidentCommand::Close(args) => {
            act(args.number, json!({"action": "close"}), &args.common, out)
        }
    }
}

fn word(value: &impl ValueEnum) -> String {
    let word = value.to_possible_value();
    word.map(|word| word.get_name().to_owned())
        .unwrap_or_default()
}

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let mut path = format!("{PATH}?limit={}", args.limit);
    if let Some(status) = &args.status {
        path.push_str(&format!("&status={}", super::client::path_part(status)));
    }
    let answer = Client::new(&args.common.client)?.get(&path)?;
    if args.common.output.output == Format::Json {
        return out.json(&answer);
    }
    let rows: Vec<_> = items(&answer, "incidents").iter().map(line).collect();
    let header = [
        "NUMBER", "STATUS", "GRADE", "OPENED", "OPERATOR", "SERVICE", "TITLE",
    ];
    out.table(&header, &rows, "No incidents.")
}

fn line(incident: &Value) -> Vec<String> {
    let member = |name: &str| cell(incident.get(name));
    let mut grade = member("grade");
    if incident.get("security") == Some(&Value::Bool(true)) {
        grade.push_str(" +security");
    }
    vec![
        member("number"),
        member("status"),
        grade,
        time(incident.get("opened_at")),
        member("operator"),
        member("service"),
        member("title"),
    ]
}

fn show(args: &One, out: &mut Out<'_>) -> Result<(), Failure> {
    let path = format!("{PATH}/{}", args.number);
    let answer = Client::new(&args.common.client)?.get(&path)?;
    if args.common.output.output == Format::Json {
        return out.json(&answer);
    }
    tell(&answer, out)?;
    for page in items(&answer, "pages") {
        let member = |name: &str| cell(page.get(name));
        let (person, via, state) = (member("person"), member("via"), member("state"));
        out.line(format!("  {:<14}{person} by {via}: {state}", "page"))?;
    }
    let timeline = items(&answer, "timeline");
    if !timeline.is_empty() {
        out.line("")?;
    }
    for entry in timeline {
        let text = entry.get("text").and_then(Value::as_str);
        out.line(format!(
            "{}  {}: {}",
            time(entry.get("at")),
            cell(entry.get("by")),
            clean(text.unwrap_or_default())
        ))?;
    }
    Ok(())
}

/// An incident's fields, one a line.
fn tell(answer: &Value, out: &mut Out<'_>) -> Result<(), Failure> {
    let title = answer.get("title").and_then(Value::as_str);
    out.line(format!(
        "Incident {}: {}",
        cell(answer.get("number")),
        clean(title.unwrap_or_default())
    ))?;
    let is_set = |value: &&Value| !matches!(value, Value::Null | Value::Bool(false));
    for (label, name) in [
        ("status", "status"),
        ("grade", "grade"),
        ("security", "security"),
        ("service", "service"),
        ("team", "team"),
        ("operator", "operator"),
        ("next step", "next_escalation_at"),
    ] {
        if let Some(value) = answer.get(name).filter(is_set) {
            out.line(format!("  {label:<14}{}", cell(Some(value))))?;
        }
    }
    for (label, name) in [
        ("opened", "opened_at"),
        ("mitigated", "mitigated_at"),
        ("resolved", "resolved_at"),
    ] {
        if let Some(value) = answer.get(name).filter(is_set) {
            out.line(format!("  {label:<14}{}", time(Some(value))))?;
        }
    }
    Ok(())
}

fn open(args: &OpenArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let mut body = json!({"title": args.title});
    let grade = args.grade.as_ref().map(word);
    for (name, value) in [
        ("summary", &args.summary),
        ("service", &args.service),
        ("team", &args.team),
        ("grade", &grade),
    ] {
        if let Some(value) = value {
            body[name] = value.as_str().into();
        }
    }
    let answer = Client::new(&args.common.client)?.post(PATH, &body)?;
    told(&answer, &args.common, out)
}

fn reasoned(args: &Reasoned, action: &str, out: &mut Out<'_>) -> Result<(), Failure> {
    let body = json!({"action": action, "reason": args.reason});
    act(args.number, body, &args.common, out)
}

fn act(number: u64, body: Value, common: &Common, out: &mut Out<'_>) -> Result<(), Failure> {
    let path = format!("{PATH}/{number}/actions");
    let answer = Client::new(&common.client)?.post(&path, &body)?;
    told(&answer, common, out)
}

/// What a request came to, in the daemon's words.
fn told(answer: &Value, common: &Common, out: &mut Out<'_>) -> Result<(), Failure> {
    if common.output.output == Format::Json {
        return out.json(answer);
    }
    match answer.get("reply").and_then(Value::as_str) {
        Some(reply) if !reply.is_empty() => out.line(clean(reply)),
        _ => out.line(format!("Incident {}: done.", cell(answer.get("number")))),
    }
}
