//! The whole daemon with plugins that spin, allocate, trap, flood and hang in every event, webhook
//! and schedule, and with a policy that never ends: every page arrives, the Slack plugin opens its
//! war rooms, and the daemon responds.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tocsin::standin::slack::{Member, Setup, SlackStandIn};

use tocsin_plugin_host::capability::jobs::{JOBS_PER_CALL, JOBS_WAITING_MAX};
use tocsin_store::{Class, SledStore, Store};
use tocsin_tests::scenario::Relay;
use tocsin_tests::support::{Home, Hostile, Latencies, Program, config};
use tocsin_tests::support::{hanging_server, sample};
use tocsin_tests::wait::until;
use tocsin_tests::{paths, skip};

const INCIDENTS: usize = 8;
/// Generous, because only the arrival matters.
const PAGED_WITHIN: Duration = Duration::from_secs(60);
/// Responses of `/healthz` for each percentile.
const SAMPLES: usize = 300;
/// The ratio of loaded to idle latency is only printed, as a benchmark; this limit detects a daemon
/// that is blocked.
const HEALTHZ_P99_MAX: Duration = Duration::from_millis(250);
/// Floods of log lines are reduced to a count, but the webhooks are logged one by one.
const LOG_BYTES_MAX: usize = 20 << 20;
const TOKEN: &str = "token-of-the-senders";

/// Each of the pages is a message through up to four contacts. What a person gets is limited, so
/// that more than a few messages would come minutes later.
const ADDITIONS: &str = r#"
[policy]
path = "policies"
[escalation]
contact-wait = "2s"
bundle-window = "10s"
pages-max = 20
[people.ada]
contacts = [
    { kind = "spinner", address = "ada" },
    { kind = "hanger", address = "ada" },
    { kind = "slack", address = "U0ADA" },
    { kind = "email", address = "ada@x.org" },
]
"#;
/// Grading never ends; escalation still works.
const GRADING: &str = "fn grade(incident, alert) { loop { } }\n";
const ESCALATION: &str = "fn escalate(incident) {
    #{ steps: [#{ page: person(\"ada\"), wait: minutes(5) }], reason: \"it is Ada's\" }
}\n";

/// No title is a prefix of another.
fn title(number: usize) -> String {
    format!("Down{number}Hard")
}

struct TestDaemon {
    home: Home,
    program: Program,
    slack: SlackStandIn,
    relay: Relay,
    sender: String,
    hanging: std::net::TcpListener,
}

impl TestDaemon {
    /// A daemon with the Slack plugin and every hostile one; `None` if the former is not built.
    async fn start(test: &str) -> Option<Self> {
        let plugin = skip::slack_plugin(test)?;
        let slack = SlackStandIn::start(Setup::of(vec![Member::new("U0ADA", "Ada")])).unwrap();
        let relay = Relay::start(["ada@x.org".to_owned()].into()).await.unwrap();
        let (hanging, hanging_url) = hanging_server().unwrap();
        let home = Home::new().unwrap();
        let install = |it: Hostile| it.install(&home, TOKEN, &hanging_url).unwrap();
        let more = [
            &*config::mail(relay.port()),
            ADDITIONS,
            &slack.install(home.path(), &plugin).unwrap(),
            &Hostile::ALL.map(install).concat(),
        ];
        let routing = std::fs::read(paths::root().join("policies/routing.rhai")).unwrap();
        home.write("policies/routing.rhai", routing).unwrap();
        home.write("policies/grading.rhai", GRADING).unwrap();
        home.write("policies/escalation.rhai", ESCALATION).unwrap();
        let program = home.open(&more).await.unwrap();
        let sender = program.token("ingest", Some("prometheus")).await.unwrap();
        let daemon = Self {
            home,
            program,
            slack,
            relay,
            sender,
            hanging,
        };
        daemon.assert_all_loaded().await;
        Some(daemon)
    }

    /// Asserts that every hostile plugin is loaded.
    async fn assert_all_loaded(&self) {
        let answer = self.program.show("plugins").await.unwrap().unwrap();
        assert_eq!(answer["faults"], json!([]));
        let loaded = answer["plugins"].as_array().unwrap();
        let loaded: Vec<_> = loaded.iter().map(|it| it["id"].clone()).collect();
        for hostile in Hostile::ALL {
            assert!(
                loaded.contains(&json!(hostile.id())),
                "{hostile:?}: {answer}"
            );
        }
    }

    /// Whether somebody connected to the server that never responds.
    fn hung(&self) -> bool {
        self.hanging.set_nonblocking(true).unwrap();
        self.hanging.accept().is_ok()
    }

    async fn fire(&self, number: usize) {
        let alerts = json!([{ "labels": {
            "alertname": title(number), "severity": "critical", "service": title(number),
        } }]);
        let asked = reqwest::Client::new()
            .post(format!("{}/api/v2/alerts", self.program.url))
            .bearer_auth(&self.sender)
            .json(&alerts);
        assert_eq!(asked.send().await.unwrap().status().as_u16(), 200);
    }

