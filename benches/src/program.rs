//! A server process that is benchmarked.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

const READY_WITHIN: Duration = Duration::from_secs(30);
const IO_WITHIN: Duration = Duration::from_secs(10);

/// A running server with its own folder; killed when dropped.
pub(crate) struct Program {
    child: Child,
    /// Where it listens, `127.0.0.1:PORT`.
    pub(crate) address: String,
    pub(crate) dir: TempDir,
}

impl Program {
    /// Starts a server that will listen on `address`, and waits until `path` there answers 200.
    pub(crate) fn start(
        command: &mut Command,
        dir: TempDir,
        address: String,
        path: &str,
    ) -> Result<Self> {
        let log = File::create(dir.path().join("output.log"))?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let mut it = Self {
            child,
            address,
            dir,
        };
        let began = Instant::now();
        while !get(&it.address, path, "").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            if began.elapsed() > READY_WITHIN || !matches!(it.child.try_wait(), Ok(None)) {
                bail!("{command:?} does not respond:\n{}", it.output());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(it)
    }

    /// What it has printed so far.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(self.dir.path().join("output.log")).unwrap_or_default()
    }

    /// Its resident memory in bytes, by `VmRSS` of proc(5).
    pub(crate) fn resident_bytes(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|it| it.split_whitespace().next()?.parse::<f64>().ok());
        Ok(kib.context("no VmRSS")? * 1024.0)
    }

    /// The value of the metric with this name and labels in `/metrics`; `token` may be empty.
    pub(crate) fn metric(&self, name: &str, token: &str) -> Result<f64> {
        let answer = get(&self.address, "/metrics", token)?;
        let value = answer
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.with_context(|| format!("/metrics shows no {name}"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only if it has already exited.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A loopback address with a free port.
pub(crate) fn free_address() -> Result<String> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .to_string())
}

/// The raw response to a GET.
fn get(address: &str, path: &str, token: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(IO_WITHIN))?;
    let token = match token {
        "" => String::new(),
        token => format!("authorization: Bearer {token}\r\n"),
    };
    let head = format!("host: {address}\r\nconnection: close\r\n{token}");
    write!(stream, "GET {path} HTTP/1.1\r\n{head}\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
