//! The measurements: a start, the memory after it, and alerts.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tocsin_core::{Signal, SignalStatus, Timestamp};
use tocsin_store::Store as _;

use crate::fresh;
use crate::rig::{Rig, signal};

/// The time of the measured alerts: after every history.
const NOW: Timestamp = Timestamp(4_000_000_000_000);
/// Rounds on each of the two stores, alternating.
const ROUNDS: u64 = 40;
/// Alerts of one round, one after the other.
const ALONE: u64 = 16;
/// Alerts of one round, all at once.
const TOGETHER: u64 = 256;

/// Measures a start on the store in this folder, in a fresh process.
pub(crate) fn of_start(folder: &Path, name: &str) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let begun = Instant::now();
    runtime.block_on(async {
        let rig = Rig::open(folder, NOW).await?;
        rig.app.start().await?;
        let seconds = begun.elapsed().as_secs_f64();
        let mut line = json!({"start": name, "seconds": seconds});
        line["disk_bytes"] = rig.store.size_bytes()?.into();
        line["incidents"] = rig.app.view.last_number()?.into();
        memory(&mut line)?;
        println!("{line}");
        Ok(())
    })
}

/// Measures an alert on the full store and on an empty store, alternating in one process: the
/// median over the rounds, in microseconds, and the ratio.
pub(crate) fn of_alerts(folder: &Path) -> Result<()> {
    let closed = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.join("made").exists());
    let closed = closed.context("no history was made there")?;
    let empty = fresh(folder.join("empty"))?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let rigs = [
            Rig::open(&empty, NOW).await?,
            Rig::open(&closed, NOW).await?,
        ];
        let mut times: Vec<[Vec<f64>; 2]> = vec![Default::default(); KINDS.len()];
        for round in 0..ROUNDS {
            // The order alternates, so that neither always finds the disk busy.
            for place in [round % 2, 1 - round % 2] {
                let place = usize::try_from(place)?;
                for (kind, times) in KINDS.iter().zip(&mut times) {
                    times[place].push(one_round(&rigs[place], kind.1, kind.2, round).await?);
                }
            }
        }
        for (kind, times) in KINDS.iter().zip(times) {
            let [empty, closed] = times.map(median);
            let ratio = closed / empty;
            let what = kind.0;
            println!(
                "{}",
                json!({"alert": what, "empty_us": empty, "closed_us": closed, "ratio": ratio})
            );
        }
        Ok(())
    })
}

#[derive(Clone, Copy)]
enum Kind {
    Opens,
    Repeats,
    Resolves,
}

const KINDS: [(&str, Kind, bool); 6] = [
    ("opens an incident, alone", Kind::Opens, false),
    ("repeats, alone", Kind::Repeats, false),
    ("resolves, alone", Kind::Resolves, false),
    ("opens an incident, in a batch", Kind::Opens, true),
    ("repeats, in a batch", Kind::Repeats, true),
    ("resolves, in a batch", Kind::Resolves, true),
];

/// The time of one alert in microseconds, from the intake until it is durable.
async fn one_round(rig: &Rig, kind: Kind, together: bool, round: u64) -> Result<f64> {
    let status = match kind {
        Kind::Opens | Kind::Repeats => SignalStatus::Firing,
        Kind::Resolves => SignalStatus::Resolved,
    };
    let count = if together { TOGETHER } else { ALONE };
    let name = |at| format!("x{round}-{}-{at}", u8::from(together));
    let signals: Vec<Signal> = (0..count)
        .map(|at| signal(&name(at), 1, status, NOW))
        .collect();
    let begun = Instant::now();
    if together {
        rig.app.intake.take(signals).await?;
    } else {
        for signal in signals {
            rig.app.intake.take(vec![signal]).await?;
        }
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / count as f64)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Records the process's current and peak memory.
pub(crate) fn memory(line: &mut Value) -> Result<()> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    for (name, field) in [("VmRSS:", "rss_bytes"), ("VmHWM:", "rss_bytes_most")] {
        let row = status.lines().find_map(|row| row.strip_prefix(name));
        let kib = row.and_then(|row| row.trim().split(' ').next()?.parse::<u64>().ok());
        line[field] = kib.map(|kib| kib * 1024).into();
    }
    Ok(())
}
