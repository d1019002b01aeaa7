//! Figures with their peer and bound, and their tables.

use serde::Serialize;

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// tocsin's value, with its unit.
    pub(crate) ours: String,
    /// The peer's value; a dash if the bound is absolute.
    pub(crate) peer: String,
    /// tocsin's value divided by the peer's; a dash if the bound is absolute.
    pub(crate) ratio: String,
    pub(crate) bound: String,
    /// `met`, `missed`, or why it was not measured.
    pub(crate) verdict: String,
}

/// The limit that a figure must meet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    Least(f64),
    Most(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::Least(least) => value >= least,
            Self::Most(most) => value <= most,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Self::Least(least) => format!("≥ {}{unit}", short(least)),
            Self::Most(most) => format!("≤ {}{unit}", short(most)),
        }
    }
}

impl Figure {
    /// tocsin's and a peer's value, both in `unit`; the bound is on their ratio.
    pub(crate) fn ratio(what: &str, ours: f64, peer: f64, unit: &str, bound: Bound) -> Self {
        let ratio = ours / peer;
        Self {
            what: what.to_owned(),
            ours: format!("{} {unit}", short(ours)),
            peer: format!("{} {unit}", short(peer)),
            ratio: format!("{}×", short(ratio)),
            bound: bound.text("×"),
            verdict: verdict(bound.holds(ratio)),
        }
    }

    pub(crate) fn alone(what: &str, ours: f64, unit: &str, bound: Bound) -> Self {
        Self {
            what: what.to_owned(),
            ours: format!("{} {unit}", short(ours)),
            peer: "–".to_owned(),
            ratio: "–".to_owned(),
            bound: bound.text(&format!(" {unit}")),
            verdict: verdict(bound.holds(ours)),
        }
    }

    /// A benchmark that could not run here.
    pub(crate) fn not_taken(name: &str, why: &anyhow::Error) -> Self {
        let dash = || "–".to_owned();
        Self {
            what: name.to_owned(),
            ours: dash(),
            peer: dash(),
            ratio: dash(),
            bound: dash(),
            verdict: format!("not measured: {why:#}"),
        }
    }

    fn cells(&self) -> [&str; 6] {
        [
            &self.what,
            &self.ours,
            &self.peer,
            &self.ratio,
            &self.bound,
            &self.verdict,
        ]
    }
}

const HEADER: [&str; 6] = ["figure", "tocsin", "peer", "ratio", "bound", ""];

/// Prints a table for a terminal.
pub(crate) fn print_text(figures: &[Figure]) {
    let rows: Vec<[&str; 6]> = std::iter::once(HEADER)
        .chain(figures.iter().map(Figure::cells))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..6).map(|it| width(it).unwrap_or(0)).collect();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let line: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        println!("{}", line.join("  ").trim_end());
    }
}

/// Prints a table for docs/performance.md.
pub(crate) fn print_markdown(figures: &[Figure]) {
    println!("| {} |", HEADER.join(" | "));
    println!("|---|--:|--:|--:|--:|---|");
    for figure in figures {
        println!("| {} |", figure.cells().join(" | "));
    }
}

/// The median; of an even number of values, the lower of the middle two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values
        .get(values.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(f64::NAN)
}

fn verdict(holds: bool) -> String {
    if holds { "met" } else { "missed" }.to_owned()
}

/// Three significant digits; from 100 on, whole numbers.
fn short(value: f64) -> String {
    match value.abs() {
        it if it >= 100.0 => format!("{value:.0}"),
        it if it >= 10.0 => format!("{value:.1}"),
        it if it >= 1.0 || it == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
