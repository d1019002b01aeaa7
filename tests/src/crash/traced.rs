//! Runs the program under strace with concurrent senders. Killing the program cannot show that a
//! response was sent before the sync, since the kernel still completes the writes.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::child::{self, Running, SharedLog};
use super::load::client;
use super::setup;
use super::trace::synced_before_answered;
use crate::support::strace;
use crate::wait::until;

/// Concurrent senders, and how many alerts each sends one after the other.
const SENDERS: usize = 4;
const ALERTS_EACH: usize = 6;
/// The calls that read a request, write and sync its data, and send the response.
const CALLS: &str =
    "trace=read,readv,recvfrom,write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,fdatasync";
/// Bytes of a call's data that are traced: more than one write to the log has here.
const DATA_BYTES: &str = "1048576";
/// Time limit for the trace to be written.
const WRITTEN_WITHIN: Duration = Duration::from_secs(20);

/// Runs the program under strace and checks the rule. Returns how many requests were checked, or
/// why strace cannot be used here.
///
/// # Errors
/// When the program does not start, or sent a response before the sync.
pub async fn trace(program: &Path) -> Result<Result<usize, String>, String> {
    let mut command = match strace() {
        Ok(command) => command,
        Err(why) => return Ok(Err(why)),
    };
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let folder = setup::lay_out(dir.path(), None).map_err(|error| error.to_string())?;
    let written = dir.path().join("trace");
    command
        // -D: the program itself is the child, so that it can be killed.
        .args(["-D", "-f", "-qq", "-y"])
        .args(["-s", DATA_BYTES, "-e", CALLS, "-o"])
        .arg(&written)
        .arg(program);
    child::serve(&mut command, &folder.config);
    let log = SharedLog::default();
    let running = Running::spawn(&mut command, &log)?;
    let (url, _) = tokio::task::block_in_place(|| running.url())?;
    let token = super::run::ingest_token(&url, &folder.data).await?.ingest;
    let senders = (0..SENDERS).map(|it| tokio::spawn(send(url.clone(), token.clone(), it)));
    let senders: Vec<_> = senders.collect();
    let mut marks = Vec::new();
    for sender in senders {
        marks.extend(sender.await.map_err(|error| error.to_string())??);
    }
    running.kill();
    // strace completes its output after the traced program has ended.
    let held = until("the trace to be written", WRITTEN_WITHIN, async || {
        let trace = std::fs::read(&written).ok()?;
        let trace = String::from_utf8_lossy(&trace).into_owned();
        synced_before_answered(&trace, &marks).ok()
    });
    if let Ok(count) = held.await {
        return Ok(Ok(count));
    }
    let trace = std::fs::read(&written).map_err(|error| error.to_string())?;
    synced_before_answered(&String::from_utf8_lossy(&trace), &marks).map(Ok)
}

/// Sends alerts one after the other and returns their marks.
async fn send(url: String, token: String, sender: usize) -> Result<Vec<String>, String> {
    let client = client()?;
    let mut marks = Vec::new();
    for number in 0..ALERTS_EACH {
        let mark = format!("traced-{sender}-{number}");
        let alert: Value = json!([{ "labels": { "alertname": mark, "service": "traced" } }]);
        let asked = client
            .post(format!("{url}/api/v2/alerts"))
            .bearer_auth(&token)
            .json(&alert);
        let answer = asked.send().await.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("{mark} got status {}", answer.status()));
        }
        marks.push(mark);
    }
    Ok(marks)
}
