//! Fuzz targets: every parser of input from clients, operators or old releases, each as a
//! function of bytes that must not panic, hang or grow without bound.
//!
//! `cargo xtask fuzz TARGET` mutates inputs with libFuzzer, guided by coverage. It starts from the
//! corpus in `tests/fuzz/TARGET`, to which every input that ever failed is added. An ordinary test
//! runs the whole corpus through the targets.

mod corpus;
mod targets;

pub use corpus::{Input, SEED_BYTES_MAX, inputs};
pub use targets::{TARGETS, Target, target};
