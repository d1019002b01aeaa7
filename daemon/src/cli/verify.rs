//! `tocsin verify`: checks the whole store of a stopped daemon for damage.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tocsin_core::IncidentId;
use tocsin_core::incident::Incident;
use tocsin_store::{FAULTS_MAX, SledStore, Store, VerifyReport};

use super::ConfigArg;
use super::failure::{Exit, Failure};
use super::output::{Format, Out, OutputArg};
use crate::config;
use crate::runtime::events_of;

/// Streams read per page.
const PAGE_STREAMS: usize = 256;
/// Prefix of the names of incident streams.
const INCIDENT_PREFIX: &str = "incident/";

/// `tocsin verify`.
#[derive(Debug, Args)]
#[command(after_help = "Example, with the daemon stopped:\n  tocsin verify --data-dir oncall/data")]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    pub(super) config: ConfigArg,
    /// The data folder, instead of the one that the configuration names
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(super) output: OutputArg,
}

/// Reads every stream, row, delivery and timer, and replays every incident from its events.
///
/// # Errors
/// When something is damaged, or a running daemon has the store open.
pub(super) fn run(args: &VerifyArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let folder = match &args.data_dir {
        Some(folder) => folder.clone(),
        None => config::load(&args.config.config)?.config.store.path,
    };
    // Opening would create an empty store, which would pass.
    if !folder.join("db").is_file() {
        return Err(Failure::failed(format!(
            "there is no store in {}; name the data folder with --data-dir",
            folder.display()
        )));
    }
    let store = SledStore::open(&folder).map_err(|error| Failure::failed(error.to_string()))?;
    let mut report = tocsin_store::verify(&store);
    let folded = fold_all(&store, &mut report);
    print(args.output.output, &folder, &report, folded, out)?;
    match report.is_sound() {
        true => Ok(()),
        false => Err(Failure {
            exit: Exit::Failed,
            text: String::new(),
        }),
    }
}

/// Replays every incident; returns how many could be replayed.
fn fold_all(store: &dyn Store, report: &mut VerifyReport) -> u64 {
    let mut folded = 0;
    let mut last = None;
    loop {
        let page = match store.streams(last.as_ref(), PAGE_STREAMS) {
            Ok(page) => page,
            Err(error) => {
                note(report, format!("{error}; not every incident was replayed"));
                return folded;
            }
        };
        for (stream, _) in &page {
            let Some(id) = stream.0.strip_prefix(INCIDENT_PREFIX) else {
                continue;
            };
            let id = IncidentId::from(id);
            let events = match events_of(store, &id) {
                Ok(events) => events,
                Err(error) => {
                    note(report, error.to_string());
                    continue;
                }
            };
            match Incident::replay(&id, &events) {
                Ok(_) => folded += 1,
                Err(error) => note(report, format!("incident {id} cannot be replayed: {error}")),
            }
        }
        match page.into_iter().last() {
            Some((stream, _)) => last = Some(stream),
            None => return folded,
        }
    }
}

fn note(report: &mut VerifyReport, fault: String) {
    report.fault_count += 1;
    if report.faults.len() < FAULTS_MAX {
        report.faults.push(fault);
    }
}

fn print(
    format: Format,
    folder: &Path,
    report: &VerifyReport,
    folded: u64,
    out: &mut Out<'_>,
) -> Result<(), Failure> {
    if format == Format::Json {
        return out.json(&json!({
            "ok": report.is_sound(),
            "folder": folder,
            "streams": report.streams,
            "events": report.events,
            "incidents_folded": folded,
            "rows": report.rows,
            "deliveries": report.deliveries,
            "timers": report.timers,
            "fault_count": report.fault_count,
            "faults": report.faults,
        }));
    }
    for fault in &report.faults {
        out.line(fault)?;
    }
    out.line(format!(
        "{}: streams {}, events {}, incidents replayed {folded}, rows {}, \
         pending deliveries {}, timers {}",
        folder.display(),
        report.streams,
        report.events,
        report.rows,
        report.deliveries,
        report.timers
    ))?;
    match report.fault_count {
        0 => out.line("The store is intact."),
        faults => out.line(format!(
            "{faults} faults, the first {} above; restore a backup of the folder",
            report.faults.len()
        )),
    }
}
