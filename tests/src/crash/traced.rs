//! The program under strace, asked by several senders at once: that nothing is answered before
//! it is synced cannot be seen by killing the program, since the kernel goes on.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::child::{self, Running, SharedLog};
use super::load::client;
use super::setup;
use super::trace::synced_before_answered;
use crate::support::strace;
use crate::wait::until;

/// Senders at once, and what each sends one after the other.
const SENDERS: usize = 4;
const ALERTS_EACH: usize = 6;
/// Calls that tell when what came is read, written, synced and answered.
const CALLS: &str =
    "trace=read,readv,recvfrom,write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,fdatasync";
/// Bytes of a call's data that are written down: more than the log gets at once here.
const DATA_BYTES: &str = "1048576";
/// Longest that the trace may take to be written.
const WRITTEN_WITHIN: Duration = Duration::from_secs(20);

/// Runs the program under strace and holds what it did against the rule; how many requests were
/// held, or absent with the reason when there is no strace that may trace here.
///
/// # Errors
/// When the program does not start, or answered something before it was synced.
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
    let token = super::night::ingest_token(&url, &folder.data).await?.ingest;
    let senders = (0..SENDERS).map(|it| tokio::spawn(send(url.clone(), token.clone(), it)));
    let senders: Vec<_> = senders.collect();
    let mut marks = Vec::new();
    for sender in senders {
        marks.extend(sender.await.map_err(|error| error.to_string())??);
    }
    running.kill();
    // strace writes down what it saw when what it traces has ended.
    let told = until("the trace to be written", WRITTEN_WITHIN, async || {
        let trace = std::fs::read(&written).ok()?;
        let trace = String::from_utf8_lossy(&trace).into_owned();
        synced_before_answered(&trace, &marks).ok()
    });
    if let Ok(count) = told.await {
        return Ok(Ok(count));
    }
    let trace = std::fs::read(&written).map_err(|error| error.to_string())?;
    synced_before_answered(&String::from_utf8_lossy(&trace), &marks).map(Ok)
}

/// Sends alerts one after the other; their marks.
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
            return Err(format!("{mark} was answered {}", answer.status()));
        }
        marks.push(mark);
    }
    Ok(marks)
}
