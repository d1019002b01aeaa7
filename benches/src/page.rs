//! The time from the response to an alert until the plugin's first request, at a thousand alerts
//! per second. Four per second open a new incident, which pages somebody and creates a war room;
//! the others join ten open incidents. The daemon is the release build with its store on disk and
//! the Slack plugin; the fake Slack is on loopback.

mod slack;

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::door;
use crate::figure::{Bound, Figure};
use crate::paths;
use crate::program::Program;
use slack::{Request, Slack};

const SECONDS: u64 = 25;
/// Alerts per second that open an incident.
const OPENING: u64 = 4;
/// Alerts per second that join one, shared by all connections.
const JOINING: u64 = 996;
const CONNECTIONS: u64 = 12;
/// Incidents that are open before the measurement.
const SERVICES: u64 = 10;
/// Time for pending work to finish.
const REST: Duration = Duration::from_secs(3);

/// Measures the figures.
pub(crate) fn run() -> Result<Vec<Figure>> {
    let slack = Slack::start()?;
    let (server, token) = daemon(&slack)?;
    let sender = Sender {
        address: &server.address,
        token: &token,
    };
    let mut first = sender.connect()?;
    for service in 0..SERVICES {
        first.post(&joining(service))?;
    }
    thread::sleep(REST);
    let joined = AtomicU64::new(0);
    let began = Instant::now();
    let answered = thread::scope(|scope| {
        for lane in 0..CONNECTIONS {
            let (sender, joined) = (&sender, &joined);
            scope.spawn(move || {
                if let Err(error) = join(sender, lane, began, joined) {
                    eprintln!("a sender failed: {error:#}");
                }
            });
        }
        open(&mut first, began)
    })?;
    thread::sleep(REST);
    let joined = joined.load(Ordering::Relaxed);
    let offered = JOINING * SECONDS;
    let per_second = (joined + answered.len() as u64) / SECONDS;
    eprintln!(
        "{per_second} alerts per second were accepted, {} opened an incident",
        answered.len()
    );
    ensure!(
        joined * 100 >= offered * 99,
        "only {joined} of {offered} alerts were accepted"
    );
    let requests = slack.requests();
    let delays = answered
        .iter()
        .enumerate()
        .map(|(n, at)| delay(n as u64, *at, &requests));
    let mut delays: Vec<f64> = delays
        .collect::<Result<_>>()
        .with_context(|| server.process.output())?;
    delays.sort_by(f64::total_cmp);
    let at = |percent: usize| delays[(delays.len() * percent / 100).min(delays.len() - 1)];
    let what = |which| format!("alert answered → the plugin's first request, {which}");
    Ok(vec![
        Figure::alone(&what("p50"), at(50), "ms", Bound::Most(5.0)),
        Figure::alone(&what("p99"), at(99), "ms", Bound::Most(50.0)),
    ])
}

/// The delay in milliseconds from the response to an alert until the first request that names the
/// person whom its incident pages, or the service in its war room's name.
fn delay(n: u64, answered: Instant, requests: &[Request]) -> Result<f64> {
    let (user, service) = (user(n), fresh_service(n));
    let its = requests
        .iter()
        .find(|(_, body)| body.contains(&user) || body.contains(&service));
    let (at, _) = its.with_context(|| format!("no request came for {service}"))?;
    // A page may be sent before the alert's sender has read its response.
    Ok(at.saturating_duration_since(answered).as_secs_f64() * 1e3)
}

/// Opens incidents at an even pace; returns when each got its response.
fn open(connection: &mut Connection, began: Instant) -> Result<Vec<Instant>> {
    let mut answered = Vec::new();
    for n in 0..SECONDS * OPENING {
        sleep_until(began + Duration::from_micros(n * 1_000_000 / OPENING));
        connection.post(&opening(n))?;
        answered.push(Instant::now());
    }
    Ok(answered)
}

