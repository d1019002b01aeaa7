//! The alert endpoint compared with Debian's Alertmanager, under Debian's wrk: 32 connections, one
//! distinct alert per request. tocsin responds once the alert is on disk, Alertmanager once it is
//! in memory. Rounds alternate, each with fresh servers, so that other load affects both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde::Deserialize;

use crate::figure::{Bound, Figure, median};
use crate::program::{Program, free_address};
use crate::{debian, paths};

const ROUNDS: usize = 3;
const ROUND_SECONDS: u32 = 8;
const CONNECTIONS: u32 = 32;
/// Time for pending work to finish before memory is measured.
const REST: Duration = Duration::from_secs(2);
const SCRIPT: &str = include_str!("door/post.lua");
/// Grouping as in Alertmanager's documentation; a receiver that sends nothing.
const ALERTMANAGER: &str = "\
route: { receiver: nobody, group_by: [alertname, service], group_wait: 30s, group_interval: 5m }
receivers: [{ name: nobody }]
";

/// wrk's results of one round.
#[derive(Debug, Deserialize)]
struct Round {
    requests: f64,
    /// Duration in microseconds.
    micros: f64,
    /// Latencies, in microseconds.
    p50: f64,
    p99: f64,
    refused: f64,
    broken: f64,
    /// Resident memory that each active alert added, in bytes.
    #[serde(default)]
    bytes_per_alert: f64,
}

impl Round {
    fn accepted_per_second(&self) -> f64 {
        (self.requests - self.refused) / (self.micros / 1e6)
    }
}

/// Debian's wrk, and the folder of the library that it needs.
struct Wrk {
    program: PathBuf,
    libraries: PathBuf,
}

impl Wrk {
    fn get() -> Result<Self, String> {
        Ok(Self {
            program: debian::program("wrk", "wrk")?,
            libraries: debian::libraries("libluajit-5.1-2")?,
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("LD_LIBRARY_PATH", &self.libraries);
        command
    }
}

/// Measures the figures.
pub(crate) fn run() -> Result<Vec<Figure>> {
    let wrk = Wrk::get().map_err(|why| anyhow!(why))?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let their = their_round(&wrk).context("Alertmanager")?;
        print(round, "Alertmanager", &their);
        theirs.push(their);
        let our = our_round(&wrk).context("tocsin")?;
        print(round, "tocsin", &our);
        ours.push(our);
    }
    let figure = |what, unit, scale: f64, bound, of: fn(&Round) -> f64| {
        let middle = |rounds: &[Round]| median(rounds.iter().map(of).collect()) * scale;
        Figure::ratio(what, middle(&ours), middle(&theirs), unit, bound)
    };
    Ok(vec![
        figure(
            "alerts accepted",
            "/s",
            1.0,
            Bound::Least(1.2),
            Round::accepted_per_second,
        ),
        figure(
            "answers to alerts, p99",
            "ms",
            1e-3,
            Bound::Most(0.7),
            |it| it.p99,
        ),
        figure(
            "memory per active alert",
            "B",
            1.0,
            Bound::Most(0.25),
            |it| it.bytes_per_alert,
        ),
    ])
}

fn print(round: usize, who: &str, it: &Round) {
    eprintln!(
        "round {round}: {who:<12} {:>6.0} accepted/s, p50 {:>6.2} ms, p99 {:>7.2} ms, \
         {:>5.0} B per active alert, {} refused, {} broken",
        it.accepted_per_second(),
        it.p50 / 1e3,
        it.p99 / 1e3,
        it.bytes_per_alert,
        it.refused,
        it.broken,
    );
}

fn their_round(wrk: &Wrk) -> Result<Round> {
    let name = "prometheus-alertmanager";
    let program = debian::program(name, name).map_err(|why| anyhow!(why))?;
    let mut command = debian::with_its_data(&program).map_err(|why| anyhow!(why))?;
    let (dir, address) = (paths::fresh_dir()?, free_address()?);
    let config = dir.path().join("alertmanager.yml");
    fs::write(&config, ALERTMANAGER)?;
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.path={}",
            dir.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"))
        .arg("--cluster.listen-address=");
    let server = Program::start(&mut command, dir, address, "/-/ready")?;
    // Its own count has only alerts that it has dispatched, and its groups wait for half a minute.
    under_load(wrk, &server, "", Ok)
}

fn our_round(wrk: &Wrk) -> Result<Round> {
    let (server, token) = tocsin(|_| Ok(()))?;
    let admin = fs::read_to_string(server.process.dir().join("oncall/data/admin.token"))?;
    let active = |_| server.metric("tocsin_alerts_firing", admin.trim());
    under_load(wrk, &server, &token, active)
}

/// A daemon set up by `tocsin init` and then by `change`, which gets the configuration's folder;
/// and a token for its integration `prometheus`.
pub(crate) fn tocsin(change: impl FnOnce(&Path) -> Result<()>) -> Result<(Program, String)> {
    let program = paths::release("tocsin")?;
    let (dir, address) = (paths::fresh_dir()?, free_address()?);
    let home = dir.path().join("oncall");
    run_to_end(Command::new(&program).arg("init").arg(&home))?;
    change(&home)?;
    let mut command = Command::new(&program);
    command
        .arg("serve")
        .arg("--config")
        .arg(home.join("tocsin.toml"))
        .args(["--listen", &address]);
    let server = Program::start(&mut command, dir, address, "/readyz")?;
    let token = token(&program, &home, &server.address)?;
    Ok((server, token))
}

/// A token for the integration `prometheus` of `tocsin init`.
fn token(program: &Path, home: &Path, address: &str) -> Result<String> {
    let mut command = Command::new(program);
    command
        .args(["token", "create", "--integration", "prometheus"])
        .args(["--url", &format!("http://{address}")])
        .arg("--token-file")
        .arg(home.join("data/admin.token"));
    Ok(run_to_end(&mut command)?.trim().to_owned())
}

/// One round; `active` returns the number of active alerts, given that of accepted ones.
fn under_load(
    wrk: &Wrk,
    server: &Program,
    token: &str,
    active: impl Fn(f64) -> Result<f64>,
) -> Result<Round> {
    let script: PathBuf = server.process.dir().join("post.lua");
    fs::write(&script, SCRIPT)?;
    let before = server.resident_bytes()?;
    let mut command = wrk.command();
    command
        .args(["--threads", "1", "--connections", &CONNECTIONS.to_string()])
        .args(["--duration", &format!("{ROUND_SECONDS}s"), "--script"])
        .arg(&script)
        .arg(format!("http://{}", server.address))
        .arg("--")
        .arg(token);
    let output = run_to_end(&mut command)?;
    thread::sleep(REST);
    let mut round: Round = serde_json::from_str(output.lines().last().unwrap_or_default())?;
    let accepted = round.requests - round.refused;
    let active = active(accepted)?;
    ensure!(
        active >= accepted,
        "{accepted} alerts were accepted, but only {active} are active:\n{}",
        server.process.output()
    );
    round.bytes_per_alert = (server.resident_bytes()? - before) / active;
    Ok(round)
}

fn run_to_end(command: &mut Command) -> Result<String> {
    let output = debian::run(command).map_err(|why| anyhow!(why))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
