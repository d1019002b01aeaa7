//! The program itself, for tests that kill it: cargo builds a crate's own programs for its tests
//! and no other crate's.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    tocsin::cli::main()
}