/// Sends one connection's share of the joining alerts, each at its time or as soon as possible.
fn join(sender: &Sender<'_>, lane: u64, began: Instant, joined: &AtomicU64) -> Result<()> {
    let mut connection = sender.connect()?;
    for n in (0..SECONDS * JOINING).filter(|n| n % CONNECTIONS == lane) {
        sleep_until(began + Duration::from_micros(n * 1_000_000 / JOINING));
        connection.post(&joining(n + SERVICES))?;
        joined.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn sleep_until(at: Instant) {
    thread::sleep(at.saturating_duration_since(Instant::now()));
}

fn user(n: u64) -> String {
    format!("U0BENCH{n:04}")
}

fn fresh_service(n: u64) -> String {
    format!("fresh-{n:04}")
}

fn joining(n: u64) -> String {
    alert(n, &format!("service-{}", n % SERVICES), "first")
}

fn opening(n: u64) -> String {
    alert(n, &fresh_service(n), &format!("team-{n}"))
}

fn alert(n: u64, service: &str, team: &str) -> String {
    let labels = json!({
        "alertname": "HighErrorRate",
        "severity": "critical",
        "service": service,
        "team": team,
        "namespace": "shop",
        "job": service,
        "environment": "production",
        "instance": format!("10.0.{}.{}:9090", n / 256, n % 256),
        "pod": format!("{service}-{n:08x}"),
    });
    let annotations = json!({ "summary": format!("5 % of the requests to {service} fail") });
    json!([{ "labels": labels, "annotations": annotations }]).to_string()
}

/// A daemon with the Slack plugin, and a person to page for each incident that will open.
fn daemon(slack: &Slack) -> Result<(Program, String)> {
    let plugin = paths::target().join("plugins").join("slack");
    ensure!(
        plugin.is_dir(),
        "the Slack plugin is not built; run `cargo xtask plugins`"
    );
    door::tocsin(|home| {
        fs::write(home.join("secret"), "a secret of a benchmark")?;
        let file = home.join("tocsin.toml");
        let text = fs::read_to_string(&file)? + &more_config(&plugin, &slack.address)?;
        Ok(fs::write(file, text)?)
    })
}

fn more_config(plugin: &Path, slack: &str) -> Result<String> {
    let mut text = format!(
        "\n[plugins.slack]\n\
         path = {plugin:?}\n\
         settings = {{ base-url = \"http://{slack}/api\" }}\n\
         secrets = {{ bot-token = {{ file = \"secret\" }}, \
         signing-secret = {{ file = \"secret\" }} }}\n\
         grant = {{ http = [\"*\"], webhook = [\"*\"], schedule = [\"*\"], commands = [\"*\"], \
         events = [\"*\"] }}\n\
         limits = {{ http-per-min = 240 }}\n\
         allow-networks = [\"loopback\"]\n"
    );
    let teams = (0..SECONDS * OPENING).map(|n| (format!("team-{n}"), user(n)));
    for (team, user) in teams.chain([("first".to_owned(), "U0FIRST".to_owned())]) {
        write!(
            text,
            "[people.{team}]\nname = \"{team}\"\n\
             contacts = [{{ kind = \"slack\", address = \"{user}\" }}]\n\
             [teams.{team}]\nname = \"{team}\"\nrotation = \"{team}\"\n\
             [rotations.{team}]\ntimezone = \"UTC\"\n\
             layers = [{{ people = [\"{team}\"], handover = \"monday 09:00\", \
             every = \"1 week\", start = \"2026-01-05\" }}]\n"
        )?;
    }
    Ok(text)
}

/// Where alerts are sent, and with which token.
struct Sender<'a> {
    address: &'a str,
    token: &'a str,
}

impl Sender<'_> {
    fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        let head = format!(
            "POST /api/v2/alerts HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\n",
            self.address, self.token
        );
        Ok(Connection { stream, head })
    }
}

/// A keep-alive connection.
struct Connection {
    stream: TcpStream,
    head: String,
}

impl Connection {
    /// Posts, and returns once the response is complete.
    fn post(&mut self, body: &str) -> Result<()> {
        let length = body.len();
        let request = format!("{}content-length: {length}\r\n\r\n{body}", self.head);
        self.stream.write_all(request.as_bytes())?;
        let mut answer = [0; 4096];
        let read = self.stream.read(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer[..read]);
        ensure!(
            answer.starts_with("HTTP/1.1 200"),
            "an alert got the response {answer}"
        );
        Ok(())
    }
}
