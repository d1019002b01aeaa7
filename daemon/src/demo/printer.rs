//! Prints the demo's progress: one line per occurrence, with the time on the demo's clock.

use std::sync::Arc;

use tocsin_core::Timestamp;

use crate::runtime::{Clock, FastClock};

pub(super) struct Printer {
    clock: Arc<FastClock>,
    began: Timestamp,
}

impl Printer {
    pub(super) fn new(clock: Arc<FastClock>) -> Self {
        let began = clock.now();
        Self { clock, began }
    }

    /// Prints a heading between two parts of the demo.
    pub(super) fn part(&self, text: &str) {
        println!("\n{text}");
    }

    /// Prints something that happened, and where it is visible.
    pub(super) fn line(&self, place: &str, text: &str) {
        let seconds = self.clock.now().since(self.began) / 1_000;
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let first = lines.next().unwrap_or("");
        println!(
            "  {:>2}:{:02}  {place:<16} {first}",
            seconds / 60,
            seconds % 60
        );
        for more in lines {
            println!("{:25}  {more}", "");
        }
    }
}
