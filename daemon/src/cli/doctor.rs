//! `tocsin doctor`: the health of the running daemon, and what to fix.
//!
//! When no daemon answers, that is the first finding; the configuration, the policies, the store
//! and the disk are then checked without it.

use clap::Args;
use tocsin_core::Person;

use super::ConfigArg;
use super::check::policies;
use super::client::{Client, ClientArgs};
use super::failure::{Exit, Failure};
use super::output::{Format, Out, OutputArg, cell, clean};
use crate::api::Health;
use crate::config;
use crate::health::{self, Check, Level};
use crate::runtime::{Clock as _, SystemClock};
use crate::time::format_time;

/// `tocsin doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tocsin doctor --token-file oncall/data/admin.token\n  \
                        tocsin doctor --config oncall/tocsin.toml --output json\n\n\
                        Exit codes: 0 when no check is BAD, 1 when one is."
)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

/// Runs the checks and prints them.
///
/// # Errors
/// Exit code 1 when a check is bad; it was printed.
pub(super) fn run(args: &DoctorArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let client = Client::new(&args.client)?;
    let found: Health = match client.reach() {
        Ok(()) => {
            let answer = client.get("/api/v1/doctor")?;
            answer.show(args.output, out, print)?;
            answer.read()?
        }
        Err(error) => {
            let found = without_daemon(args, error.text);
            match args.output.output {
                Format::Json => out.json(&found)?,
                Format::Text => print(&found, out)?,
            }
            found
        }
    };
    match found.level {
        Level::Ok | Level::Warn => Ok(()),
        Level::Bad => Err(Failure {
            exit: Exit::Failed,
            text: String::new(),
        }),
    }
}

fn without_daemon(args: &DoctorArgs, error: String) -> Health {
    let remedy = "until it answers, the other checks read the files";
    let mut checks = vec![Check::wrong("daemon", Level::Bad, error, remedy)];
    let file = args.config.config.display();
    match config::load(&args.config.config) {
        Err(error) => checks.push(Check::wrong(
            "configuration",
            Level::Bad,
            error.to_string(),
            "correct it, and run `tocsin check`",
        )),
        Ok(loaded) => {
            checks.push(Check::ok("configuration", format!("{file} is valid")));
            checks.push(match policies(&loaded.config) {
                Ok(()) => Check::ok("policies", "no fault was found"),
                Err(faults) => Check::wrong(
                    "policies",
                    Level::Warn,
                    faults.to_string(),
                    "fix them; until then built-in verdicts page the fallback",
                ),
            });
            // Which contacts plugins serve, and what people overrode, is known to the daemon only.
            let now = SystemClock.now();
            let window = (now, now.plus_ms(crate::people::FORESIGHT_MS));
            let has_contact = |person: &Person| !person.contacts.is_empty();
            let roster = loaded.config.roster();
            let warnings = roster.warnings(window, &has_contact);
            let told: Vec<_> = warnings.iter().map(|it| it.told(&roster)).collect();
            checks.push(health::check_warnings(&told));
            let folder = &loaded.config.store.path;
            checks.push(match folder.join("db").is_file() {
                true => Check::ok("store", format!("found in {}", folder.display())),
                false => Check::wrong(
                    "store",
                    Level::Warn,
                    format!("not found in {}", folder.display()),
                    "expected before the first start; otherwise correct [store] path",
                ),
            });
            checks.extend(health::disk_free(folder).map(health::check_disk));
        }
    }
    checks.sort_by_key(|check| std::cmp::Reverse(check.level));
    Health {
        level: health::worst(&checks),
        at: format_time(SystemClock.now()),
        checks,
    }
}

/// Prints the checks, each with its remedy below it.
fn print(found: &Health, out: &mut Out<'_>) -> Result<(), Failure> {
    for check in &found.checks {
        let level = match check.level {
            Level::Bad => "BAD",
            Level::Warn => "warn",
            Level::Ok => "ok",
        };
        let name = cell(&check.name);
        let says: Vec<_> = check.says.lines().map(clean).collect();
        let says = says.join("\n                      ");
        out.line(format!("{level:<4}  {name:<14}  {says}"))?;
        if let Some(remedy) = &check.remedy {
            out.line(format!("{:22}→ {}", "", clean(remedy)))?;
        }
    }
    Ok(())
}
