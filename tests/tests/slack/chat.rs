//! The program, and the people who use it in Slack.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tocsin::runtime::Clock as _;
use tocsin::standin::slack::{
    Member, Press, PressError, SIGNING_SECRET, Setup, SignedRequest, SlackStandIn, Typed,
};
use tocsin_tests::skip;
use tocsin_tests::support::{CLOCK_FILE, Home, Lives, MovedClock, config, free_port};

/// Ada is on call, and Bob is in her team.
pub(crate) const ADA: &str = "U0ADA";
pub(crate) const BOB: &str = "U0BOB";
/// In the workspace and not in the configuration.
pub(crate) const EVE: &str = "U0EVE";

pub(crate) struct Chat {
    pub(crate) slack: SlackStandIn,
    pub(crate) lives: Lives,
    /// The program's.
    pub(crate) clock: MovedClock,
    /// The routing key of PagerDuty.
    key: String,
    client: reqwest::Client,
}

impl Chat {
    /// Starts the program with the common configuration, changed by what `more` makes of its
    /// folder; `None`, reported as a skip of `test`, if the plugin is not built.
    pub(crate) async fn start(test: &str, more: impl FnOnce(&Home) -> String) -> Option<Self> {
        Self::start_by(test, SlackStandIn::install, more).await
    }

    /// As [`start`](Self::start), with another way to connect Slack.
    pub(crate) async fn start_by(
        test: &str,
        install: impl FnOnce(&SlackStandIn, &Path, &Path) -> io::Result<String>,
        more: impl FnOnce(&Home) -> String,
    ) -> Option<Self> {
        let plugin = skip::slack_plugin(test)?;
        // The clients need a TLS provider even for plain HTTP; an installed one will do.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let members = [(ADA, "Ada"), (BOB, "Bob"), (EVE, "Eve")];
        let members = members.map(|(id, name)| Member::new(id, name));
        let slack = SlackStandIn::start(Setup::of(members.into())).unwrap();
        let mut home = Home::new().unwrap();
        let clock = clock_file(&home);
        let named = clock.to_string_lossy().into_owned();
        home.env.push((CLOCK_FILE.to_owned(), named));
        let port = free_port().unwrap();
        let installed = install(&slack, home.path(), &plugin).unwrap();
        write_config(&home, port, &installed, &more(&home));
        let lives = Lives::begin(home, port, &["slack"]).await;
        let lives = lives.unwrap_or_else(|why| panic!("{why}"));
        let key = lives.token("ingest", Some("pagerduty")).await.unwrap();
        Some(Self {
            slack,
            lives,
            clock: MovedClock::of(&clock),
            key,
            client: reqwest::Client::new(),
        })
    }

    /// Has PagerDuty's client trigger or resolve the alert of a service, until it is accepted.
    pub(crate) async fn pagerduty(&self, action: &str, service: &str) {
        let event = json!({
            "routing_key": self.key, "event_action": action, "dedup_key": service,
            "payload": {
                "summary": format!("{service} is down"), "source": "shop", "severity": "critical",
                "custom_details": { "service": service, "team": "payments" },
            },
        });
        let sent = async || {
            let url = format!("{}/v2/enqueue", self.lives.url());
            let answer = self.client.post(url).json(&event).send().await.ok()?;
            answer.status().is_success().then_some(())
        };
        self.until("the alert to be accepted", sent).await;
    }

    /// Sends an alert of which only people with clearance may see what it is.
    pub(crate) async fn secret(&self, service: &str) {
        let token = self.lives.token("ingest", Some("any")).await.unwrap();
        let labels = json!({ "service": service, "team": "payments", "security": "true" });
        let alert = json!({ "title": format!("{service} is open"), "labels": labels });
        let url = format!("{}/ingest/any", self.lives.url());
        let sent = self.client.post(url).bearer_auth(token).json(&alert).send();
        assert!(sent.await.unwrap().status().is_success());
    }

    /// Looks again and again, while the program runs, until there is something.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        match self.lives.until(what, look).await {
            Ok(found) => found,
            Err(late) => panic!("{late}\n{}", self.report().await),
        }
    }

    /// The log of incident 1, empty if there is none, if the program answers.
    pub(crate) async fn log(&self) -> Option<Vec<String>> {
        let incident = self.lives.show("incidents/1").await.ok()?;
        let incident = incident.unwrap_or_default();
        let log = incident["timeline"].as_array().into_iter().flatten();
        let log = log.filter_map(|it| Some(it["text"].as_str()?.to_owned()));
        Some(log.collect())
    }

    /// What a member sends who presses the newest button with this label, if they see one.
    pub(crate) fn press(&self, member: &str, button: &str) -> Result<SignedRequest, PressError> {
        let request = self.slack.press_request(&Press::newest(member, button))?;
        Ok(self.signed(request.body))
    }

    /// The channel of incident 1, once commands in it are about the incident.
    pub(crate) async fn until_room(&self) -> String {
        let linked = async || {
            let room = self.slack.channels().pop()?;
            let said = self.say(ADA, &room.id, "status").await?;
            said.starts_with("incident 1:").then_some(room.id)
        };
        self.until("the war room", linked).await
    }

    /// What a member is told who types `/incident TEXT` in a channel, if the program answers.
    pub(crate) async fn say(&self, member: &str, channel: &str, text: &str) -> Option<String> {
        let typed = typed(member, channel, text);
        let request = self.slack.typed_request(&typed).unwrap();
        let (_, body) = self.send("commands", &self.signed(request.body)).await?;
        let told: Value = serde_json::from_str(&body).ok()?;
        Some(told["text"].as_str()?.to_owned())
    }

    /// Sends a request of Slack to a route of the plugin; returns status and body, if the program
    /// answers.
    pub(crate) async fn send(&self, route: &str, request: &SignedRequest) -> Option<(u16, String)> {
        let url = format!("{}/hooks/slack/{route}", self.lives.url());
        let answer = request.send(&url).await.ok()?;
        Some((answer.status, answer.body))
    }

    /// Everything that explains a failure.
    pub(crate) async fn report(&self) -> String {
        let log = self.log().await.unwrap_or_default().join("\n");
        format!("{log}\n{}", self.lives.log())
    }

    /// A request of Slack at this moment of the program's clock.
    pub(crate) fn signed(&self, body: String) -> SignedRequest {
        let seconds = self.clock.now().0 / 1_000;
        SignedRequest::at(SIGNING_SECRET, body, u64::try_from(seconds).unwrap())
    }
}

/// Where the program's clock is moved.
pub(crate) fn clock_file(home: &Home) -> PathBuf {
    home.path().join("clock")
}

fn write_config(home: &Home, port: u16, installed: &str, more: &str) {
    let url = format!("server.public-url = \"http://127.0.0.1:{port}\"");
    let limits = "[plugins.slack.limits]\nhttp-per-min = 240";
    let config = config::with(&[&url, installed, limits, more]).unwrap();
    home.write("tocsin.toml", config).unwrap();
}

/// `/incident TEXT` of a member in a channel.
pub(crate) fn typed(member: &str, channel: &str, text: &str) -> Typed {
    Typed {
        member: member.to_owned(),
        channel: Some(channel.to_owned()),
        line: format!("/incident {text}"),
    }
}
