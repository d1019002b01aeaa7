//! Prints the story, a line for each thing that happened, with the story's own time.

use std::sync::Arc;

use tocsin_core::Timestamp;

use crate::runtime::{Clock, FastClock};

/// Prints the story.
pub(super) struct Teller {
    clock: Arc<FastClock>,
    began: Timestamp,
}

impl Teller {
    pub(super) fn new(clock: Arc<FastClock>) -> Self {
        let began = clock.now();
        Self { clock, began }
    }

    /// A heading between two parts of the story.
    pub(super) fn part(&self, text: &str) {
        println!("\n{text}");
    }

    /// Something that happened, and where it is seen.
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
