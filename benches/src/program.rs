//! A server process that is benchmarked.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::process::{Process, free_port};

const READY_WITHIN: Duration = Duration::from_secs(30);
const IO_WITHIN: Duration = Duration::from_secs(10);

/// A running server with its own folder; killed when dropped.
pub(crate) struct Program {
    pub(crate) process: Process,
    /// Where it listens, `127.0.0.1:PORT`.
    pub(crate) address: String,
}

impl Program {
    /// Starts a server that will listen on `address`, and waits until `path` there answers 200.
    pub(crate) fn start(
        command: &mut Command,
        dir: TempDir,
        address: String,
        path: &str,
    ) -> Result<Self> {
        let process = Process::start("the server", command, dir);
        let mut process = process.with_context(|| format!("cannot start {command:?}"))?;
        let began = Instant::now();
        while !get(&address, path, "").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            if began.elapsed() > READY_WITHIN || !process.runs() {
                bail!("{command:?} does not respond:\n{}", process.output());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { process, address })
    }

    /// Its resident memory in bytes.
    pub(crate) fn resident_bytes(&self) -> Result<f64> {
        let kib = self.process.resident_kib().context("no VmRSS")?;
        Ok(kib as f64 * 1024.0)
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

/// A loopback address with a free port.
pub(crate) fn free_address() -> Result<String> {
    Ok(format!("127.0.0.1:{}", free_port()?))
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
