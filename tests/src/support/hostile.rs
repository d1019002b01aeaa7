//! Hostile plugins, as folders that the daemon can load, and the measurement of an endpoint's
//! latency.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use tocsin_plugin_host::guests::{Guest, Request, SPIN, TRAP};

use super::program::Home;

/// What a hostile plugin does in every event, webhook and schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hostile {
    /// Never ends.
    Spinner,
    /// Allocates memory until it gets no more.
    Hoarder,
    Breaker,
    /// Floods the log, and queues a hundred jobs, each of which queues a hundred more.
    Flooder,
    /// Waits for a server that never responds.
    Hanger,
}

/// All events that a plugin can subscribe to here.
const EVENTS: &[&str] = &[
    "incident-opened",
    "incident-changed",
    "log-added",
    "page",
    "job",
];

/// Grows its memory until it gets no more, touches all of it, and gives up.
const HOARD: &str = "(loop $l
    (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
    (br $l)) unreachable";

/// Three thousand lines and a hundred jobs.
const FLOOD: &str = "(loop $l
    (call $log_write (i32.const 2) (i32.const 900) (i32.const 5) (i32.const 0) (i32.const 0))
    (if (i32.lt_u (global.get $flood) (i32.const 100))
      (then (call $jobs_enqueue (i32.const 900) (i32.const 5) (i32.const 912) (i32.const 2)
        (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1536))))
    (global.set $flood (i32.add (global.get $flood) (i32.const 1)))
    (br_if $l (i32.lt_u (global.get $flood) (i32.const 3000))))";

impl Hostile {
    pub const ALL: [Self; 5] = [
        Self::Spinner,
        Self::Hoarder,
        Self::Breaker,
        Self::Flooder,
        Self::Hanger,
    ];

    /// Its id, which is also the kind of contact that it declares.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Spinner => "spinner",
            Self::Hoarder => "hoarder",
            Self::Breaker => "breaker",
            Self::Flooder => "flooder",
            Self::Hanger => "hanger",
        }
    }

    /// Installs it in a home, and returns its section of the configuration. Its webhook takes the
    /// token `token`; `hanging` is the URL of a server that never responds.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn install(self, home: &Home, token: &str, hanging: &str) -> std::io::Result<String> {
        let id = self.id();
        home.write(
            &format!("{id}/plugin.wasm"),
            self.guest(hanging).component(),
        )?;
        home.write(&format!("{id}/plugin.toml"), manifest(id, hanging))?;
        home.write(&format!("{id}/token"), token)?;
        Ok(format!(
            "[plugins.{id}]\npath = \"{id}\"\nsecrets = {{ token = {{ file = \"{id}/token\" }} }}\n\
             grant = {{ http = [\"*\"], webhook = [\"*\"], schedule = [\"*\"], \
             commands = [\"*\"], events = [\"*\"] }}\nallow-networks = [\"loopback\"]\n"
        ))
    }

    fn guest(self, hanging: &str) -> Guest {
        let quiet = Guest::default();
        let mut guest = match self {
            Self::Spinner => everywhere(SPIN),
            Self::Hoarder => everywhere(HOARD),
            Self::Breaker => everywhere(TRAP),
            Self::Flooder => Guest {
                on_event: format!("{FLOOD} {}", quiet.on_event),
                on_webhook: format!("{FLOOD} {}", quiet.on_webhook),
                on_schedule: format!("{FLOOD} {}", quiet.on_schedule),
                more: "(global $flood (mut i32) (i32.const 0))".to_owned(),
                ..Guest::default()
            },
            Self::Hanger => {
                let hangs = Guest::default().sends(&Request {
                    method: "GET",
                    url: hanging,
                    ..Request::default()
                });
                Guest {
                    on_schedule: hangs.on_event.clone(),
                    ..hangs
                }
            }
        };
        guest.describes(self.id(), "0.1.0", EVENTS);
        guest.put(900, b"flood");
        guest.put(912, b"{}");
        guest
    }
}

fn everywhere(body: &str) -> Guest {
    Guest {
        on_event: body.to_owned(),
        on_webhook: body.to_owned(),
        on_schedule: body.to_owned(),
        health: body.to_owned(),
        ..Guest::default()
    }
}

fn manifest(id: &str, hanging: &str) -> String {
    let origin = hanging.trim_end_matches('/');
    format!(
        "schema = 1\nid = \"{id}\"\nversion = \"0.1.0\"\nname = \"{id}\"\nevents = {EVENTS:?}\n\
         contacts = [\"{id}\"]\n\
         [[secret]]\nname = \"token\"\n\
         [[http]]\nname = \"far\"\norigin = \"{origin}\"\npaths = [\"*\"]\nmethods = [\"GET\"]\n\
         [[webhook]]\nroute = \"in\"\nmethods = [\"POST\"]\n\
         verify = {{ scheme = \"gitlab-token\", secret = \"token\" }}\n\
         [[schedule]]\nname = \"often\"\ncron = \"* * * * *\"\n"
    )
}

/// A server that accepts connections but never responds, and its URL.
///
/// # Errors
/// When no port is available.
pub fn hanging_server() -> std::io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let url = format!("http://{}/", listener.local_addr()?);
    Ok((listener, url))
}

/// The latencies of an endpoint.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// The quantile of the latencies, e.g. of `0.99`.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        reason = "a few thousand samples"
    )]
    pub fn quantile(&self, part: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        let at = (last as f64 * part).ceil() as usize;
        sorted.get(at.min(last)).copied().unwrap_or_default()
    }

    /// The number of samples.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Requests an endpoint repeatedly, `pause` apart, while `goes_on`.
///
/// # Errors
/// When it does not return success.
pub async fn sample(
    url: &str,
    pause: Duration,
    mut goes_on: impl FnMut(usize) -> bool,
) -> Result<Latencies, String> {
    let client = reqwest::Client::new();
    let mut taken = Latencies::default();
    while goes_on(taken.count()) {
        let began = Instant::now();
        let answer = client.get(url).send().await;
        let answer = answer.map_err(|error| format!("{url}: {error}"))?;
        if !answer.status().is_success() {
            return Err(format!("{url} returned {}", answer.status()));
        }
        taken.0.push(began.elapsed());
        tokio::time::sleep(pause).await;
    }
    Ok(taken)
}
