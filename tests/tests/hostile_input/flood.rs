//! Many distinct alerts at once, posted to the program as Prometheus does. `cargo xtask flood`
//! sends 100,000 to a release build and also checks its times.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tocsin_store::{SledStore, Store, Table};
use tocsin_tests::skip;
use tocsin_tests::support::free_port;

/// Alerts of the ordinary test.
const ALERTS: usize = 10_000;
/// Alerts per post: Prometheus sends at most this many.
const POST_ALERTS: usize = 64;
/// Concurrent connections.
const SENDERS: usize = 8;
/// Services of the alerts, which is also the number of incidents.
const SERVICES: usize = 20;
/// Limit on the events of an incident, however many alerts it has.
const EVENTS_PER_INCIDENT_MAX: u64 = 200;
/// Memory limit of the program in KiB: a base, …
const BASE_KIB_MAX: u64 = 200 * 1_024;
/// … and an amount per alert, in KiB. Measured: 96 MiB for 10,000 and 163 MiB for 100,000.
const ALERT_KIB_MAX: u64 = 2;
/// Attempts per post, …
const TRIES_MAX: usize = 1_000;
/// … and the delay before the next.
const RETRY_DELAY: Duration = Duration::from_millis(10);
/// The interval of requests to `/healthz`.
const HEALTH_EVERY: Duration = Duration::from_millis(10);
/// Limits of `cargo xtask flood`: all alerts are accepted within this time, …
const ACCEPTED_WITHIN: Duration = Duration::from_secs(10);
/// … while the 99th percentile of `/healthz` stays below this.
const HEALTH_P99_MAX: Duration = Duration::from_millis(100);

/// A keep-alive connection.
struct Asker {
    stream: BufReader<TcpStream>,
}

