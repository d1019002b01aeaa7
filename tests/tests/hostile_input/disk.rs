//! A disk that fills up while the program runs.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tocsin_store::{FREE_BYTES_MIN, SledStore, Store as _, Table};
use tocsin_tests::support::{Program, free_port};
use tocsin_tests::{skip, wait};

const TEST: &str = "a full disk";
/// The name of this test.
const NAME: &str = concat!(
    "disk::",
    "a_full_disk_stops_the_daemon_with_a_reason_and_a_restart_with_space_continues"
);
/// Set in a process that has its own mount namespace.
const INSIDE: &str = "TOCSIN_TEST_HAS_OWN_MOUNTS";
/// The small disk, in bytes.
const DISK_BYTES: u64 = 4 * FREE_BYTES_MIN;
/// Free bytes above the minimum once the disk has been filled.
const LEFT_BYTES: u64 = 256 * 1_024;
/// Most alerts that are sent until the disk is full.
const ALERTS_MAX: usize = 20_000;
const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// A small temporary file system; unmounted when dropped.
struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// # Errors
    /// When this machine does not allow mounts.
    fn mount(at: PathBuf) -> Result<Self, String> {
        fs::create_dir(&at).unwrap();
        let size = format!("size={DISK_BYTES}");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(&at)
            .output();
        match mount {
            Ok(output) if output.status.success() => Ok(Self { at }),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(format!("cannot start `mount`: {error}")),
        }
    }

    fn free(&self) -> u64 {
        let output = Command::new("df")
            .args(["--output=avail", "--block-size=1"])
            .arg(&self.at)
            .output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        text.lines().nth(1).unwrap().trim().parse().unwrap()
    }

    /// Fills it with a file until only `left` bytes are free.
    fn fill(&self, left: u64) -> PathBuf {
        let path = self.at.join("somebody-elses.log");
        let mut file = File::create(&path).unwrap();
        let piece = vec![b'x'; 64 * 1_024];
        while self.free() > left + u64::try_from(piece.len()).unwrap() {
            file.write_all(&piece).unwrap();
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // If this fails, removing the temporary folder reports it.
        let _unmounted = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

/// Runs this test again in a namespace that allows mounts; skips it if that is forbidden.
fn once_more_with_own_mounts(why: &str) {
    let inside = |program: &std::ffi::OsStr| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount"]);
        command.arg(program).env(INSIDE, "1");
        command
    };
    let can = inside("true".as_ref()).output();
    if std::env::var_os(INSIDE).is_some() || !can.is_ok_and(|it| it.status.success()) {
        skip::skipped(TEST, &format!("cannot mount a small disk: {why}"));
        return;
    }
    let this = std::env::current_exe().unwrap();
    let again = inside(this.as_os_str())
        .args(["--exact", NAME, "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    let why = String::from_utf8_lossy(&again.stderr);
    assert!(said.contains("1 passed"), "{said}{why}");
}

/// Sends one alert; returns its response, or `None` if the connection ended without one.
async fn send(program: &Program, token: &str, title: &str) -> Option<(StatusCode, Value)> {
    let body = json!({ "title": title, "dedup_key": title, "summary": "x".repeat(1_500) });
    let asked = reqwest::Client::new()
        .post(format!("{}/ingest/any", program.url))
        .bearer_auth(token)
        .json(&body);
    let answer = asked.send().await.ok()?;
    let status = answer.status();
    Some((status, answer.json().await.ok()?))
}

fn stored(data: &Path) -> usize {
    let store = SledStore::open(data).unwrap();
    store
        .rows(Table::Alert, "", None, ALERTS_MAX)
        .unwrap()
        .len()
}

#[tokio::test]
async fn a_full_disk_stops_the_daemon_with_a_reason_and_a_restart_with_space_continues() {
    let mut home = super::home();
    let disk = match SmallDisk::mount(home.path().join("disk")) {
        Ok(disk) => disk,
        Err(why) => return once_more_with_own_mounts(&why),
    };
    home.data = disk.at.join("data");
    let mut program = home.start(free_port().unwrap()).await.unwrap();
    let token = program.token("ingest", Some("any")).await.unwrap();
    let (status, answer) = send(&program, &token, "before").await.unwrap();
    assert_eq!(status, 202, "{answer}");

    let filling = disk.fill(FREE_BYTES_MIN + LEFT_BYTES);
    let mut taken = 1;
    let refusal = loop {
        assert!(taken < ALERTS_MAX, "the disk does not fill up");
        match send(&program, &token, &format!("a{taken}")).await {
            Some((status, _)) if status == 202 => taken += 1,
            other => break other,
        }
    };
    let (status, answer) = refusal.expect("the alert without disk space got no response");
    assert_eq!(status, 503, "{answer}");
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains(&*home.data.to_string_lossy()), "{detail}");
    assert!(detail.contains("free space there"), "{detail}");

    let ended = wait::until("its end", ENDS_WITHIN, async || program.process.ended());
    let ended = ended.await.unwrap();
    assert_eq!(ended.code(), Some(1));
    let said = program.log();
    let last = said.lines().last().unwrap();
    assert!(last.contains("free space there"), "{said}");

    // Without free space a start fails at once, with the same message.
    let mut again = home.spawn(free_port().unwrap()).unwrap();
    let ended = wait::until("its end", ENDS_WITHIN, async || again.process.ended());
    assert_eq!(ended.await.unwrap().code(), Some(1));
    assert!(again.log().contains("free space there"));

    fs::remove_file(filling).unwrap();
    let mut program = home.start(free_port().unwrap()).await.unwrap();
    let (status, answer) = send(&program, &token, "after").await.unwrap();
    assert_eq!(status, 202, "{answer}");
    program.process.kill();
    assert_eq!(stored(&home.data), taken + 1, "an accepted alert is lost");
}
