//! Every kind of secret as a canary, a night with everything that can go wrong, and then the
//! search: in the log at its most talkative, in every answer, in every `--output json`, in the
//! metrics, and in the bytes of the store.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tocsin::standin::slack::{Fault, FaultRule, Member, Press, Setup, SlackStandIn};
use tocsin_plugin_host::guests::{Guest, Request};
use tocsin_store::{Class, SledStore, Store, StreamId, Table};
use tocsin_tests::scenario::Relay;
use tocsin_tests::support::canary::{Canary, leaks, leaks_in_files};
use tocsin_tests::support::{Home, Program, free_port};
use tocsin_tests::wait::until;
use tocsin_tests::{paths, skip};

const WITHIN: Duration = Duration::from_secs(60);
const BOT: &str = "xoxb-canary/bot+token=7f3a9c";
const SIGNING: &str = "canary-signing-secret-51d0be";
const PARROT: &str = "canary-parrot-secret-c2b7e4";
const HOOK: &str = "canary-hook-token-0e66aa";
const MAIL: &str = "canary-mail-password-93c1f8";
const IN_A_URL: &str = "canary-in-a-url-4b8d20";
const HEARTBEAT: &str = "canary-heartbeat-a81f07";
/// What somebody takes for a token and is none.
const MISTYPED: &str = "tocsin_admin_canary-mistyped-77e1d3";
/// Files whose purpose is to hold a secret; they are for their owner's eyes.
const KEY_FILES: [&str; 3] = ["admin.token", "ack-link.key", "key"];

const CONFIG: &str = r#"
[server]
public-url = "URL"
[policy]
path = "POLICIES"
[escalation]
fallback = ["person:ada"]
contact-wait = "1s"
[heartbeat]
url = { env = "CANARY_HEARTBEAT" }
every = "10s"
[people.ada]
name = "Ada"
contacts = [{ kind = "slack", address = "U0ADA" }, { kind = "email", address = "ada@x.org" }]
teams = ["payments"]
[teams.payments]
name = "Payments"
rotation = "payments"
[rotations.payments]
timezone = "UTC"
layers = [{ people = ["ada"], handover = "monday 09:00", every = "1 week", start = "2026-01-05" }]
[integrations.any]
kind = "generic"
[integrations.prometheus]
kind = "alertmanager-api"
[integrations.pagerduty]
kind = "pagerduty"
[plugins.slack]
path = "SLACK_PLUGIN"
settings = { base-url = "SLACK_URL" }
secrets = { bot-token = { file = "bot-token" }, signing-secret = { env = "CANARY_SIGNING" } }
grant = { http = ["*"], webhook = ["*"], schedule = ["*"], commands = ["*"], events = ["*"] }
limits = { http-per-min = 240 }
allow-networks = ["loopback"]
"#;
const MAIL_IN_THE_CLEAR: &str = "\n[mail]\nhost = \"127.0.0.1\"\nport = MAIL\ntls = \"none\"\n\
                                 from = \"tocsin <tocsin@x.org>\"\n";
/// The relay has no TLS, so every mail fails with the password at hand.
const MAIL_WITH_PASSWORD: &str = "\n[mail]\nhost = \"127.0.0.1\"\nport = MAIL\n\
                                  username = \"tocsin\"\npassword = { env = \"CANARY_MAIL\" }\n\
                                  from = \"tocsin <tocsin@x.org>\"\n";

