//! Tests the plugin against a stand-in that refuses what Twilio refuses.

mod answers;
mod snapshots;

use crate::{EVENTS, PHONE, SMS, Twilio as ThePlugin, replies};
use std::cell::RefCell;
use std::rc::Rc;
use tocsin_plugin_sdk::Plugin;
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::testing::{FakeHost, bundle, event, incident, page, person};
use tocsin_plugin_sdk::types::{
    EventBody, Failure, HealthReport, Job, Label, Outcome, Page, Settled, WebhookRequest,
};
use tocsin_standins::install;
use tocsin_standins::twilio::{ACCOUNT, FROM, Item, TOKEN, Twilio};

const ADA: &str = "+15557654321";
/// When the page of the fixtures is made.
const NOON: &str = "Fri, 02 Jan 2026 12:00:01 +0000";

mod questions;

struct World {
    host: FakeHost,
    twilio: Rc<RefCell<Twilio>>,
}

impl World {
    /// A daemon that Twilio cannot reach.
    fn start() -> Self {
        let twilio = Twilio {
            now: NOON.into(),
            ..Twilio::default()
        };
        let (host, twilio) = install(twilio, |right, asked| {
            assert_eq!(right, "api");
            asked.set_basic(&format!("{ACCOUNT}:{TOKEN}"));
        });
        let settings = [
            ("base-url", "https://api.twilio.example"),
            ("account-sid", ACCOUNT),
            ("from", FROM),
        ];
        settings
            .iter()
            .for_each(|(key, value)| host.set_config(key, value));
        World { host, twilio }
    }

    fn public() -> Self {
        let world = Self::start();
        world
            .host
            .set_config("public-url", "https://tocsin.example/");
        world
    }

    fn deliver(&self, id: &str, body: EventBody) -> Result<Outcome, Failure> {
        let delivery = self.host.begin(id);
        ThePlugin::on_event(event(id, body), &delivery)
    }

    fn page(&self, id: &str, page: Page) -> Result<Outcome, Failure> {
        self.deliver(id, EventBody::Page(page))
    }

    fn settle(&self, id: &str) -> Result<Outcome, Failure> {
        let settled = Settled {
            id: id.into(),
            by: None,
            choice: None,
            extra: "{}".into(),
        };
        self.deliver(&format!("settle-{id}"), EventBody::Settled(settled))
    }

    fn read(&self, id: &str) {
        let job = EventBody::Job(Job {
            topic: replies::TOPIC.into(),
            payload: "{}".into(),
        });
        assert_eq!(self.deliver(id, job), Ok(Outcome::Done));
    }

    fn calls(&self) -> Vec<Item> {
        self.twilio.borrow().calls.clone()
    }

    fn texts(&self) -> Vec<Item> {
        self.twilio.borrow().messages.clone()
    }

    fn set_call(&self, status: &str) {
        self.twilio.borrow_mut().calls[0].status = status.into();
    }

    /// The commands, with who gave them.
    fn commands(&self) -> Vec<String> {
        let commands = self.host.commands().into_iter();
        let shown = commands.map(|it| {
            let by = it
                .by
                .map(|by| format!(" by {} {}", by.kind, by.id))
                .unwrap_or_default();
            format!("{} {} {}{by}", it.verb, it.id.unwrap_or_default(), it.text)
        });
        shown.collect()
    }

    /// Twilio's request to a route; returns the TwiML.
    fn post(&self, route: &str, query: &str, body: &str) -> String {
        self.host.begin(&format!("{route}{query}{body}"));
        let request = WebhookRequest {
            route: route.into(),
            method: "POST".into(),
            path: format!("/hooks/twilio/{route}"),
            query: query.into(),
            headers: Vec::new(),
            body: body.into(),
            verified: true,
            idempotency_key: String::new(),
            received_at: 0,
        };
        let response = ThePlugin::on_webhook(request).unwrap();
        assert_eq!(response.headers[0].value, "text/xml");
        String::from_utf8(response.body).unwrap()
    }
}

fn alone(id: &str, kind: &str) -> Page {
    page(id, &incident(), &person("ada", kind, ADA))
}

