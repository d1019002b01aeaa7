//! A background process that never outlives its test.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Bytes at the end of the output that a report shows.
const REPORT_BYTES_MAX: usize = 64 << 10;
/// The unit of times in `/proc`, in milliseconds: 100 ticks a second wherever Rust runs on Linux.
const TICK_MS: u64 = 10;

/// A running program with its own temporary folder; killed when dropped.
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

    /// Its temporary folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its output under its name, for the message of a failed test.
    #[must_use]
    pub fn report(&self) -> String {
        let output = self.output();
        let mut from = output.len().saturating_sub(REPORT_BYTES_MAX);
        while !output.is_char_boundary(from) {
            from += 1;
        }
        format!("--- last output of {}:\n{}", self.name, &output[from..])
    }

    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is still running.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Kills it, and waits until its resources are freed.
    pub fn kill(&mut self) {
        // Both fail only if it has already exited.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }

    /// The CPU time of all its threads so far; `None` if the system does not report it.
    #[must_use]
    pub fn computed(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).ok()?;
        // proc(5): the name ends with the last parenthesis; utime and stime are fields 14 and 15.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * TICK_MS))
    }

    /// Its peak resident memory in KiB; `None` if the system does not report it.
    #[must_use]
    pub fn peak_kib(&self) -> Option<u64> {
        self.status_kib("VmHWM:")
    }

    /// Current resident memory in KiB; `None` if the system does not provide it.
    #[must_use]
    pub fn resident_kib(&self) -> Option<u64> {
        self.status_kib("VmRSS:")
    }

    /// A field of `status` in proc(5).
    fn status_kib(&self, name: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|it| it.strip_prefix(name))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A loopback port that was free a moment ago.
///
/// # Errors
/// When there is none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
