//! The tocsin program. All code is in the library, so that tests can use it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// An alert passes through three threads, so memory is often freed on another thread than the
/// one that allocated it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tocsin::cli::main()
}
