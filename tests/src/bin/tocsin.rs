//! The program, built beside the tests that start it as a separate process.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    tocsin::cli::main()
}
