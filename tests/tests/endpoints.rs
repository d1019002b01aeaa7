//! Signed webhooks and acknowledge links that are repeated, changed, old or early: each takes
//! effect once, and recording one is of no use to an attacker.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;
use tocsin_plugin_host::guests::{Guest, Request};
use tocsin_tests::scenario::Relay;
use tocsin_tests::support::{Home, Program, config};
use tocsin_tests::wait::until;

const WITHIN: Duration = Duration::from_secs(60);
const KEY: &str = "the key that both sides have";
/// A little more than the five minutes that a signature is valid.
const STALE_S: i64 = 310;
const SCHEMES: [&str; 4] = [
    "slack-v0",
    "gitlab-token",
    "standard-webhooks",
    "hmac-sha256",
];

/// Counts requests: each is a webhook that its plugin has handled.
async fn counter() -> (String, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let handler = axum::routing::get(async move || {
        counting.fetch_add(1, Ordering::SeqCst);
        "counted"
    });
    let app = axum::Router::new().route("/done", handler);
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, count)
}

/// A plugin whose webhook is verified by a scheme, and which requests `url` for each that it
/// handles.
fn install(home: &Home, scheme: &str, url: &str) -> String {
    let done = format!("{url}/done");
    let mut guest = Guest::default().sends(&Request {
        method: "GET",
        url: &done,
        ..Request::default()
    });
    guest.on_webhook = guest.on_event.replace("(i32.const 512)", "(i32.const 640)");
    // The answer's body is the text `taken`.
    guest.put(700, b"taken");
    guest.put(660, &700_u32.to_le_bytes());
    guest.put(664, &5_u32.to_le_bytes());
    guest.describes(scheme, "0.1.0", &["job"]);
    let header = match scheme {
        "hmac-sha256" => ", header = \"x-hub-signature-256\", id-header = \"x-github-delivery\"",
        _ => "",
    };
    let manifest = format!(
        "schema = 1\nid = \"{scheme}\"\nversion = \"0.1.0\"\nname = \"{scheme}\"\n\
         events = [\"job\"]\n[[secret]]\nname = \"key\"\n\
         [[http]]\nname = \"far\"\norigin = \"{url}\"\npaths = [\"/done\"]\nmethods = [\"GET\"]\n\
         [[webhook]]\nroute = \"in\"\nmethods = [\"POST\"]\n\
         verify = {{ scheme = \"{scheme}\", secret = \"key\"{header} }}\n"
    );
    home.write(&format!("{scheme}/plugin.wasm"), guest.component())
        .unwrap();
    home.write(&format!("{scheme}/plugin.toml"), manifest)
        .unwrap();
    home.write(&format!("{scheme}/key"), key_of(scheme))
        .unwrap();
    format!(
        "[plugins.{scheme}]\npath = \"{scheme}\"\nallow-networks = [\"loopback\"]\n\
         secrets = {{ key = {{ file = \"{scheme}/key\" }} }}\n\
         grant = {{ http = [\"*\"], webhook = [\"*\"], events = [\"*\"] }}\n"
    )
}

fn key_of(scheme: &str) -> String {
    match scheme {
        "standard-webhooks" => format!("whsec_{}", BASE64_STANDARD.encode(KEY)),
        _ => KEY.to_owned(),
    }
}

