//! Benchmarks against peers. Both are measured in one run on one machine, because only their ratio
//! is comparable across machines. `cargo xtask bench` builds this and what it measures.
#![forbid(unsafe_code)]

#[allow(dead_code)]
#[path = "../../tests/src/support/debian.rs"]
mod debian;
mod delivery;
mod door;
mod figure;
mod page;
mod paths;
mod policy;
#[allow(dead_code)]
#[path = "../../tests/src/support/process.rs"]
mod process;
mod program;
mod start;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, ValueEnum};

use figure::Figure;

/// A benchmark: its name, and the function that measures its figures.
type Bench = (&'static str, fn() -> Result<Vec<Figure>>);

const BENCHES: &[Bench] = &[
    ("door", door::run),
    ("page", page::run),
    ("delivery", delivery::run),
    ("policy", policy::run),
    ("start", start::run),
];

#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Cli {
    /// Benchmarks to run; all of them by default
    names: Vec<String>,
    /// The format of the table
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    /// For a terminal
    Text,
    /// For docs/performance.md
    Markdown,
    /// For programs
    Json,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the selected benchmarks. A missed bound is reported but is not an error, because the
/// machine may be loaded.
fn run(cli: &Cli) -> Result<()> {
    let known = || BENCHES.iter().map(|(name, _)| *name);
    if let Some(other) = cli.names.iter().find(|it| !known().any(|name| name == *it)) {
        let known: Vec<_> = known().collect();
        bail!(
            "unknown benchmark `{other}`; the benchmarks are {}",
            known.join(", ")
        );
    }
    let mut figures = Vec::new();
    for (name, take) in BENCHES {
        if cli.names.is_empty() || cli.names.iter().any(|it| it == name) {
            eprintln!("== {name}");
            match take() {
                Ok(taken) => figures.extend(taken),
                Err(error) => {
                    eprintln!("{name}: {error:#}");
                    figures.push(Figure::not_taken(name, &error));
                }
            }
        }
    }
    match cli.output {
        Output::Text => figure::print_text(&figures),
        Output::Markdown => figure::print_markdown(&figures),
        Output::Json => println!("{}", serde_json::to_string_pretty(&figures)?),
    }
    Ok(())
}
