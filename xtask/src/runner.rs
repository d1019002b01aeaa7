//! Runs a test runner and counts its tests from its summary. Runners repeat the output of failed
//! tests, which may itself look like a summary and must not be counted.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::steps::Counts;

/// The test runner, which determines the format of the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    /// cargo-nextest: one summary, after a horizontal rule.
    Nextest,
    /// `cargo test`: one summary for each test binary.
    Libtest,
}

/// Starts of the horizontal rule before nextest's summary, in Unicode and in ASCII. Output of tests
/// is indented.
const NEXTEST_RULES: [&str; 2] = ["────", "----"];
const NEXTEST_SUMMARY: &str = "     Summary [";
const LIBTEST_SUMMARY: &str = "test result: ";

/// Runs a test runner, shows what it prints and counts the tests. A run that fails without a
/// failed test (it did not compile) counts as one failed check.
///
/// # Errors
/// When the program cannot be started or its output cannot be read.
pub(crate) fn tests(runner: Runner, command: &mut Command) -> Result<Counts> {
    let (reader, writer) = io::pipe().context("cannot make a pipe")?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    // The command holds the pipe's writing end, and the reader would wait for it.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut tally = Tally::of(runner);
    let mut shown = io::stdout().lock();
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        shown.write_all(&line)?;
        tally.read(&String::from_utf8_lossy(&line));
        line.clear();
    }
    let mut counts = tally.counts;
    if !child.wait()?.success() && counts.failed == 0 {
        counts.failed = 1;
    }
    Ok(counts)
}

/// Adds up a runner's summaries, line by line.
struct Tally {
    runner: Runner,
    /// Whether the next line is a summary if it looks like one, and not the output of a test.
    expects_summary: bool,
    counts: Counts,
}

impl Tally {
    fn of(runner: Runner) -> Self {
        Self {
            runner,
            expects_summary: runner == Runner::Libtest,
            counts: Counts::default(),
        }
    }

    fn read(&mut self, line: &str) {
        let begin = match self.runner {
            Runner::Nextest => NEXTEST_SUMMARY,
            Runner::Libtest => LIBTEST_SUMMARY,
        };
        if self.expects_summary && line.starts_with(begin) {
            self.counts.add(numbers(line));
        }
        match self.runner {
            Runner::Nextest => {
                self.expects_summary = NEXTEST_RULES.iter().any(|it| line.starts_with(it));
            }
            // `---- NAME stdout ----` is followed by the test's output, and the last of these by
            // the list of failed tests.
            Runner::Libtest if is_capture(line) => self.expects_summary = false,
            Runner::Libtest if line.trim_end() == "failures:" => self.expects_summary = true,
            Runner::Libtest => {}
        }
    }
}

fn is_capture(line: &str) -> bool {
    line.starts_with("---- ") && line.trim_end().ends_with(" ----")
}

/// Reads `12 tests run: 11 passed, 1 failed, 0 skipped` (nextest) or
/// `ok. 12 passed; 0 failed; 0 ignored; …` (libtest).
fn numbers(line: &str) -> Counts {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut counts = Counts::default();
    for pair in words.windows(2) {
        let Ok(number) = pair[0].trim_start_matches('(').parse::<u32>() else {
            continue;
        };
        match pair[1].trim_end_matches([',', ';', '.', ':']) {
            "passed" => counts.passed += number,
            "failed" | "timed" | "exec" => counts.failed += number,
            "skipped" | "ignored" => counts.skipped += number,
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(runner: Runner, output: &str) -> (u32, u32, u32) {
        let mut tally = Tally::of(runner);
        output.lines().for_each(|line| tally.read(line));
        let Counts {
            passed,
            failed,
            skipped,
        } = tally.counts;
        (passed, failed, skipped)
    }

    /// nextest's output for one passed and one failed test. The output of the failed test contains
    /// summaries, and is shown twice: when it failed, and at the end.
    const NEXTEST: &str = "\
────────────
 Nextest run ID c39902f1 with nextest profile: default
    Starting 2 tests across 1 binary
        FAIL [   0.302s] (2/2) probe tests::bad
  stdout ───

    running 1 test
    ────────────
         Summary [   0.5s] 9 tests run: 4 passed, 5 failed, 0 skipped
    test tests::bad ... FAILED

    failures:
        tests::bad

    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 1 filtered out
────────────
     Summary [   0.308s] 2 tests run: 1 passed, 1 failed, 0 skipped
        FAIL [   0.302s] (2/2) probe tests::bad
  stdout ───

    running 1 test
    test tests::bad ... FAILED

    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 1 filtered out

error: test run failed
";

    const LIBTEST: &str = "\
running 2 tests
test tests::good ... ok
test tests::bad ... FAILED

failures:

---- tests::bad stdout ----
test result: FAILED. 0 passed; 7 failed; 0 ignored; 0 measured; 0 filtered out
it is bad

failures:
    tests::bad

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out

running 3 tests

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out
";

    #[test]
    fn one_failed_test_is_counted_once_whatever_it_printed() {
        assert_eq!(counted(Runner::Nextest, NEXTEST), (1, 1, 0));
        assert_eq!(counted(Runner::Libtest, LIBTEST), (3, 1, 1));
    }

    #[test]
    fn a_test_that_timed_out_or_could_not_be_started_counts_as_failed() {
        let output = "────────────\n     Summary [   0.5s] 6 tests run: 3 passed, 1 failed, \
                      1 timed out, 1 exec failed, 2 skipped\n";
        assert_eq!(counted(Runner::Nextest, output), (3, 3, 2));
    }
}
