//! Acknowledged batches are complete after a kill, and are synced before they are acknowledged.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod child;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tocsin_core::Timestamp;
use tocsin_store::{Class, SledStore, Store, StoreError, StreamId, Table, TimerKey, verify_events};

const KILLS: u64 = 10;
/// How long a child may take to acknowledge a batch.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(60);

/// This program, started as the child.
fn child(program: &OsStr, before: &[&OsStr], folder: &Path, first: u64) -> Child {
    let mut command = Command::new(program);
    command.args(before);
    command.args([
        "child_of_the_crash_tests",
        "--include-ignored",
        "--nocapture",
    ]);
    command
        .env(child::FOLDER, folder)
        .env(child::FIRST, first.to_string());
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The numbers that a child prints.
fn acknowledged(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.filter_map(|line| line.unwrap().strip_prefix(child::MARK)?.parse().ok())
}

/// Runs the child until it has acknowledged `count` batches and `extra` has passed, kills it, and
/// returns the number after the last acknowledged one.
fn run_and_kill(folder: &Path, first: u64, count: u64, extra: Duration) -> u64 {
    let program = std::env::current_exe().unwrap();
    let mut child = child(program.as_os_str(), &[], folder, first);
    let numbers = acknowledged(&mut child);
    let (sender, acknowledged) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        numbers.for_each(|number| sender.send(number).unwrap());
    });
    let mut last = None;
    for _ in 0..count {
        last = Some(acknowledged.recv_timeout(ACKNOWLEDGE_TIMEOUT).unwrap());
    }
    std::thread::sleep(extra);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    acknowledged.try_iter().last().or(last).unwrap() + 1
}

/// Returns how many batches there are, and checks that each is complete.
fn audit(store: &SledStore) -> u64 {
    let all = StreamId("all".to_owned());
    let streams = store.streams(None, usize::MAX).unwrap();
    let batches = streams
        .iter()
        .find(|(stream, _)| *stream == all)
        .map_or(0, |(_, count)| *count);
    assert_eq!(streams.len() as u64, batches + u64::from(batches > 0));
    let rows = store.rows(Table::Alert, "", None, usize::MAX).unwrap();
    assert_eq!(rows.len() as u64, batches);
    let timers = store.timers(None, usize::MAX).unwrap();
    assert_eq!(timers.len() as u64, batches);
    let pages = store.outbox(Class::Page, None, usize::MAX).unwrap();
    assert_eq!(pages.len() as u64, batches);
    let mut numbers: Vec<_> = pages
        .iter()
        .map(|row| (row.body.as_u64(), row.key.seq))
        .collect();
    numbers.sort_unstable();
    let rises = numbers.is_sorted_by(|(_, one), (_, next)| one < next);
    assert!(rises, "numbers do not follow the batches: {numbers:?}");
    for n in 0..batches {
        let at = usize::try_from(n).unwrap();
        let key = format!("{n:010}");
        let text = json!(child::text(n));
        assert_eq!((&rows[at].0, &rows[at].1.value), (&key, &text));
        let events = store.read_stream(&StreamId(key.clone()), 0, 9).unwrap();
        assert!(
            events.len() == 3 && events.iter().all(|stored| stored.event == text),
            "{key}"
        );
        let due = Timestamp(n.cast_signed());
        assert_eq!(
            timers[at].key,
            TimerKey {
                due,
                kind: "test".to_owned(),
                id: key
            }
        );
    }
    let report = verify_events(store, |_| Ok(()));
    assert!(report.is_sound(), "{:?}", report.faults);
    batches
}

#[test]
fn acknowledged_batches_survive_a_kill_completely() {
    let folder = TempDir::new().unwrap();
    let mut next = 0;
    for kill in 0..KILLS {
        // Spread over the duration of a few groups, the same in every run.
        let extra = Duration::from_micros(kill * 7_919 % 13_000);
        let acknowledged = run_and_kill(folder.path(), next, 20 + kill * 13 % 50, extra);
        let store = SledStore::open(folder.path()).unwrap();
        let found = audit(&store);
        assert!(
            found >= acknowledged,
            "{acknowledged} acknowledged, {found} found"
        );
        assert!(found <= acknowledged + 5, "at most the group in progress");
        next = found;
    }
    println!("{KILLS} kills, {next} batches, none lost");
}

#[test]
fn a_folder_in_use_says_so_until_it_is_free() {
    let folder = TempDir::new().unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let Err(StoreError::InUse { path }) = SledStore::open(folder.path()) else {
        panic!("it was opened twice");
    };
    assert_eq!(Path::new(&path), folder.path());
    drop(store);
    SledStore::open(folder.path()).unwrap();
}

/// The log must be synced between its last write and the acknowledgement.
#[test]
fn each_group_is_synced_before_it_is_acknowledged() {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("skipped: strace is not installed");
        return;
    }
    let folder = TempDir::new().unwrap();
    let trace = folder.path().join("trace");
    let calls = "trace=openat,pwrite64,pwritev,fdatasync,fsync,sync_file_range,write";
    let program = std::env::current_exe().unwrap();
    let options = ["-f", "-qq", "-y", "-s", "32", "-e", calls, "-o"].map(OsStr::new);
    let options = [&options[..], &[trace.as_os_str(), program.as_os_str()]].concat();
    let store = folder.path().join("store");
    let mut child = child(OsStr::new("strace"), &options, &store, 0);
    let seen = acknowledged(&mut child).take(100).count();
    child.kill().unwrap();
    let failed = child.wait_with_output().unwrap();
    if seen == 0 && String::from_utf8_lossy(&failed.stderr).contains("ptrace") {
        println!("skipped: strace may not trace here");
        return;
    }
    assert_eq!(seen, 100);
    let trace = std::fs::read_to_string(trace).unwrap();
    let (mut dirty, mut groups) = (0, 0);
    for line in trace.lines() {
        if line.contains("pwrite") && line.contains("/store/db>") {
            dirty += 1;
        } else if line.contains("fdatasync") && !line.contains("unfinished") {
            let done = line.contains("/store/db>") || line.contains("resumed");
            assert!(done && line.ends_with("= 0"), "{line}");
            dirty = 0;
        } else if line.contains(" write(1<") && line.contains(child::MARK) {
            assert_eq!(dirty, 0, "acknowledged before the sync: {line}");
            groups += 1;
        }
    }
    assert!(groups >= 20, "{groups} groups in the trace");
    println!("{groups} groups, each synced before its acknowledgement");
}

#[test]
fn a_full_disk_stops_the_store_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    // A file size limit simulates a full disk: only writes fail.
    let script = "ulimit -f 16384; trap '' XFSZ; exec \"$@\"";
    let program = std::env::current_exe().unwrap();
    let options = ["-c", script, "sh"].map(OsStr::new);
    let options = [&options[..], &[program.as_os_str()]].concat();
    let mut child = child(OsStr::new("sh"), &options, folder.path(), 0);
    let acknowledged = acknowledged(&mut child).last().unwrap() + 1;
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("poisoned") && said.contains("then rejects all further calls"),
        "{said}"
    );
    let found = audit(&SledStore::open(folder.path()).unwrap());
    assert!(
        found >= acknowledged,
        "{acknowledged} acknowledged, {found} found"
    );
    assert!(
        found <= acknowledged + child::GROUP,
        "at most the group that failed"
    );
}
