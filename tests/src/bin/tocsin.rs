//! The program, built beside the tests that start it as a separate process, and that may move its
//! clock.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tocsin::cli;
use tocsin_tests::support::{CLOCK_FILE, MovedClock};

fn main() -> ExitCode {
    match std::env::var_os(CLOCK_FILE) {
        Some(file) => cli::main_with(Arc::new(MovedClock::of(Path::new(&file)))),
        None => cli::main(),
    }
}