fn acknowledged(kind: &str) -> [String; 2] {
    let by = format!("by {kind} {ADA}");
    [
        format!("receipt p/1 pressed {by}"),
        format!("acknowledge p/1  {by}"),
    ]
}

/// What a call says, a line for each prompt.
fn spoken(twiml: &str) -> String {
    let said = twiml.split("<Say language=\"en-US\">").skip(1);
    let said = said.map(|it| it.split('<').next().unwrap_or_default());
    said.collect::<Vec<_>>().join("\n")
}

fn is_retry(result: &Result<Outcome, Failure>) -> bool {
    matches!(result, Err(Failure::Retry(_)))
}

#[test]
fn a_call_says_what_and_since_when_twice_and_asks_for_a_key() {
    let world = World::public();
    assert!(
        is_retry(&world.page("d", alone("p/1", PHONE))),
        "it is ringing"
    );
    let [call] = &world.calls()[..] else { panic!() };
    assert_eq!((call.from.as_str(), call.to.as_str()), (FROM, ADA));
    let prompt = "This is tocsin with a page for ada. MAJOR checkout: Checkout is down. \
                  Since: 12:00 (6 min ago). Incident 42. Press 1 to acknowledge.";
    let end = "No key was pressed. The escalation continues. Goodbye.";
    assert_eq!(spoken(&call.body), format!("{prompt}\n{prompt}\n{end}"));
    let gather = "<Gather numDigits=\"1\" timeout=\"8\" method=\"POST\" \
                  action=\"https://tocsin.example/hooks/twilio/gather?page=p%2F1\">";
    assert_eq!(call.body.matches(gather).count(), 2, "{}", call.body);
    assert_eq!(world.texts().len(), 0);
}

#[test]
fn a_call_that_is_answered_is_seen_and_one_that_is_not_goes_to_the_next_contact() {
    for (status, want) in [
        ("ringing", "retry"),
        ("in-progress", "done"),
        ("completed", "done"),
        ("busy", "next"),
        ("no-answer", "next"),
        ("failed", "next"),
        ("canceled", "next"),
    ] {
        let world = World::public();
        assert!(is_retry(&world.page("d", alone("p/1", PHONE))));
        world.set_call(status);
        let got = match world.page("d", alone("p/1", PHONE)) {
            Ok(Outcome::Done) => "done",
            Err(Failure::Retry(_)) => "retry",
            Err(Failure::Permanent(_)) => "next",
            other => panic!("{other:?}"),
        };
        assert_eq!(got, want, "{status}");
        let seen: &[&str] = if want == "done" {
            &["receipt p/1 seen"]
        } else {
            &[]
        };
        assert_eq!(world.commands(), seen, "{status}");
        assert_eq!(world.calls().len(), 1, "one call for all attempts");
    }
}

#[test]
fn the_key_1_acknowledges_and_the_person_hears_it() {
    let world = World::public();
    world.host.answer_commands(Ok("Acknowledged <42>.".into()));
    world.page("d", alone("p/1", PHONE)).unwrap_err();
    let again = world.post("gather", "page=p%2F1", "Digits=7&CallSid=CA0");
    assert!(again.contains("<Gather"), "{again}");
    assert_eq!(world.commands(), [""; 0]);
    let said = world.post("gather", "page=p%2F1", "Digits=1&CallSid=CA0");
    assert_eq!(spoken(&said), "Acknowledged &lt;42&gt;. Goodbye.");
    assert_eq!(world.commands(), acknowledged(PHONE));
    world.set_call("in-progress");
    world.settle("p/1").unwrap();
    assert_eq!(
        world.calls()[0].status,
        "in-progress",
        "the person is listening"
    );
    let late = world.post("gather", "page=p%2F1", "Digits=1&CallSid=CA0");
    assert_eq!(
        spoken(&late),
        "This page needs no answer any more. Goodbye."
    );
    assert_eq!(world.commands().len(), 2);
}

