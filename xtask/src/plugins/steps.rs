//! Runs programs and prints how long each step took, since a first build downloads a compiler and
//! takes minutes.

use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};
use std::time::Instant;

const OUTPUT_LINES_SHOWN_MAX: usize = 20;

/// Prints what is done, does it, and prints how long it took.
pub(super) fn step<T>(what: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("plugins: {what} …");
    let start = Instant::now();
    let done = act()?;
    eprintln!("plugins: {what}: {:.1} s", start.elapsed().as_secs_f32());
    Ok(done)
}

/// Runs a program to its end and returns its standard output.
///
/// # Errors
/// When it cannot be started, or with the last lines of its output when it fails.
pub(super) fn output_of(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = stdout.lines().chain(stderr.lines()).collect();
    let shown = lines.len().saturating_sub(OUTPUT_LINES_SHOWN_MAX);
    bail!(
        "{name} failed ({}):\n{}",
        output.status,
        lines[shown..].join("\n")
    )
}
