//! Runs the program with every kind of secret as a canary and with many faults, then searches for
//! the secrets in the log at its most verbose level, every response, every `--output json`, the
//! metrics, and the bytes of the store.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod callers;
mod cast;

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::{Value, json};
use tocsin::standin::slack::{Fault, FaultRule, Member, Press, Setup, SlackStandIn};
use tocsin_store::{Class, SledStore, Store, StreamId, Table};
use tocsin_tests::scenario::Relay;
use tocsin_tests::support::canary::{Canary, leaks, leaks_in_files};
use tocsin_tests::support::{Home, Program, config};
use tocsin_tests::wait::until;
use tocsin_tests::{paths, skip};

use cast::{ADDITIONS, MAIL_WITH_PASSWORD, echo_server, install_leaking, misguided};

const WITHIN: Duration = Duration::from_secs(60);
const BOT: &str = "xoxb-canary/bot+token=7f3a9c";
const SIGNING: &str = "canary-signing-secret-51d0be";
const CREDENTIAL: &str = "canary-plugin-secret-c2b7e4";
const HOOK: &str = "canary-hook-token-0e66aa";
const MAIL: &str = "canary-mail-password-93c1f8";
const IN_A_URL: &str = "canary-in-a-url-4b8d20";
const HEARTBEAT: &str = "canary-heartbeat-a81f07";
/// An invalid token.
const MISTYPED: &str = "tocsin_admin_canary-mistyped-77e1d3";
/// Files whose purpose is to hold a secret; only their owner can read them.
const KEY_FILES: [&str; 3] = ["admin.token", "ack-link.key", "key"];

struct Run {
    home: Home,
    slack: SlackStandIn,
    relay: Relay,
    canaries: Vec<Canary>,
    leaks: Vec<String>,
    /// How many answers and outputs were searched.
    searched: usize,
}

impl Run {
    async fn begin(test: &str) -> Option<Self> {
        skip::slack_plugin(test)?;
        let slack = SlackStandIn::start(Setup {
            token: BOT.into(),
            signing_secret: SIGNING.into(),
            ..Setup::of(vec![Member::new("U0ADA", "Ada")])
        });
        let relay = Relay::start(["ada@x.org".to_owned()].into()).await.unwrap();
        let mut home = Home::new().unwrap();
        let heartbeat = format!("http://127.0.0.1:1/{HEARTBEAT}");
        for (name, value) in [
            ("CANARY_SIGNING", SIGNING),
            ("CANARY_PLUGIN", CREDENTIAL),
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
            ("a plugin's credential", CREDENTIAL),
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
        let echoing = echo_server().await;
        let slack = self.slack.install(self.home.path(), &plugin).unwrap();
        let by_env = slack.replace(
            "{ file = \"signing-secret\" }",
            "{ env = \"CANARY_SIGNING\" }",
        );
        assert_ne!(by_env, slack, "a secret of each kind");
        let more = [
            &*config::mail(self.relay.port()),
            mail,
            &by_env,
            ADDITIONS,
            &install_leaking(&self.home, "repeater", &echoing, "/echo"),
            &install_leaking(&self.home, "runaway", &echoing, "/away"),
            &misguided(&plugin),
        ];
        self.home.open(&more).await.unwrap()
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

    fn said_of(&self, program: &Program, word: &str) -> Vec<String> {
        let log = program.log();
        let lines = log
            .lines()
            .filter(|it| it.contains(word) && !it.contains("TRACE"));
        lines.map(|it| it.chars().take(300).collect()).collect()
    }

    /// A link from a mail, a button in Slack, and Slack at its worst.
    async fn people(&mut self, program: &Program) {
        let mailed = async || self.relay.mails().pop();
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
            assert_eq!(mode & 0o077, 0, "others can access {name}");
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
    let Some(mut run) = Run::begin("canaries").await else {
        return;
    };
    // Slack fails in every way first, so that the page goes by mail.
    run.slack.fail(FaultRule::always(Fault::Status(500)));
    for fault in [
        Fault::NotOk("invalid_auth".into()),
        Fault::RateLimited { retry_after_s: 1 },
        Fault::LoseAnswer,
    ] {
        run.slack.fail(FaultRule::times(1, fault));
    }
    let program = run.start("").await;
    run.senders(&program).await;
    run.refused_requests(&program).await;
    run.people(&program).await;
    run.commands(&program);
    let log = program.stop().await.unwrap();
    assert!(
        log.contains("DEBUG") && log.contains("you said [secret:api]"),
        "{}",
        log.len()
    );
    run.search("the log", log.as_bytes());

    // The same folder again, with a relay that never takes the password.
    let program = run.start(MAIL_WITH_PASSWORD).await;
    run.slack.vanish();
    let admin = program.admin().unwrap();
    let request = reqwest::Client::new()
        .post(format!("{}/api/v1/incidents", program.url))
        .bearer_auth(admin)
        .json(&json!({ "title": "Down again", "grade": "critical", "team": "payments" }));
    let status = run.ask("an incident by hand", request).await;
    assert!((200..300).contains(&status), "{status}");
    let failed = async || program.log().contains("mail relay").then_some(());
    until("a mail that fails", WITHIN, failed).await.unwrap();
    let log = program.stop().await.unwrap();
    run.search("the second log", log.as_bytes());
    let verify = ["verify", "--config", "tocsin.toml", "--output", "json"];
    let verified = run.home.run(&verify).unwrap();
    run.search("`tocsin verify`", &verified.stdout);
    run.disk();
    assert!(
        run.canaries.len() > 12 && run.searched > 150,
        "{}",
        run.searched
    );
    println!(
        "{} secrets, each in its forms, are in none of {} places",
        run.canaries.len(),
        run.searched
    );
    assert!(run.leaks.is_empty(), "{:#?}", run.leaks);
}