    /// Sends webhooks to every hostile plugin until `stop`; each gets a response, even if an error.
    fn bombard(&self, stop: &Arc<AtomicBool>) -> Vec<tokio::task::JoinHandle<usize>> {
        let one = |hostile: Hostile| {
            let url = format!("{}/hooks/{}/in", self.program.url, hostile.id());
            let stop = Arc::clone(stop);
            tokio::spawn(async move {
                let client = reqwest::Client::new();
                let mut answered = 0;
                while !stop.load(Ordering::Relaxed) {
                    let asked = client.post(&url).header("x-gitlab-token", TOKEN);
                    let asked = asked.body(format!("number {answered}"));
                    let answer = asked.send().await.unwrap();
                    assert_ne!(answer.status().as_u16(), 401);
                    answered += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                answered
            })
        };
        Hostile::ALL.into_iter().map(one).collect()
    }

    /// How many incidents Ada has been paged for, by Slack or mail.
    fn paged(&self) -> usize {
        let texts = self.slack.direct_messages("U0ADA").into_iter();
        let mut texts: Vec<String> = texts.map(|it| format!("{it:?}")).collect();
        texts.extend(self.relay.mails().into_iter().map(|it| it.text));
        let is_paged = |number: &usize| texts.iter().any(|it| it.contains(&title(*number)));
        (0..INCIDENTS).filter(is_paged).count()
    }

    async fn quiet(&self) -> Latencies {
        let url = format!("{}/healthz", self.program.url);
        let few = |count| count < SAMPLES;
        sample(&url, Duration::from_millis(2), few).await.unwrap()
    }

    /// Sends incidents, webhooks and health requests concurrently, until every page has arrived and
    /// every war room is open.
    async fn storm(&self) -> Latencies {
        let stop = Arc::new(AtomicBool::new(false));
        let senders = self.bombard(&stop);
        let (url, until_stopped) = (format!("{}/healthz", self.program.url), Arc::clone(&stop));
        let asked = tokio::spawn(async move {
            let goes_on = |count| count < SAMPLES || !until_stopped.load(Ordering::Relaxed);
            sample(&url, Duration::from_millis(2), goes_on).await
        });
        for number in 0..INCIDENTS {
            self.fire(number).await;
        }
        let all = async || (self.paged() >= INCIDENTS).then_some(());
        let paged = until("every page", PAGED_WITHIN, all).await;
        let opened = async || (self.slack.channels().len() >= INCIDENTS).then_some(());
        let opened = until("every war room", PAGED_WITHIN, opened).await;
        stop.store(true, Ordering::Relaxed);
        for sender in senders {
            assert!(sender.await.unwrap() > 0, "no webhook got a response");
        }
        let said = || {
            let log = self.program.log();
            let lines: Vec<&str> = log.lines().filter(|it| !it.contains("flood")).collect();
            lines[lines.len().saturating_sub(60)..].join("\n")
        };
        paged.map_err(|late| late + "\n" + &said()).unwrap();
        opened.map_err(|late| late + "\n" + &said()).unwrap();
        asked.await.unwrap().unwrap()
    }

    fn last_fault(&self, plugin: Hostile) -> Value {
        let shown = ["plugin", "inspect", plugin.id(), "--output", "json"];
        let shown = self.program.cli(&shown).unwrap();
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
        shown["last-fault"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_hostile_plugins_and_a_policy_that_loops_every_page_and_war_room_comes() {
    let Some(daemon) = TestDaemon::start("hostile plugins").await else {
        return;
    };
    let quiet = daemon.quiet().await;
    let loaded = daemon.storm().await;
    let (calm, under_load) = (quiet.quantile(0.99), loaded.quantile(0.99));
    let ratio = under_load.as_secs_f64() / calm.as_secs_f64();
    println!(
        "healthz p99: idle {calm:?}, loaded {under_load:?}, ratio {ratio:.1} \
         ({} and {} responses)",
        quiet.count(),
        loaded.count()
    );
    assert!(under_load < HEALTHZ_P99_MAX, "{under_load:?}");
    // On a busy machine a spinning guest may reach its wall-clock limit before its CPU limit.
    for (plugin, limits, remedy) in [
        (
            Hostile::Spinner,
            [json!("cpu-ms"), json!("wall-ms")],
            "[limits]",
        ),
        (
            Hostile::Hoarder,
            [json!("memory-bytes"), json!("wall-ms")],
            "[limits]",
        ),
        (
            Hostile::Breaker,
            [Value::Null, Value::Null],
            "the last lines of its log",
        ),
    ] {
        let fault = daemon.last_fault(plugin);
        assert!(limits.contains(&fault["limit"]), "{fault}");
        let said = fault["remedy"].as_str().unwrap_or_default();
        assert!(said.contains(remedy), "{fault}");
    }
    assert!(daemon.hung(), "the hanger sent no request");
    let log = daemon.program.stop().await.unwrap();
    println!("the log has {} bytes", log.len());
    assert!(log.len() < LOG_BYTES_MAX, "{}", log.len());
    let flooded = |line: &str| line.contains("its lines were dropped") && line.contains("flooder");
    assert!(
        log.lines().any(flooded),
        "no line of the flooder was left out"
    );
    let told = "a policy failed; the built-in verdict applies";
    assert!(
        log.contains(told) && log.contains("grading.rhai"),
        "the failed policy was not logged"
    );
    assert!(daemon.relay.unexpected().is_empty());
    let store = SledStore::open(&daemon.home.data).unwrap();
    let mut all = 0;
    for class in [Class::State, Class::Bulk] {
        let waiting = store.outbox(class, None, usize::MAX).unwrap();
        let of_flooder = waiting
            .iter()
            .filter(|it| it.key.lane.starts_with("flooder/"));
        let jobs = of_flooder.count();
        all += jobs;
        // Concurrent calls may each have seen the last free slot.
        assert!(jobs <= JOBS_WAITING_MAX + 16 * JOBS_PER_CALL, "{jobs}");
    }
    assert!(all >= 1, "the flooder queued no job");
}