impl Asker {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Sends a request and returns the response's status.
    fn ask(&mut self, request: &[u8]) -> u16 {
        self.stream.get_mut().write_all(request).unwrap();
        let mut status = String::new();
        self.stream.read_line(&mut status).unwrap();
        let mut length = 0;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            if let Some(text) = line.strip_prefix("content-length: ") {
                length = text.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        status.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Retries a post until it is accepted, as Prometheus does; returns how often it was rejected.
    fn deliver(&mut self, post: &[u8]) -> usize {
        for tries in 0..TRIES_MAX {
            match self.ask(post) {
                200 => return tries,
                503 => thread::sleep(RETRY_DELAY),
                other => panic!("a post got status {other}"),
            }
        }
        panic!("a post was rejected {TRIES_MAX} times")
    }
}

/// The alerts from `first` on, as one post of Prometheus.
fn post(first: usize, count: usize, token: &str) -> Vec<u8> {
    let alert = |number: usize| {
        let (net, subnet, host) = (number >> 16, number >> 8 & 255, number & 255);
        json!({
            "labels": {
                "alertname": "InstanceDown",
                "severity": "critical",
                "service": format!("service-{}", number % SERVICES),
                "instance": format!("10.{net}.{subnet}.{host}:9100"),
            },
            "annotations": { "summary": format!("instance {number} does not answer") },
            "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up+%3D%3D+0",
        })
    };
    let body = serde_json::to_string(&(first..first + count).map(alert).collect::<Vec<_>>());
    let body = body.unwrap();
    format!(
        "POST /api/v2/alerts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The result of a flood.
struct Flood {
    took: Duration,
    /// Number of 503 responses.
    turned_away: usize,
    /// Latencies of `/healthz`, sorted.
    health: Vec<Duration>,
}

fn flood(address: &str, token: &str, alerts: usize) -> Flood {
    let posts: Vec<Vec<u8>> = (0..alerts)
        .step_by(POST_ALERTS)
        .map(|first| post(first, POST_ALERTS.min(alerts - first), token))
        .collect();
    let (next, over, turned_away) = (
        AtomicUsize::new(0),
        AtomicBool::new(false),
        AtomicUsize::new(0),
    );
    let began = Instant::now();
    thread::scope(|threads| {
        let health = threads.spawn(|| {
            let mut times = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let asked = Instant::now();
                let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
                assert_eq!(Asker::connect(address).ask(request), 200, "/healthz");
                times.push(asked.elapsed());
                thread::sleep(HEALTH_EVERY);
            }
            times
        });
        let send = || {
            let mut sender = Asker::connect(address);
            while let Some(post) = posts.get(next.fetch_add(1, Ordering::Relaxed)) {
                turned_away.fetch_add(sender.deliver(post), Ordering::Relaxed);
            }
        };
        let senders: Vec<_> = (0..SENDERS).map(|_| threads.spawn(send)).collect();
        senders.into_iter().for_each(|it| it.join().unwrap());
        let took = began.elapsed();
        over.store(true, Ordering::Relaxed);
        let mut health = health.join().unwrap();
        health.sort_unstable();
        Flood {
            took,
            turned_away: turned_away.load(Ordering::Relaxed),
            health,
        }
    })
}

/// How many alerts are stored, how many incidents' histories, and the events of the longest.
fn stored(data: &Path) -> (usize, usize, u64) {
    let store = SledStore::open(data).unwrap();
    let (mut alerts, mut after) = (0, None);
    loop {
        let page = store.rows(Table::Alert, "", after.as_deref(), 1_000);
        let page = page.unwrap();
        alerts += page.len();
        match page.into_iter().next_back() {
            Some((key, _)) => after = Some(key),
            None => break,
        }
    }
    let streams = store.streams(None, 1_000).unwrap();
    let longest = streams.iter().map(|it| it.1).max().unwrap_or(0);
    (alerts, streams.len(), longest)
}

#[tokio::test]
async fn a_flood_of_alerts_is_accepted_completely_and_within_limits() {
    let wanted = env::var("TOCSIN_FLOOD_ALERTS").ok();
    let alerts = wanted.as_ref().map_or(ALERTS, |it| it.parse().unwrap());
    let mut home = super::home();
    if let Some(program) = env::var_os("TOCSIN_FLOOD_PROGRAM") {
        home.program = program.into();
    }
    let mut running = home.start(free_port().unwrap()).await.unwrap();
    let token = running.token("ingest", Some("prometheus")).await.unwrap();
    let address = running.url.trim_start_matches("http://").to_owned();

    let flood = tokio::task::spawn_blocking(move || flood(&address, &token, alerts));
    let flood = flood.await.unwrap();
    let (peak, computed) = (running.process.peak_kib(), running.process.computed());
    // Everything that was accepted must survive this.
    running.process.kill();
    let (found, incidents, longest) = stored(&home.data);

    let seconds = flood.took.as_secs_f64();
    let at = |percent: usize| flood.health[(flood.health.len() - 1) * percent / 100];
    let (p50, p99) = (at(50), at(99));
    println!(
        "{alerts} alerts in {seconds:.1} s, {:.0} per second; {} posts were rejected and retried; \
         {incidents} incidents, the longest history has {longest} events; peak {} MiB, \
         {:.1} s of CPU time; \
         /healthz {} times, p50 {p50:?}, p99 {p99:?}, at most {:?}",
        f64::from(u32::try_from(alerts).unwrap()) / seconds,
        flood.turned_away,
        peak.unwrap_or(0) / 1_024,
        computed.unwrap_or_default().as_secs_f64(),
        flood.health.len(),
        at(100),
    );
    assert_eq!(found, alerts, "an accepted alert is not stored");
    assert_eq!(incidents, SERVICES);
    assert!(longest <= EVENTS_PER_INCIDENT_MAX, "{longest} events");
    match peak {
        Some(kib) => {
            let most = BASE_KIB_MAX + ALERT_KIB_MAX * u64::try_from(alerts).unwrap();
            assert!(kib <= most, "{kib} KiB were resident, over {most}");
        }
        None => skip::skipped(
            "a flood's memory",
            "/proc does not report it on this system",
        ),
    }
    if wanted.is_some() {
        assert!(flood.took <= ACCEPTED_WITHIN, "it took {seconds:.1} s");
        assert!(p99 <= HEALTH_P99_MAX, "/healthz took {p99:?}");
    }
}
