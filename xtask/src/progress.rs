//! Builds with a progress display: a first build takes minutes, and a silent one looks as if it
//! hangs. On a terminal cargo draws its own bar; elsewhere a line is printed regularly, and cargo's
//! errors and warnings are passed through.

use std::io::{BufReader, IsTerminal, Read, stderr};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Interval between two progress lines.
const LINE_EVERY: Duration = Duration::from_secs(15);
/// Width of the bar that cargo draws into a pipe, in characters; it is not shown.
const BAR_WIDTH: &str = "80";
/// Cargo right-aligns its status words to this width.
const STATUS_WIDTH: usize = 12;

/// A running build.
pub(crate) struct Build {
    child: Child,
    printer: Option<JoinHandle<()>>,
}

/// Runs a cargo command to its end; true if it succeeded. `what` names the build.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn succeeds(command: &mut Command, what: &str) -> Result<bool> {
    start(command, what)?.succeeds()
}

/// Starts a cargo command. `what` names the build.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start(command: &mut Command, what: &str) -> Result<Build> {
    command.stdin(Stdio::null());
    if !stderr().is_terminal() {
        command
            .env("CARGO_TERM_PROGRESS_WHEN", "always")
            .env("CARGO_TERM_PROGRESS_WIDTH", BAR_WIDTH)
            .env("CARGO_TERM_COLOR", "never")
            .stderr(Stdio::piped());
    }
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let what = what.to_owned();
    let output = child.stderr.take();
    let printer = output.map(|it| thread::spawn(move || print_progress(it, &what)));
    Ok(Build { child, printer })
}

impl Build {
    /// Waits for its end; true if it succeeded.
    ///
    /// # Errors
    /// When waiting fails.
    pub(crate) fn succeeds(mut self) -> Result<bool> {
        let status = self.child.wait().context("cannot wait for cargo")?;
        if let Some(printer) = self.printer.take() {
            // It panics only if printing fails.
            let _printed = printer.join();
        }
        Ok(status.success())
    }
}

/// Prints cargo's messages and the progress until cargo ends.
fn print_progress(output: ChildStderr, what: &str) {
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut line = Vec::new();
        for byte in BufReader::new(output).bytes().map_while(Result::ok) {
            match byte {
                b'\n' | b'\r' => {
                    // The receiver is gone only if printing failed.
                    let _sent = sender.send(String::from_utf8_lossy(&line).into_owned());
                    line.clear();
                }
                byte => line.push(byte),
            }
        }
    });
    let (began, mut next) = (Instant::now(), Instant::now() + LINE_EVERY);
    let mut progress = None;
    loop {
        match lines.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(line) => match Line::of(&line) {
                Line::Progress(count) => progress = Some(count),
                Line::Status => {}
                Line::Other => eprintln!("{line}"),
            },
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if Instant::now() >= next {
            next += LINE_EVERY;
            let seconds = began.elapsed().as_secs();
            match &progress {
                Some(count) => eprintln!("{what}: {count} steps after {seconds} s"),
                None => eprintln!("{what}: no step yet after {seconds} s"),
            }
        }
    }
    let _ended = reader.join();
}

/// A kind of line in cargo's output.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// The progress bar, with its count: `12/345`.
    Progress(String),
    /// What cargo is doing.
    Status,
    /// A line of an error or a warning, or a message that cargo waits for another cargo.
    Other,
}

impl Line {
    fn of(line: &str) -> Self {
        let trimmed = line.trim();
        let word = trimmed.split(' ').next().unwrap_or_default();
        let indent = line.len() - line.trim_start().len();
        let is_status = indent + word.len() == STATUS_WIDTH && indent > 0;
        let count = trimmed.split_once("] ").and_then(|it| it.1.split_once(':'));
        let is_count = |it: &str| it.contains('/') && it.bytes().all(|it| it != b' ');
        match count {
            Some((count, _)) if is_status && is_count(count) => {
                Self::Progress(count.replace('/', " of "))
            }
            _ if is_status && word == "Blocking" => Self::Other,
            _ if is_status || trimmed.is_empty() => Self::Status,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_counted_and_errors_are_shown() {
        let cases = [
            (
                "    Building [=>                  ] 1/551: serde_core(build.rs), anyho…",
                Line::Progress("1 of 551".to_owned()),
            ),
            (
                "    Building [=====>    ] 8/10: probe, serde   ",
                Line::Progress("8 of 10".to_owned()),
            ),
            ("   Compiling serde v1.0.229", Line::Status),
            (
                "    Finished `dev` profile [unoptimized + debuginfo] target(s) in 14.83s",
                Line::Status,
            ),
            (
                "    Blocking waiting for file lock on package cache",
                Line::Other,
            ),
            ("", Line::Status),
            (
                "error[E0425]: cannot find value `x` in this scope",
                Line::Other,
            ),
            ("  --> src/lib.rs:1:1", Line::Other),
            ("   |     let it = a[1] 2/3: b", Line::Other),
            ("warning: unused variable: `x`", Line::Other),
            (
                "error: could not compile `probe` (lib) due to 1 previous error",
                Line::Other,
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(Line::of(line), expected, "{line}");
        }
    }
}
