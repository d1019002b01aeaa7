//! Runs the program as a child process and reads its log.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time limit for a start. The first compiles the plugin, which takes ten seconds of CPU time.
const START_WITHIN: Duration = Duration::from_secs(180);
/// Log lines that are kept for failure reports.
const LINES_KEPT: usize = 400;
/// Logged when the program accepts connections.
const LISTENING: &str = "listening on ";
/// Logged for an effect of unknown outcome.
const UNKNOWN: &str = "the outcome of an earlier request is unknown";
/// Logged for an interrupted delivery that is retried.
const INTERRUPTED: &str = "an earlier try of a delivery was cut off";

/// The program's log across all of its starts.
#[derive(Debug, Default)]
pub(super) struct Log {
    lines: VecDeque<String>,
    /// The `once` of effects that were logged as unknown, once per log line.
    pub(super) unknown: Vec<String>,
    /// Number of retries logged for interrupted deliveries.
    pub(super) interrupted: u64,
    /// Lines that report an error.
    pub(super) errors: Vec<String>,
}

impl Log {
    fn take(&mut self, line: String) {
        if line.contains(UNKNOWN) {
            let once = line
                .split("once=\"")
                .nth(1)
                .and_then(|it| it.split('"').next());
            self.unknown.push(once.unwrap_or_default().to_owned());
        }
        self.interrupted += u64::from(line.contains(INTERRUPTED));
        if line.contains(" ERROR ") || line.contains("panicked") {
            self.errors.push(line.clone());
        }
        if self.lines.len() == LINES_KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The last lines.
    pub(super) fn tail(&self, count: usize) -> String {
        let from = self.lines.len().saturating_sub(count);
        let lines: Vec<&str> = self.lines.iter().skip(from).map(String::as_str).collect();
        lines.join("\n")
    }
}

/// The log, shared with the thread that reads it.
pub(super) type SharedLog = Arc<Mutex<Log>>;

/// The log's content, even if a thread panicked while it held the lock.
pub(super) fn read(log: &SharedLog) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds the arguments for `tocsin serve` on a free port.
pub(super) fn serve(command: &mut Command, config: &Path) {
    let dir = config.parent().unwrap_or(config);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(config)
        .arg("--data-dir")
        .arg(dir.join("data"))
        .current_dir(dir)
        .env("TOCSIN_LOG", "info");
}

/// A running program; killed when dropped.
pub(super) struct Running {
    child: Child,
    listening: mpsc::Receiver<String>,
    reader: Option<JoinHandle<()>>,
    began: Instant,
}

impl Running {
    /// Starts `tocsin serve`.
    pub(super) fn start(program: &Path, config: &Path, log: &SharedLog) -> Result<Self, String> {
        let mut command = Command::new(program);
        serve(&mut command, config);
        Self::spawn(&mut command, log)
    }

    /// Starts a command that is the program or a wrapper of it.
    pub(super) fn spawn(command: &mut Command, log: &SharedLog) -> Result<Self, String> {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = quiet
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start the program: {error}"))?;
        let (sender, listening) = mpsc::channel();
        let stderr = child.stderr.take().ok_or("the program has no log")?;
        let log = Arc::clone(log);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(url) = line.split(LISTENING).nth(1) {
                    // The receiver is gone if the program is killed during its start.
                    let _sent = sender.send(url.trim().to_owned());
                }
                read(&log).take(line);
            }
        });
        Ok(Self {
            child,
            listening,
            reader: Some(reader),
            began: Instant::now(),
        })
    }

    /// Waits until it accepts connections; returns its URL and how long the start took.
    pub(super) fn url(&self) -> Result<(String, Duration), String> {
        let url = self.listening.recv_timeout(START_WITHIN);
        let url = url.map_err(|_| "the program did not start".to_owned())?;
        Ok((url, self.began.elapsed()))
    }

    /// Kills it with SIGKILL.
    pub(super) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Both fail only if it has already exited.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ended = reader.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
