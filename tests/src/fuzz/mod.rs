//! Fuzz targets: everything that reads what a stranger, an operator or an old release wrote, each
//! as a function of bytes alone that may not panic, hang or grow without bound.
//!
//! `cargo xtask fuzz TARGET` mutates inputs under libFuzzer, guided by which code they reach. The
//! small inputs in `tests/fuzz/TARGET` are what it begins with, and every input that ever broke
//! something is kept among them: a test of the ordinary run feeds them all through their targets.

mod corpus;
mod targets;

pub use corpus::{Input, SEED_BYTES_MAX, inputs};
pub use targets::{TARGETS, Target, target};
