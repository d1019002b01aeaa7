//! The cost of a history of a hundred thousand closed incidents: a start on it, and an alert
//! compared with the same alert on an empty store. The daemon's example `many_closed` creates the
//! history once, keeps it in the target folder, and measures.

use std::process::Command;

use anyhow::{Context as _, Result, anyhow};
use serde_json::Value;

use crate::figure::{Bound, Figure};
use crate::{debian, paths};

/// The example's name for the start that is measured.
const CLOSED: &str = "closed";
const MIB: f64 = 1_048_576.0;

/// Measures the figures.
pub(crate) fn run() -> Result<Vec<Figure>> {
    let program = paths::release("examples/many_closed")?;
    let history = paths::target().join("bench-history");
    std::fs::create_dir_all(&history)?;
    let output = debian::run(Command::new(program).arg(&history)).map_err(|why| anyhow!(why))?;
    let mut figures = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let line: Value = serde_json::from_str(line)?;
        let number = |name: &str| {
            line[name]
                .as_f64()
                .with_context(|| format!("no {name}: {line}"))
        };
        if line["start"] == CLOSED {
            let incidents = number("incidents")?;
            let what = format!("start on {incidents} closed incidents");
            figures.push(Figure::alone(
                &what,
                number("seconds")?,
                "s",
                Bound::Most(2.0),
            ));
            let what = format!("memory after a start on {incidents} closed incidents");
            let rss = number("rss_bytes")? / MIB;
            figures.push(Figure::alone(&what, rss, "MiB", Bound::Most(300.0)));
        }
        if let Some(alert) = line["alert"].as_str() {
            let what = format!("an alert that {alert} (peer: on an empty store)");
            let (ours, empty) = (number("closed_us")?, number("empty_us")?);
            figures.push(Figure::ratio(&what, ours, empty, "µs", Bound::Most(1.2)));
        }
    }
    Ok(figures)
}