#[test]
fn a_settled_page_ends_its_call() {
    let world = World::public();
    world.page("d", alone("p/1", PHONE)).unwrap_err();
    world.set_call("ringing");
    world.settle("p/1").unwrap();
    assert_eq!(world.calls()[0].status, "completed");
    assert_eq!(world.page("d", alone("p/1", PHONE)), Ok(Outcome::Ignored));
    // A call that is over cannot be ended.
    let world = World::public();
    world.page("d", alone("p/1", PHONE)).unwrap_err();
    world.set_call("no-answer");
    assert_eq!(world.settle("p/1"), Ok(Outcome::Done));
}

#[test]
fn without_an_inbound_address_a_text_comes_with_the_call() {
    let world = World::start();
    assert_eq!(world.page("d", alone("p/1", PHONE)), Ok(Outcome::Done));
    let said = spoken(&world.calls()[0].body);
    assert!(said.contains("reply 1 to the text message"), "{said}");
    assert!(!world.calls()[0].body.contains("Gather"));
    let want = "MAJOR checkout: Checkout is down\nSince: 12:00 (6 min ago)\n\
                Runbook: https://wiki.example/checkout\nIncident: #42\n\
                Reply 1 to acknowledge or open https://tocsin.example/ack/p/1";
    assert_eq!(world.texts()[0].body, want);
    world.set_call("in-progress");
    world.read("r1");
    world.twilio.borrow_mut().receive(ADA, "1");
    world.read("r2");
    let [pressed, acknowledge] = acknowledged(PHONE);
    let seen = "receipt p/1 seen".to_string();
    assert_eq!(world.commands(), [seen, pressed, acknowledge]);

    let world = World::start();
    world.twilio.borrow_mut().landlines.push(ADA.into());
    assert!(is_retry(&world.page("d", alone("p/1", PHONE))));
    let said = spoken(&world.calls()[0].body);
    assert!(said.contains("acknowledge it in chat"), "{said}");
    assert_eq!(world.host.jobs(), []);
}

#[test]
fn a_text_that_reached_the_phone_is_seen_once() {
    let world = World::start();
    world.page("d", alone("p/1", SMS)).unwrap();
    world.twilio.borrow_mut().messages[0].status = "delivered".into();
    world.read("r1");
    world.read("r2");
    assert_eq!(world.commands(), ["receipt p/1 seen"]);

    let world = World::start();
    world.page("d", alone("p/1", SMS)).unwrap();
    world.twilio.borrow_mut().messages[0].status = "undelivered".into();
    world.read("r1");
    world.read("r2");
    assert_eq!(world.commands(), [""; 0]);
    assert_eq!(world.host.logs().len(), 1, "{:?}", world.host.logs());
}

#[test]
fn a_call_or_a_text_whose_outcome_is_unknown_is_looked_for() {
    for (kind, lost) in [(PHONE, "/Calls.json"), (SMS, "/Messages.json")] {
        for arrived in [true, false] {
            let world = World::start();
            // An earlier page's call and text to the same number.
            let _ = world.page("before", alone("p0", kind));
            let before = world.calls().len() + world.texts().len();
            world.host.lose_answer(lost);
            world.page("d", alone("p/1", kind)).unwrap_err();
            if !arrived {
                let mut twilio = world.twilio.borrow_mut();
                twilio.calls.truncate(1);
                if kind == SMS {
                    twilio.messages.truncate(1);
                }
            }
            // It is worded anew, minutes later.
            let mut again = alone("p/1", kind);
            again.items[0].facts[0].text = "12:00 (9 min ago)".into();
            again.ack_url = Some("https://tocsin.example/ack/other".into());
            let mut event = event("p/1", EventBody::Page(again));
            event.at += 180_000;
            let _ = ThePlugin::on_event(event, &world.host.begin("d"));
            let after = world.calls().len() + world.texts().len();
            assert_eq!(after, 2 * before, "{kind} {arrived}");
        }
    }
}