fn mac(text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The headers that a sender of this scheme signs `body` with, `off_s` seconds from now.
fn signed(scheme: &str, id: &str, body: &str, off_s: i64) -> Vec<(&'static str, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = (i64::try_from(now.as_secs()).unwrap() + off_s).to_string();
    match scheme {
        "slack-v0" => {
            let signature = hex::encode(mac(&format!("v0:{at}:{body}")));
            vec![
                ("x-slack-request-timestamp", at),
                ("x-slack-signature", format!("v0={signature}")),
            ]
        }
        "gitlab-token" => vec![
            ("x-gitlab-token", KEY.to_owned()),
            ("x-gitlab-event-uuid", id.to_owned()),
        ],
        "standard-webhooks" => {
            let signature = BASE64_STANDARD.encode(mac(&format!("{id}.{at}.{body}")));
            vec![
                ("webhook-id", id.to_owned()),
                ("webhook-timestamp", at),
                ("webhook-signature", format!("v1,{signature}")),
            ]
        }
        _ => vec![
            (
                "x-hub-signature-256",
                format!("sha256={}", hex::encode(mac(body))),
            ),
            ("x-github-delivery", id.to_owned()),
        ],
    }
}

struct Endpoints {
    program: Program,
    relay: Relay,
    handled: Arc<AtomicUsize>,
    _home: Home,
}

impl Endpoints {
    async fn open() -> Self {
        let relay = Relay::start(["ada@x.org".to_owned()].into()).await.unwrap();
        let home = Home::new().unwrap();
        let (url, handled) = counter().await;
        let plugins = SCHEMES.map(|scheme| install(&home, scheme, &url));
        // There are no policies, so the fallback is paged.
        let policies = "policy.path = \"policies\"";
        let more = [&*config::mail(relay.port()), policies, &plugins.concat()];
        Self {
            program: home.open(&more).await.unwrap(),
            relay,
            handled,
            _home: home,
        }
    }

    /// Sends a webhook; returns its response, and how many have been handled.
    async fn send(
        &self,
        scheme: &str,
        headers: &[(&'static str, String)],
        body: &str,
    ) -> (u16, String, usize) {
        let url = format!("{}/hooks/{scheme}/in", self.program.url);
        let mut asked = reqwest::Client::new().post(url).body(body.to_owned());
        for (name, value) in headers {
            asked = asked.header(*name, value);
        }
        let answer = asked.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, text, self.handled.load(Ordering::SeqCst))
    }

    /// The acknowledge link in Ada's page by mail.
    async fn acknowledge_link(&self) -> String {
        let token = self.program.token("ingest", Some("any")).await.unwrap();
        let asked = reqwest::Client::new()
            .post(format!("{}/ingest/any", self.program.url))
            .bearer_auth(token)
            .json(&json!({ "title": "Down" }));
        assert!(asked.send().await.unwrap().status().is_success());
        let mail = async || self.relay.mails().pop();
        let mail = until("a page by mail", WITHIN, mail).await.unwrap();
        let begin = mail.text.find("http").unwrap();
        let words = mail.text[begin..].split_whitespace();
        let mut links = words.filter(|it| it.contains("/ack/"));
        links.next().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_handled_once_its_retry_gets_the_first_answer_and_its_replay_none() {
    let endpoints = Endpoints::open().await;
    let mut handled = 0;
    for scheme in SCHEMES {
        let (first, other) = (signed(scheme, "id-1", "body 1", 0), "body 2");
        handled += 1;
        let taken = (200, "taken".to_owned(), handled);
        // A sender's retry has a new signature, but is recognized. Without a signed time, a replay
        // looks the same.
        let retry = signed(scheme, "id-1", "body 1", 2);
        for (what, headers) in [("first", &first), ("a retry", &retry)] {
            let got = endpoints.send(scheme, headers, "body 1").await;
            assert_eq!(got, taken, "{scheme}: {what}");
        }
        for replay in [&first, &retry] {
            let (status, text, after) = endpoints.send(scheme, replay, "body 1").await;
            let is_refused = status == 409 && text.contains("it is a replay");
            let signs_time = ["slack-v0", "standard-webhooks"].contains(&scheme);
            assert_eq!(
                (is_refused, after),
                (signs_time, handled),
                "{scheme}: {text}"
            );
        }
        if scheme != "gitlab-token" {
            let (status, text, after) = endpoints.send(scheme, &first, other).await;
            assert_eq!((status, after), (401, handled), "{scheme}: {text}");
        }
        let next = signed(scheme, "id-2", other, 0);
        handled += 1;
        let (status, _, after) = endpoints.send(scheme, &next, other).await;
        assert_eq!(
            (status, after),
            (200, handled),
            "{scheme}: another one is another one"
        );
    }
    let genuine = signed("hmac-sha256", "", "body 3", 0);
    for _ in 0..2 {
        let (status, _, after) = endpoints.send("hmac-sha256", &genuine[..1], "body 3").await;
        handled += 1;
        let why = "without an id, both may be genuine";
        assert_eq!((status, after), (200, handled), "{why}");
    }
    let wrong = [("x-gitlab-token", KEY[1..].to_owned())];
    let (status, _, after) = endpoints.send("gitlab-token", &wrong, "body").await;
    assert_eq!((status, after), (401, handled));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_is_old_or_early_is_refused_and_a_link_acknowledges_once() {
    let endpoints = Endpoints::open().await;
    for scheme in ["slack-v0", "standard-webhooks"] {
        for off_s in [STALE_S, -STALE_S] {
            let signed = signed(scheme, "id", "body", off_s);
            let (status, text, handled) = endpoints.send(scheme, &signed, "body").await;
            assert_eq!((status, handled), (401, 0), "{scheme}: {text}");
            assert!(
                text.contains("a replay, or one of the two clocks"),
                "{text}"
            );
        }
    }

    let link = endpoints.acknowledge_link().await;
    let client = reqwest::Client::new();
    let press = async |link: &str| {
        let answer = client.post(link).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let last = link.chars().last().unwrap();
    let changed = if last == 'A' { 'Q' } else { 'A' };
    let forged = format!("{}{changed}", &link[..link.len() - 1]);
    assert_ne!(press(&forged).await.0, 200, "a changed link has an effect");
    assert_eq!(press(&link).await.0, 200);
    let (status, again) = press(&link).await;
    assert!(status == 200 || status == 409, "{status} {again}");
    let incident = endpoints.program.show("incidents/1").await;
    let incident = incident.unwrap().unwrap();
    let timeline = incident["timeline"].as_array().unwrap().iter();
    let acknowledged = timeline.filter(|it| it["text"].as_str().unwrap().contains("acknowledged"));
    assert_eq!(acknowledged.count(), 1, "{incident}");
}
