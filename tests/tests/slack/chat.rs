//! The program, and the people who use it in Slack.

use serde_json::{Value, json};
use tocsin::standin::slack::{Member, Press, Setup, SignedRequest, SlackStandIn, Typed};
use tocsin_tests::skip;
use tocsin_tests::support::{Home, Lives, config, free_port};

/// Ada is on call, and Bob is in her team.
pub(crate) const ADA: &str = "U0ADA";
pub(crate) const BOB: &str = "U0BOB";

pub(crate) struct Chat {
    pub(crate) slack: SlackStandIn,
    pub(crate) lives: Lives,
    ingest: String,
    client: reqwest::Client,
}

impl Chat {
    /// Starts the program with the common configuration and `more`; `None`, reported as a skip of
    /// `test`, if the plugin is not built.
    pub(crate) async fn start(test: &str, more: &str) -> Option<Self> {
        let plugin = skip::slack_plugin(test)?;
        // The clients need a TLS provider even for plain HTTP; an installed one will do.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let members = vec![Member::new(ADA, "Ada"), Member::new(BOB, "Bob")];
        let slack = SlackStandIn::start(Setup::of(members)).unwrap();
        let home = Home::new().unwrap();
        let port = free_port().unwrap();
        let url = format!("server.public-url = \"http://127.0.0.1:{port}\"");
        let installed = slack.install(home.path(), &plugin).unwrap();
        let config = config::with(&[&url, &installed, more]).unwrap();
        home.write("tocsin.toml", config).unwrap();
        let lives = Lives::begin(home, port, &["slack"]).await;
        let lives = lives.unwrap_or_else(|why| panic!("{why}"));
        let ingest = lives.token("ingest", Some("prometheus")).await.unwrap();
        Some(Self {
            slack,
            lives,
            ingest,
            client: reqwest::Client::new(),
        })
    }

    /// A critical alert, sent until it is accepted, as its sender would.
    pub(crate) async fn fire(&self) {
        let labels = json!({
            "alertname": "CheckoutDown", "severity": "critical", "service": "checkout",
            "team": "payments",
        });
        let alerts = json!([{ "labels": labels, "annotations": { "summary": "It is down" } }]);
        let fired = async || {
            let asked = self
                .client
                .post(format!("{}/api/v2/alerts", self.lives.url()));
            let asked = asked.bearer_auth(&self.ingest).json(&alerts);
            let answer = asked.send().await.ok()?;
            answer.status().is_success().then_some(())
        };
        self.until("the alert to be accepted", fired).await;
    }

    /// Looks again and again, while the program runs, until there is something.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        match self.lives.until(what, look).await {
            Ok(found) => found,
            Err(late) => panic!("{late}\n{}", self.report().await),
        }
    }

    /// Incident 1, if the program answers.
    pub(crate) async fn incident(&self) -> Option<Value> {
        self.lives.show("incidents/1").await.ok()?
    }

    /// Waits until something holds of the incident, and returns it.
    pub(crate) async fn until_incident(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.until(what, async || self.incident().await.filter(&is))
            .await
    }

    /// The request of the newest button with this label that a member sees, once there is one.
    pub(crate) async fn until_press(&self, member: &str, button: &str) -> SignedRequest {
        let press = Press::newest(member, button);
        let seen = async || self.slack.press_request(&press).ok();
        self.until(&format!("a button {button}"), seen).await
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
        let request = self
            .slack
            .typed_request(&typed(member, channel, text))
            .unwrap();
        let url = format!("{}/hooks/slack/commands", self.lives.url());
        let answer = request.send(&url).await.ok()?;
        let told: Value = serde_json::from_str(&answer.body).ok()?;
        Some(told["text"].as_str()?.to_owned())
    }

    /// Sends a request of Slack to a route of the plugin; returns status and body.
    pub(crate) async fn send(&self, route: &str, request: &SignedRequest) -> (u16, String) {
        let url = format!("{}/hooks/slack/{route}", self.lives.url());
        let answer = request.send(&url).await.unwrap();
        (answer.status, answer.body)
    }

    /// Everything that explains a failure.
    pub(crate) async fn report(&self) -> String {
        let log = log_of(&self.incident().await.unwrap_or_default()).join("\n");
        format!("{log}\n{}", self.lives.log())
    }
}

/// The log of an incident, one line for each entry.
pub(crate) fn log_of(incident: &Value) -> Vec<String> {
    let log = incident["timeline"].as_array().into_iter().flatten();
    log.filter_map(|it| Some(it["text"].as_str()?.to_owned()))
        .collect()
}

/// `/incident TEXT` of a member in a channel.
pub(crate) fn typed(member: &str, channel: &str, text: &str) -> Typed {
    Typed {
        member: member.to_owned(),
        channel: Some(channel.to_owned()),
        line: format!("/incident {text}"),
    }
}