#[test]
fn each_refusal_has_its_consequence() {
    let world = World::start();
    for number in ["5551234", "+0123456789", "ada"] {
        let to = page("p", &incident(), &person("ada", SMS, number));
        assert!(
            matches!(world.page("d", to), Err(Failure::Permanent(_))),
            "{number}"
        );
    }
    world.twilio.borrow_mut().landlines.push(ADA.into());
    assert!(matches!(
        world.page("d", alone("p/1", SMS)),
        Err(Failure::Permanent(_))
    ));
    for (status, is_retried) in [(429, true), (500, true), (400, false)] {
        world.twilio.borrow_mut().fault = Some(status);
        let result = world.page("d", alone("p/1", SMS));
        assert_eq!(is_retry(&result), is_retried, "{status}: {result:?}");
    }
    world.twilio.borrow_mut().fault = Some(401);
    let result = world.page("d", alone("p/1", SMS));
    assert!(
        matches!(result, Err(Failure::Misconfigured(_))),
        "{result:?}"
    );
    assert!(matches!(ThePlugin::health(), HealthReport::Failing(_)));
    world.twilio.borrow_mut().fault = None;
    assert_eq!(ThePlugin::health(), HealthReport::Ok);
}

#[test]
fn whatever_is_long_or_odd_fits_into_what_twilio_takes() {
    for kind in [PHONE, SMS] {
        let world = World::public();
        let mut long = bundle("b", &vec![incident(); 40], &person("ada", kind, ADA));
        long.summary = "<&\"'> \u{7}\u{ffff} https://x.example".repeat(300);
        long.items[0].facts[0].text = "'".repeat(3000);
        let _ = world.page("d", long);
        assert_eq!(world.calls().len() + world.texts().len(), 1, "{kind}");
    }
    let world = World::public();
    let _ = world.page(
        "d",
        bundle("b", &vec![incident(); 3], &person("ada", PHONE, ADA)),
    );
    assert!(spoken(&world.calls()[0].body).contains("Press 1 to acknowledge all 3 incidents."));
}

#[test]
fn a_test_page_says_that_it_is_one() {
    for kind in [PHONE, SMS] {
        let world = World::public();
        let mut test = alone("p", kind);
        test.test = true;
        let _ = world.page("d", test);
        let said = match kind {
            PHONE => spoken(&world.calls()[0].body),
            _ => world.texts()[0].body.clone(),
        };
        assert!(
            said.contains("with a test page") || said.starts_with("TEST: "),
            "{said}"
        );
        assert!(!said.contains("escalation"), "{said}");
        let said = spoken(&world.post("gather", "page=p&try=5", "Digits=7&CallSid=CA0"));
        assert_eq!(said, "This was only a test. Goodbye.", "{kind}");
    }
}

#[test]
fn the_contact_that_the_daemon_names_is_used() {
    let world = World::public();
    let mut page = alone("p", PHONE);
    page.to.contacts.push(Label {
        key: SMS.into(),
        value: "+15559999999".into(),
    });
    page.extra = json!({"contact": {"kind": SMS, "address": "+15559999999"}}).to_string();
    world.page("d", page).unwrap();
    assert_eq!(world.texts()[0].to, "+15559999999");
}

#[test]
fn wrong_settings_are_refused_with_an_example() {
    let good = json!({
        "account-sid": ACCOUNT, "from": FROM, "public-url": "https://tocsin.example", "ring-s": 30,
    });
    assert_eq!(ThePlugin::check_config(&good), []);
    let bad = json!({
        "account-sid": "SK1", "from": "5551230000", "public-url": "tocsin.example/x", "ring-s": 5,
        "language": "German",
    });
    let issues = ThePlugin::check_config(&bad);
    let paths: Vec<&str> = issues.iter().map(|it| it.path.as_str()).collect();
    let want = ["account-sid", "language", "from", "public-url", "ring-s"];
    assert_eq!(paths, want);
    for language in ["en-US", "es-419", "en-GB-WLS", "cmn-Hans-CN", "arb"] {
        let mut good = good.clone();
        good["language"] = language.into();
        assert_eq!(ThePlugin::check_config(&good), [], "{language}");
    }
}

#[test]
fn the_manifest_subscribes_to_the_events_that_are_handled() {
    let manifest = include_str!("../plugin.toml");
    tocsin_plugin_sdk::testing::assert_manifest(manifest, &EVENTS, env!("CARGO_PKG_VERSION"));
}
