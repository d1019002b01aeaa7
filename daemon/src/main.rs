//! The tocsin program.
#![forbid(unsafe_code)]

fn main() {}