/// A server that says back what it was told: in the body, in a header, and in where it leads.
async fn parrots_cage() -> String {
    use axum::http::{HeaderMap, StatusCode, header};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let said = |headers: &HeaderMap| {
        let value = headers.get("authorization").and_then(|it| it.to_str().ok());
        value.unwrap_or("nothing").replace("Bearer ", "")
    };
    let echo = axum::routing::get(async move |headers: HeaderMap| {
        let said = said(&headers);
        ([("x-said", said.clone())], format!("you said {said}"))
    });
    let away = axum::routing::get(async move |headers: HeaderMap| {
        let to = format!("http://127.0.0.1:1/{0}?key={0}", said(&headers));
        (StatusCode::FOUND, [(header::LOCATION, to)])
    });
    let app = axum::Router::new()
        .route("/echo", echo)
        .route("/away", away);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// A plugin that asks the parrot with its credential whenever it can, and logs what it hears.
fn install_parrot(home: &Home, id: &str, origin: &str, path: &str) -> String {
    let url = format!("{origin}{path}");
    let mut guest = Guest::default().sends(&Request {
        method: "GET",
        url: &url,
        auth: Some("far"),
        once: Some("o"),
        ..Request::default()
    });
    guest.on_webhook = guest.on_event.replace("(i32.const 512)", "(i32.const 640)");
    guest.describes(id, "0.1.0", &["incident-opened"]);
    let manifest = format!(
        "schema = 1\nid = \"{id}\"\nversion = \"0.1.0\"\nname = \"{id}\"\n\
         events = [\"incident-opened\"]\n[[secret]]\nname = \"api\"\n[[secret]]\nname = \"hook\"\n\
         [[http]]\nname = \"far\"\norigin = \"{origin}\"\npaths = [\"*\"]\nmethods = [\"GET\"]\n\
         inject = {{ secret = \"api\", header = \"authorization\", format = \"Bearer {{}}\" }}\n\
         [[webhook]]\nroute = \"in\"\nmethods = [\"POST\"]\n\
         verify = {{ scheme = \"gitlab-token\", secret = \"hook\" }}\n"
    );
    home.write(&format!("{id}/plugin.wasm"), guest.component())
        .unwrap();
    home.write(&format!("{id}/plugin.toml"), manifest).unwrap();
    format!(
        "[plugins.{id}]\npath = \"{id}\"\nallow-networks = [\"loopback\"]\n\
         secrets = {{ api = {{ env = \"CANARY_PARROT\" }}, hook = {{ env = \"CANARY_HOOK\" }} }}\n\
         grant = {{ http = [\"*\"], webhook = [\"*\"], events = [\"*\"] }}\n"
    )
}

/// A Slack plugin whose operator wrote a password into its URL.
fn misguided(plugin: &Path) -> String {
    format!(
        "[plugins.misguided]\npath = {plugin:?}\n\
         settings = {{ base-url = \"http://user:{IN_A_URL}@127.0.0.1:1/api\" }}\n\
         secrets = {{ bot-token = {{ file = \"bot-token\" }}, \
         signing-secret = {{ env = \"CANARY_SIGNING\" }} }}\ngrant = {{ http = [\"*\"] }}\n"
    )
}

struct Night {
    home: Home,
    slack: SlackStandIn,
    relay: Relay,
    canaries: Vec<Canary>,
    leaks: Vec<String>,
    /// How many answers and outputs were searched.
    searched: usize,
}

impl Night {
    async fn begin(test: &str) -> Option<Self> {
        skip::slack_plugin(test)?;
        let slack = SlackStandIn::start(Setup {
            token: BOT.into(),
            signing_secret: SIGNING.into(),
            members: vec![Member {
                id: "U0ADA".into(),
                name: "Ada".into(),
                email: "ada@x.org".into(),
            }],
            channels: Vec::new(),
        });
        let relay = Relay::start(["ada@x.org".to_owned()].into()).await.unwrap();
        let mut home = Home::new().unwrap();
        home.write("bot-token", BOT).unwrap();
        let heartbeat = format!("http://127.0.0.1:1/{HEARTBEAT}");
        for (name, value) in [
            ("CANARY_SIGNING", SIGNING),
            ("CANARY_PARROT", PARROT),
            ("CANARY_HOOK", HOOK),
            ("CANARY_MAIL", MAIL),
            ("CANARY_HEARTBEAT", heartbeat.as_str()),
            ("TOCSIN_LOG", "debug,tocsin=trace,plugin=trace"),
        ] {
            home.env.push((name.to_owned(), value.to_owned()));
        }
        let canaries = [
            ("the bot's token", BOT),
            ("the signing secret", SIGNING),
            ("a plugin's credential", PARROT),
            ("a webhook's token", HOOK),
            ("the relay's password", MAIL),
            ("a password in a URL", IN_A_URL),
            ("the heartbeat's URL", HEARTBEAT),
            ("a mistyped token", MISTYPED),
        ];
        Some(Self {
            home,
            slack: slack.unwrap(),
            relay,
            canaries: canaries.map(|(kind, text)| Canary::new(kind, text)).into(),
            leaks: Vec::new(),
            searched: 0,
        })
    }

    async fn start(&self, mail: &str) -> Program {
        let plugin = paths::plugins().join("slack");
        let port = free_port().unwrap();
        let cage = parrots_cage().await;
        let mut config = CONFIG
            .replace("SLACK_URL", &self.slack.base_url())
            .replace("SLACK_PLUGIN", &plugin.to_string_lossy())
            .replace(
                "POLICIES",
                &paths::root().join("policies").to_string_lossy(),
            )
            .replace("URL", &format!("http://127.0.0.1:{port}"));
        config.push_str(&install_parrot(&self.home, "parrot", &cage, "/echo"));
        config.push_str(&install_parrot(&self.home, "runaway", &cage, "/away"));
        config.push_str(&misguided(&plugin));
        config.push_str(&mail.replace("MAIL\n", &format!("{}\n", self.relay.port())));
        self.home.write("tocsin.toml", config).unwrap();
        self.home.start(port).await.unwrap()
    }

    fn keep(&mut self, kind: &str, text: &str) -> String {
        self.canaries.push(Canary::new(kind, text));
        text.to_owned()
    }

    fn search(&mut self, place: &str, bytes: &[u8]) {
        self.searched += 1;
        self.leaks.extend(leaks(&self.canaries, place, bytes));
    }

    async fn ask(&mut self, what: &str, request: reqwest::RequestBuilder) -> u16 {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let headers = format!("{:?}", answer.headers());
        let body = answer.bytes().await.unwrap();
        self.search(&format!("the answer to {what}"), &body);
        self.search(&format!("the headers of {what}"), headers.as_bytes());
        status
    }

    /// Every way in which a sender may carry its token, each with success.
    async fn senders(&mut self, program: &Program) {
        let client = reqwest::Client::new();
        let url = &program.url;
        let admin = self.keep("the admin's token", &program.admin().unwrap());
        let any = program.token("ingest", Some("any")).await.unwrap();
        let any = self.keep("a token of scope ingest", &any);
        let am = program.token("ingest", Some("prometheus")).await.unwrap();
        let am = self.keep("Prometheus's token", &am);
        let pd = program.token("ingest", Some("pagerduty")).await.unwrap();
        let pd = self.keep("PagerDuty's routing key", &pd);
        let read = program.token("read", None).await.unwrap();
        let read = self.keep("a token of scope read", &read);
        let alert = |n: u32| json!({ "title": format!("Down {n}"), "labels": { "service": "s" } });
        let critical = json!([{ "labels": {
            "alertname": "CheckoutDown", "severity": "critical", "service": "checkout",
            "team": "payments",
        } }]);
        let event = json!({
            "routing_key": pd, "event_action": "trigger", "dedup_key": "d",
            "payload": { "summary": "Down", "source": "x", "severity": "critical" },
        });
        let ingest = format!("{url}/ingest/any");
        let sent = [
            client.post(&ingest).bearer_auth(&any).json(&alert(1)),
            client
                .post(&ingest)
                .basic_auth("x", Some(&any))
                .json(&alert(2)),
            client
                .post(&ingest)
                .header("x-tocsin-key", &any)
                .json(&alert(3)),
            client.post(format!("{ingest}?key={any}")).json(&alert(4)),
            client
                .post(format!("{url}/api/v2/alerts"))
                .bearer_auth(&am)
                .json(&critical),
            client.post(format!("{url}/v2/enqueue")).json(&event),
        ];
        for (number, request) in sent.into_iter().enumerate() {
            let status = self.ask(&format!("sender {number}"), request).await;
            assert!((200..300).contains(&status), "sender {number}: {status}");
        }
        for path in [
            "/api/v1/incidents",
            "/api/v1/incidents/1",
            "/api/v1/alerts",
            "/api/v1/oncall",
            "/api/v1/plugins",
            "/api/v1/policies",
            "/api/v2/status",
            "/api/v2/alerts",
            "/api/v2/silences",
            "/metrics",
            "/openapi.json",
        ] {
            let request = client.get(format!("{url}{path}?key={read}"));
            assert_eq!(self.ask(path, request).await, 200, "{path}");
        }
        let tokens = client
            .get(format!("{url}/api/v1/tokens"))
            .bearer_auth(&admin);
        assert_eq!(self.ask("the list of tokens", tokens).await, 200);
    }

    /// Every way to be refused, with secrets in places where they do not belong.
    async fn strangers(&mut self, program: &Program) {
        let client = reqwest::Client::new();
        let url = &program.url;
        let admin = program.admin().unwrap();
        let wrong_key = json!({ "routing_key": MISTYPED, "event_action": "trigger" });
        let no_json = format!("{{\"title\": \"{MISTYPED}\"");
        let requests = [
            client
                .get(format!("{url}/api/v1/incidents"))
                .bearer_auth(MISTYPED),
            client.get(format!("{url}/api/v1/incidents?key={MISTYPED}")),
            client
                .get(format!("{url}/api/v1/incidents"))
                .basic_auth(MISTYPED, Some(MISTYPED)),
            client
                .get(format!("{url}/api/v1/incidents"))
                .header("x-tocsin-key", MISTYPED),
            client
                .get(format!("{url}/api/v1/incidents?key={MISTYPED}"))
                .bearer_auth(&admin),
            client
                .get(format!("{url}/api/v1/incidents/{MISTYPED}"))
                .bearer_auth(&admin),
            client
                .get(format!("{url}/api/v1/tokens/{MISTYPED}"))
                .bearer_auth(&admin),
            client
                .delete(format!("{url}/api/v1/tokens/{MISTYPED}"))
                .bearer_auth(&admin),
            client
                .post(format!("{url}/ingest/{MISTYPED}"))
                .body(no_json.clone()),
            client
                .post(format!("{url}/ingest/{MISTYPED}"))
                .bearer_auth(&admin)
                .json(&json!({})),
            client
                .post(format!("{url}/ingest/any"))
                .bearer_auth(&admin)
                .body(no_json.clone()),
            client.post(format!("{url}/v2/enqueue")).json(&wrong_key),
            client.post(format!("{url}/v2/enqueue")).body(no_json),
            client.get(format!("{url}/ack/{MISTYPED}.{MISTYPED}")),
            client.post(format!("{url}/ack/{MISTYPED}.{MISTYPED}")),
            client.post(format!("{url}/hooks/{MISTYPED}/{MISTYPED}")),
            client.post(format!("{url}/hooks/slack/{MISTYPED}")),
            client
                .post(format!("{url}/hooks/parrot/in"))
                .header("x-gitlab-token", MISTYPED),
            client
                .post(format!("{url}/hooks/parrot/in"))
                .header("x-gitlab-token", &HOOK[1..]),
            client.get(format!("{url}/{MISTYPED}?key={MISTYPED}")),
            client.put(format!("{url}/api/v1/incidents?key={admin}")),
        ];
        for (number, request) in requests.into_iter().enumerate() {
            let status = self.ask(&format!("stranger {number}"), request).await;
            assert!((400..500).contains(&status), "stranger {number}: {status}");
        }
        for parrot in ["parrot", "runaway"] {
            let request = client.post(format!("{url}/hooks/{parrot}/in"));
            let request = request.header("x-gitlab-token", HOOK).body("say it");
            let status = self.ask(parrot, request).await;
            let said: Vec<String> = self.said_of(program, parrot);
            assert_eq!(status, 200, "{parrot}: {said:#?}");
        }
    }

    fn said_of(&self, program: &Program, word: &str) -> Vec<String> {
        let log = program.log();
        let lines = log
            .lines()
            .filter(|it| it.contains(word) && !it.contains("TRACE"));
        lines.map(|it| it.chars().take(300).collect()).collect()
    }

    /// A link from a mail, a button in Slack, and Slack at its worst.
    async fn people(&mut self, program: &Program) {
        let mailed = async || self.relay.letters().pop();
        let mail = until("a page by mail", WITHIN, mailed).await.unwrap();
        let mut words = mail.text.split_whitespace();
        let link = words.find(|it| it.contains("/ack/")).unwrap().to_owned();
        let token = link.rsplit('/').next().unwrap();
        let (claim, mac) = token.split_once('.').unwrap();
        assert!(claim.len() > 20);
        self.keep("the seal of an acknowledge link", mac);
        let client = reqwest::Client::new();
        for request in [client.get(&link), client.post(&link), client.post(&link)] {
            let status = self.ask("an acknowledge link", request).await;
            assert!(status == 200 || status == 409, "{status}");
        }
        self.slack.heal();
        let rooms = async || (!self.slack.channels().is_empty()).then_some(());
        until("a war room", WITHIN, rooms).await.unwrap();
        let url = format!("{}/hooks/slack/interactions", program.url);
        let pressed = async || {
            let press = self
                .slack
                .press_request(&Press::newest("U0ADA", "Acknowledge"));
            press.ok()?.send(&url).await.ok()
        };
        if let Ok(pressed) = until("a press", Duration::from_secs(5), pressed).await {
            self.search("the answer to a press", pressed.body.as_bytes());
        }
    }

    fn commands(&mut self, program: &Program) {
        let config = self.home.path().join("tocsin.toml");
        let config = config.to_string_lossy().into_owned();
        let mut commands: Vec<Vec<&str>> = vec![
            vec!["incident", "list"],
            vec!["incident", "show", "1"],
            vec!["alert", "list"],
            vec!["silence", "list"],
            vec!["oncall", "who"],
            vec!["token", "list"],
            vec!["plugin", "list"],
            vec!["plugin", "inspect", "slack"],
            vec!["plugin", "inspect", "runaway"],
            vec!["plugin", "inspect", "misguided"],
            vec!["doctor"],
            vec!["incident", "list", "--token", MISTYPED],
            vec!["incident", "show", MISTYPED],
        ];
        for command in &mut commands {
            for json in [false, true] {
                if json {
                    command.extend(["--output", "json"]);
                }
                let output = program.cli(command).unwrap();
                let is_mistyped = command.contains(&MISTYPED);
                // What somebody types on their own terminal is no secret from them.
                let place = format!("`tocsin {}`", command.join(" "));
                if !is_mistyped || command.contains(&"--token") {
                    self.search(&place, &output.stdout);
                    self.search(&place, &output.stderr);
                }
            }
        }
        for format in ["text", "json"] {
            let command = ["check", "--config", &config, "--output", format];
            let output = self.home.run(&command).unwrap();
            self.search("`tocsin check`", &output.stdout);
            self.search("`tocsin check`", &output.stderr);
        }
    }

    /// The folder of the data, byte by byte and value by value.
    fn disk(&mut self) {
        let data = &self.home.data;
        let (found, files) = leaks_in_files(&self.canaries, data, &KEY_FILES).unwrap();
        self.leaks.extend(found);
        assert!(files > 2, "{files} files");
        for name in ["admin.token", "ack-link.key"] {
            let mode = std::fs::metadata(data.join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o077, 0, "{name} is for its owner alone");
        }
        let store = SledStore::open(data).unwrap();
        let mut values: Vec<Value> = Vec::new();
        for table in Table::ALL {
            let rows = store.rows(table, "", None, usize::MAX).unwrap();
            values.extend(rows.into_iter().map(|(key, row)| json!([key, row.value])));
        }
        for class in Class::ALL {
            let rows = store.outbox(class, None, usize::MAX).unwrap();
            values.extend(rows.into_iter().map(|row| json!([row.key.lane, row.body])));
        }
        let streams = store.streams(None, usize::MAX).unwrap();
        for stream in streams
            .into_iter()
            .map(|(stream, _): (StreamId, u64)| stream)
        {
            let events = store.read_stream(&stream, 0, usize::MAX).unwrap();
            values.extend(events.into_iter().map(|it| json!(format!("{it:?}"))));
        }
        assert!(values.len() > 30, "{} values", values.len());
        for value in values {
            let text = value.to_string();
            self.search(&format!("the store: {text:.60}"), text.as_bytes());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_logs_answers_outputs_metrics_or_the_store() {
    let Some(mut night) = Night::begin("canaries").await else {
        return;
    };
    // Slack fails in every way first, so that the page goes by mail.
    night.slack.fail(FaultRule::always(Fault::Status(500)));
    for fault in [
        Fault::NotOk("invalid_auth".into()),
        Fault::RateLimited { retry_after_s: 1 },
        Fault::LoseAnswer,
    ] {
        night.slack.fail(FaultRule::times(1, fault));
    }
    let program = night.start(MAIL_IN_THE_CLEAR).await;
    night.senders(&program).await;
    night.strangers(&program).await;
    night.people(&program).await;
    night.commands(&program);
    let log = program.stop().await.unwrap();
    assert!(
        log.contains("DEBUG") && log.contains("you said [secret:api]"),
        "{}",
        log.len()
    );
    night.search("the log", log.as_bytes());

    // The same folder again, with a relay that never takes the password.
    let program = night.start(MAIL_WITH_PASSWORD).await;
    night.slack.vanish();
    let admin = program.admin().unwrap();
    let request = reqwest::Client::new()
        .post(format!("{}/api/v1/incidents", program.url))
        .bearer_auth(admin)
        .json(&json!({ "title": "Down again", "grade": "critical", "team": "payments" }));
    let status = night.ask("an incident by hand", request).await;
    assert!((200..300).contains(&status), "{status}");
    let failed = async || program.log().contains("mail relay").then_some(());
    until("a mail that fails", WITHIN, failed).await.unwrap();
    let log = program.stop().await.unwrap();
    night.search("the second log", log.as_bytes());
    let verify = ["verify", "--config", "tocsin.toml", "--output", "json"];
    let verified = night.home.run(&verify).unwrap();
    night.search("`tocsin verify`", &verified.stdout);
    night.disk();
    assert!(
        night.canaries.len() > 12 && night.searched > 150,
        "{}",
        night.searched
    );
    println!(
        "{} secrets, each in its forms, are in none of {} places",
        night.canaries.len(),
        night.searched
    );
    assert!(night.leaks.is_empty(), "{:#?}", night.leaks);
}
