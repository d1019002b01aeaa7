//! The machine's clock, moved by as much as a file says: so a test lets hours pass in a program,
//! while it runs or while it is dead.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tocsin::runtime::{Clock, SystemClock};
use tocsin_core::Timestamp;

/// The environment variable that names the file to the program under test.
pub const CLOCK_FILE: &str = "TOCSIN_TEST_CLOCK";
/// How soon a move is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A clock whose file says by how many milliseconds it is ahead of the machine's.
#[derive(Clone, Debug)]
pub struct MovedClock {
    file: PathBuf,
}

impl MovedClock {
    /// The clock with this file.
    #[must_use]
    pub fn of(file: &Path) -> Self {
        let file = file.to_owned();
        Self { file }
    }

    /// Moves it, forwards or backwards.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn move_by(&self, ms: i64) -> io::Result<()> {
        let part = self.file.with_extension("part");
        std::fs::write(&part, (self.ahead_ms() + ms).to_string())?;
        // The program never reads half of it.
        std::fs::rename(part, &self.file)
    }

    fn ahead_ms(&self) -> i64 {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        text.parse().unwrap_or_default()
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.ahead_ms())
    }

    fn wait_until(&self, due: Timestamp) -> Duration {
        Duration::from_millis(due.since(self.now())).min(LOOK_EVERY)
    }
}
