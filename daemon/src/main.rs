//! The tocsin program. All of it is in the library, where tests reach it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// An alert passes through three threads, and what one has allocated another frees.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tocsin::cli::main()
}
