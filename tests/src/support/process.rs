//! A program in the background that never outlives its test.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Longest part of the output that a report shows, in bytes: its end.
const REPORT_BYTES_MAX: usize = 64 << 10;

/// A running program with a temporary folder of its own; killed when dropped.
pub struct Process {
    name: String,
    child: Child,
    dir: TempDir,
}

impl Process {
    /// Starts a program; its output goes to a file in `dir`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, command: &mut Command, dir: TempDir) -> io::Result<Self> {
        let log = File::create(dir.path().join("output.log"))?;
        let command = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = command.spawn()?;
        Ok(Self {
            name: name.to_owned(),
            child,
            dir,
        })
    }

    /// What it has printed so far.
    #[must_use]
    pub fn output(&self) -> String {
        fs::read_to_string(self.dir.path().join("output.log")).unwrap_or_default()
    }

    /// Its output under its name, for the message of a failed test.
    #[must_use]
    pub fn report(&self) -> String {
        let output = self.output();
        let mut from = output.len().saturating_sub(REPORT_BYTES_MAX);
        while !output.is_char_boundary(from) {
            from += 1;
        }
        format!("--- {} printed at last:\n{}", self.name, &output[from..])
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A loopback port that was free a moment ago.
///
/// # Errors
/// When there is none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
