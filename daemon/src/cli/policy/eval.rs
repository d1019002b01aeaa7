//! `tocsin policy eval`: what the policies say about one alert, and what they read.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use clap::Args;
use serde_json::Value;
use tocsin_core::{IntegrationId, Signal, Timestamp};
use tocsin_policy::{Context, ContextFacts, Evaluated, PolicySet, eval};

use super::{Folder, FolderArgs, ended};
use crate::api::PolicyLine;
use crate::cli::failure::Failure;
use crate::cli::output::{Format, Out, clean};
use crate::config::{Config, IntegrationKind};
use crate::ingest::{self, BODY_BYTES_MAX, Received};
use crate::runtime::{Clock as _, SystemClock};
use crate::time::{parse_time, policy_time};

/// The integration of an alert in tocsin's own format.
const OWN: &str = "generic";

/// `tocsin policy eval`.
#[derive(Debug, Args)]
pub(in crate::cli) struct EvalArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// The alert as JSON, as its sender posts it; `-` for standard input
    #[arg(long, value_name = "FILE")]
    alert: PathBuf,
    /// The integration that receives it: one of the configuration, or without one any name, for
    /// tocsin's own format
    #[arg(long, value_name = "ID", default_value = OWN)]
    integration: String,
    /// The time of the question, such as 2026-07-04T03:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
}

pub(super) fn run(args: &EvalArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let Folder { dir, config } = args.folder.open()?;
    let config = config.map_or_else(Config::default, |(_, config)| config);
    let now = match &args.now {
        None => SystemClock.now(),
        Some(text) => parse_time(text).flatten().ok_or_else(|| {
            let text = clean(text);
            Failure::usage(format!(
                "`{text}` is no time; write it as 2026-07-04T03:00:00Z"
            ))
        })?,
    };
    let alert = alert(args, &config, now)?;
    let set = PolicySet::load(&dir).map_err(|faults| Failure::failed(faults.to_string()))?;
    let context = Context::new(context(&config, now));
    let done = eval(&set, alert, &context);
    match args.folder.output.output {
        Format::Json => out.json(&done)?,
        Format::Text => done.iter().try_for_each(|it| print(it, out))?,
    }
    ended(!done.iter().any(|it| matches!(it, Evaluated::Fault { .. })))
}

/// The only alert of the file.
fn alert(args: &EvalArgs, config: &Config, now: Timestamp) -> Result<Signal, Failure> {
    let body = read(&args.alert)?;
    let id = IntegrationId(args.integration.clone());
    let integration = config.integrations.get(&id);
    if integration.is_none() && id.as_str() != OWN && !config.integrations.is_empty() {
        let names: Vec<&str> = config.integrations.keys().map(|it| it.as_str()).collect();
        return Err(Failure::usage(format!(
            "there is no integration `{}`; there are {}; omit --integration for an alert in \
             tocsin's own format",
            clean(id.as_str()),
            names.join(", ")
        )));
    }
    let ctx = Received::new(id, now, "eval");
    let kind = integration.map_or(IntegrationKind::Generic, |it| it.kind);
    let mapping = integration.and_then(|it| it.mapping.as_ref());
    let Some(parsed) = ingest::parse(kind, mapping, &body, &ctx) else {
        return Err(Failure::usage(format!(
            "the format of `{}` is not read here; write the alert in tocsin's own format, and \
             omit --integration",
            args.integration
        )));
    };
    let file = args.alert.display();
    let parsed = parsed.map_err(|fault| Failure::failed(format!("{file}: {fault}")))?;
    if let Some(rejected) = parsed.rejected.first() {
        let (at, message) = (&rejected.pointer, &rejected.message);
        return Err(Failure::failed(format!("{file}: {at}: {message}")));
    }
    let count = parsed.signals.len();
    let mut signals = parsed.signals.into_iter();
    match (signals.next(), count) {
        (Some(signal), 1) => Ok(signal),
        _ => Err(Failure::failed(format!(
            "{file} has {count} alerts; name a file with one"
        ))),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let from: Box<dyn std::io::Read> = match file.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(std::fs::File::open(file).map_err(|error| unreadable(file, &error))?),
    };
    let mut body = Vec::new();
    let limit = u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX);
    let read = from.take(limit.saturating_add(1)).read_to_end(&mut body);
    read.map_err(|error| unreadable(file, &error))?;
    match body.len() > BODY_BYTES_MAX {
        true => Err(Failure::failed(format!(
            "{} is over {BODY_BYTES_MAX} bytes; name a file with one alert",
            file.display()
        ))),
        false => Ok(body),
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    let file = file.display();
    Failure::failed(format!(
        "cannot read {file}: {error}; name a JSON file, or - for standard input"
    ))
}

/// Who is on call at that time. Nobody is busy and nothing changed recently.
fn context(config: &Config, now: Timestamp) -> ContextFacts {
    let zone: Tz = config.policy.timezone.0;
    let roster = config.roster();
    let on_call = roster.rotations.iter();
    ContextFacts {
        now: policy_time(zone, now),
        on_call: on_call
            .map(|(name, it)| (name.clone(), it.on_call(now)))
            .collect(),
        ..ContextFacts::default()
    }
}

fn print(evaluated: &Evaluated, out: &mut Out<'_>) -> Result<(), Failure> {
    let (function, answer, source) = match evaluated {
        Evaluated::Verdict {
            function,
            answer,
            source,
        } => (function, answer, source),
        Evaluated::Fault { function, fault } => {
            out.line(format!(
                "{function}: it fails, so the built-in verdict applies"
            ))?;
            return out.line(fault.to_string());
        }
    };
    let policy = PolicyLine::of(source);
    out.line(format!("{function}: {}", clean(&policy.place())))?;
    for (field, value) in answer.as_object().into_iter().flatten() {
        match value {
            Value::String(text) if text.is_empty() => {}
            Value::Array(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    out.line(format!("  {field}[{at}]: {}", clean(&item.to_string())))?;
                }
            }
            Value::String(text) => out.line(format!("  {field}: {}", clean(text)))?,
            other => out.line(format!("  {field}: {}", clean(&other.to_string())))?,
        }
    }
    print_reads(&policy.read, out)
}

/// Prints what a policy read.
pub(in crate::cli) fn print_reads(
    read: &[(String, Value)],
    out: &mut Out<'_>,
) -> Result<(), Failure> {
    for (expression, found) in read {
        let (expression, found) = (clean(expression), clean(&found.to_string()));
        out.line(format!("    read {expression} → {found}"))?;
    }
    Ok(())
}
