//! Builds that show that they go on: a first one takes minutes, and a silent one looks like one
//! that hangs. On a terminal cargo draws its own bar; elsewhere a line now and then says how far
//! it is, and what cargo says of errors and warnings is shown as it comes.

use std::io::{BufReader, IsTerminal, Read, stderr};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Between two lines that say how far a build is.
const LINE_EVERY: Duration = Duration::from_secs(15);
/// Width of the bar that cargo draws into a pipe, in characters; nobody sees it.
const BAR_WIDTH: &str = "80";
/// Cargo's words for what it does are aligned to the right in so many characters.
const STATUS_WIDTH: usize = 12;

/// A build that goes on.
pub(crate) struct Build {
    child: Child,
    narrator: Option<JoinHandle<()>>,
}

/// Runs a command of cargo to its end; true when it succeeded. `what` names the build.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn succeeds(command: &mut Command, what: &str) -> Result<bool> {
    start(command, what)?.succeeds()
}

/// Starts a command of cargo. `what` names the build.
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
    let narrator = child.stderr.take();
    let narrator = narrator.map(|said| thread::spawn(move || narrate(said, &what)));
    Ok(Build { child, narrator })
}

impl Build {
    /// Waits for its end; true when it succeeded.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub(crate) fn succeeds(mut self) -> Result<bool> {
        let status = self.child.wait().context("cannot wait for cargo")?;
        if let Some(narrator) = self.narrator.take() {
            // It panics only when nothing can be printed any more.
            let _printed = narrator.join();
        }
        Ok(status.success())
    }
}

/// What cargo says, until it says no more.
fn narrate(said: ChildStderr, what: &str) {
    let (tell, told) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut line = Vec::new();
        for byte in BufReader::new(said).bytes().map_while(Result::ok) {
            match byte {
                b'\n' | b'\r' => {
                    // Nobody listens once nothing can be printed any more.
                    let _heard = tell.send(String::from_utf8_lossy(&line).into_owned());
                    line.clear();
                }
                byte => line.push(byte),
            }
        }
    });
    let (began, mut next) = (Instant::now(), Instant::now() + LINE_EVERY);
    let mut far = None;
    loop {
        match told.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(line) => match Said::of(&line) {
                Said::Far(count) => far = Some(count),
                Said::Status => {}
                Said::Else => eprintln!("{line}"),
            },
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if Instant::now() >= next {
            next += LINE_EVERY;
            let seconds = began.elapsed().as_secs();
            match &far {
                Some(far) => eprintln!("{what}: {far} steps after {seconds} s"),
                None => eprintln!("{what}: no step yet after {seconds} s"),
            }
        }
    }
    let _ended = reader.join();
}

/// What a line of cargo's is.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// The bar, with what it counts: `12/345`.
    Far(String),
    /// What cargo does now.
    Status,
    /// An error, a warning, a part of one, or that another cargo is waited for.
    Else,
}

impl Said {
    fn of(line: &str) -> Self {
        let trimmed = line.trim();
        let word = trimmed.split(' ').next().unwrap_or_default();
        let indent = line.len() - line.trim_start().len();
        let is_status = indent + word.len() == STATUS_WIDTH && indent > 0;
        let count = trimmed.split_once("] ").and_then(|it| it.1.split_once(':'));
        let is_count = |it: &str| it.contains('/') && it.bytes().all(|it| it != b' ');
        match count {
            Some((count, _)) if is_status && is_count(count) => {
                Self::Far(count.replace('/', " of "))
            }
            _ if is_status && word == "Blocking" => Self::Else,
            _ if is_status || trimmed.is_empty() => Self::Status,
            _ => Self::Else,
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
                Said::Far("1 of 551".to_owned()),
            ),
            (
                "    Building [=====>    ] 8/10: probe, serde   ",
                Said::Far("8 of 10".to_owned()),
            ),
            ("   Compiling serde v1.0.229", Said::Status),
            (
                "    Finished `dev` profile [unoptimized + debuginfo] target(s) in 14.83s",
                Said::Status,
            ),
            (
                "    Blocking waiting for file lock on package cache",
                Said::Else,
            ),
            ("", Said::Status),
            (
                "error[E0425]: cannot find value `x` in this scope",
                Said::Else,
            ),
            ("  --> src/lib.rs:1:1", Said::Else),
            ("   |     let it = a[1] 2/3: b", Said::Else),
            ("warning: unused variable: `x`", Said::Else),
            (
                "error: could not compile `probe` (lib) due to 1 previous error",
                Said::Else,
            ),
        ];
        for (line, said) in cases {
            assert_eq!(Said::of(line), said, "{line}");
        }
    }
}
