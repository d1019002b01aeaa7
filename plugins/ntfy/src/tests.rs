//! Tests the plugin against a stand-in that refuses what ntfy refuses.

mod presses;
mod snapshots;

use crate::{EVENTS, Ntfy as ThePlugin, answers};
use std::cell::RefCell;
use std::rc::Rc;
use tocsin_plugin_sdk::Plugin;
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::testing::{
    FakeHost, bundle, event, incident, page, person, prompt, reminder, test_page,
};
use tocsin_plugin_sdk::types::{
    EventBody, Failure, Grade, Incident, Job, Outcome, Page, Person, Settled,
};
use tocsin_standins::ntfy::{LOGIN, Ntfy, TOKEN};
use tocsin_standins::{Asked, install};

struct World {
    host: FakeHost,
    ntfy: Rc<RefCell<Ntfy>>,
}

impl World {
    fn start() -> Self {
        let world = Self::with(Ntfy::default());
        world.host.unset_secret("token");
        world.host.unset_secret("password");
        world
    }

    /// With both credentials.
    fn with(ntfy: Ntfy) -> Self {
        let credential = |right: &str, asked: &mut Asked| match right {
            "token" => asked.set_header("authorization", &format!("Bearer {TOKEN}")),
            "login" => asked.set_basic(LOGIN),
            right => assert_eq!(right, "open"),
        };
        let (host, ntfy) = install(ntfy, credential);
        host.set_config("base-url", "https://ntfy.example/");
        ntfy.borrow_mut().now_s = event("e", settled("x")).at / 1000;
        World { host, ntfy }
    }

    fn deliver(&self, id: &str, body: EventBody) -> Result<Outcome, Failure> {
        let delivery = self.host.begin(id);
        ThePlugin::on_event(event(id, body), &delivery)
    }

    fn messages(&self) -> Vec<Value> {
        self.ntfy.borrow().messages.clone()
    }
}

fn ada() -> Person {
    person("ada", "ntfy", "ada-x7Kq")
}

fn settled(id: &str) -> EventBody {
    EventBody::Settled(Settled {
        id: id.into(),
        by: None,
        choice: None,
        extra: "{}".into(),
    })
}

fn graded(grade: Grade) -> Incident {
    Incident {
        grade,
        ..incident()
    }
}

fn two() -> Page {
    let mut second = graded(Grade::Minor);
    second.number = 43;
    bundle("b-1", &[graded(Grade::Critical), second], &ada())
}

/// What a phone shows, in the order in which ntfy's apps show it.
fn shown(message: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let mut lines = vec![
        format!(
            "to {}, priority {}",
            text(&message["topic"]),
            message["priority"]
        ),
        format!(
            ":{}: {}",
            text(&message["tags"][0]),
            text(&message["title"])
        ),
        text(&message["message"]),
        format!("tap → {}", text(&message["click"])),
    ];
    for action in message["actions"].as_array().unwrap() {
        let method = if action["action"] == "http" {
            "POST"
        } else {
            "open"
        };
        let body = text(&action["body"]);
        let (label, url) = (text(&action["label"]), text(&action["url"]));
        lines.push(format!("[{label}] {method} {url} {body}").trim_end().into());
    }
    lines.join("\n")
}

#[test]
fn a_page_is_a_notification_that_says_enough_to_act_on() {
    let world = World::start();
    world
        .deliver("d", EventBody::Page(page("p-1", &incident(), &ada())))
        .unwrap();
    let [message] = &world.messages()[..] else {
        panic!()
    };
    let want = "\
to ada-x7Kq, priority 5
:warning: MAJOR checkout: Checkout is down
Since: 12:00 (6 min ago)
Runbook: https://wiki.example/checkout
Incident: #42
tap → https://wiki.example/checkout
[Acknowledge] POST https://tocsin.example/ack/p-1
[Runbook] open https://wiki.example/checkout";
    assert_eq!(shown(message), want);
    assert!(message["actions"][0]["clear"].as_bool().unwrap());
}

#[test]
fn a_page_about_two_incidents_has_a_button_for_all_and_one_for_the_worst() {
    let world = World::start();
    world.deliver("d", EventBody::Page(two())).unwrap();
    let want = "\
to ada-x7Kq, priority 5
:rotating_light: CRITICAL checkout: Checkout is down and 1 more
#42 CRITICAL checkout: Checkout is down
Since: 12:00 (6 min ago)
Runbook: https://wiki.example/checkout

#43 MINOR checkout: Checkout is down
Since: 12:00 (6 min ago)
Runbook: https://wiki.example/checkout
tap → https://wiki.example/checkout
[Acknowledge all 2] POST https://tocsin.example/ack/b-1
[Acknowledge #42] POST https://tocsin.example/ack/b-1/1
[Runbook] open https://wiki.example/checkout";
    assert_eq!(shown(&world.messages()[0]), want);
}

#[test]
fn a_test_page_says_so_and_is_as_loud_as_a_critical_page() {
    let world = World::start();
    let test = test_page("p-1", &ada());
    world.deliver("d", EventBody::Page(test)).unwrap();
    let text = shown(&world.messages()[0]);
    let begins = "to ada-x7Kq, priority 5\n\
                  :test_tube: TEST: No incident: this only tests the way to you\n\
                  This only tests the way to you. ";
    assert!(text.starts_with(begins), "{text}");
    assert!(text.contains("[Acknowledge] POST"), "{text}");
}

#[test]
fn a_reminder_makes_no_sound_and_has_no_button() {
    for topic in ["", "answers-x7Kq"] {
        let world = World::start();
        world.host.set_config("answer-topic", topic);
        let reminder = EventBody::Page(reminder("p-1", &ada()));
        world.deliver("d", reminder).unwrap();
        let text = shown(&world.messages()[0]);
        assert!(text.starts_with("to ada-x7Kq, priority 2\n"), "{text}");
        assert!(!text.contains("Acknowledge"), "{text}");
        assert_eq!(world.host.jobs(), [], "nothing is waited for");
    }
}

#[test]
fn the_priority_follows_the_grade_and_the_settings() {
    for (grade, setting, want) in [
        (Grade::Critical, None, 5),
        (Grade::Minor, None, 4),
        (Grade::Minor, Some(("priority-minor", "2")), 2),
    ] {
        let world = World::start();
        if let Some((key, value)) = setting {
            world.host.set_config(key, value);
        }
        world
            .deliver("d", EventBody::Page(page("p", &graded(grade), &ada())))
            .unwrap();
        assert_eq!(
            world.messages()[0]["priority"],
            want,
            "{grade:?} {setting:?}"
        );
    }
}

#[test]
fn the_address_is_a_topic_or_its_url_on_the_server() {
    for (address, topic) in [
        ("ada-x7Kq", Some("ada-x7Kq")),
        ("https://ntfy.example/ada_1", Some("ada_1")),
        ("https://ntfy.example/", None),
        ("https://other.example/ada", None),
        ("ada/x", None),
        ("", None),
    ] {
        let world = World::start();
        let body = EventBody::Page(page("p", &incident(), &person("ada", "ntfy", address)));
        let result = world.deliver("d", body);
        let topics: Vec<Value> = world
            .messages()
            .iter()
            .map(|it| it["topic"].clone())
            .collect();
        match topic {
            Some(topic) => assert_eq!(topics, [topic], "{address}"),
            None => assert!(matches!(result, Err(Failure::Permanent(_))), "{address}"),
        }
    }
}

#[test]
fn whatever_is_long_or_odd_fits_into_what_ntfy_takes() {
    let world = World::start();
    let mut long = two();
    long.id = format!("page/{}", "ü:".repeat(60));
    long.summary = "\u{1F525}\"".repeat(400);
    for item in &mut long.items {
        item.facts[0].text = "\"\\\u{1F525}".repeat(900);
        item.links[0].title = "x\n".repeat(90);
    }
    world.deliver("d", EventBody::Page(long)).unwrap();
    assert_eq!(world.messages().len(), 1);
}

#[test]
fn the_token_is_used_or_else_the_password() {
    for (unset, works) in [
        (vec![], true),
        (vec!["token"], true),
        (vec!["token", "password"], false),
    ] {
        let world = World::with(Ntfy {
            is_private: true,
            ..Ntfy::default()
        });
        unset.iter().for_each(|it| world.host.unset_secret(it));
        let result = world.deliver("d", EventBody::Page(page("p", &incident(), &ada())));
        assert_eq!(result.is_ok(), works, "{unset:?}: {result:?}");
        assert!(
            works || matches!(result, Err(Failure::Misconfigured(_))),
            "{result:?}"
        );
    }
}

#[test]
fn a_refusal_goes_to_the_next_contact_and_a_fault_is_retried() {
    for (status, is_retried) in [
        (400, false),
        (413, false),
        (429, true),
        (500, true),
        (507, true),
    ] {
        let world = World::start();
        world.ntfy.borrow_mut().fault = Some(status);
        let body = EventBody::Page(page("p", &incident(), &ada()));
        let result = world.deliver("d", body.clone());
        assert_eq!(
            matches!(result, Err(Failure::Retry(_))),
            is_retried,
            "{result:?}"
        );
        world.ntfy.borrow_mut().fault = None;
        world.deliver("d", body).unwrap();
        assert_eq!(world.messages().len(), 1);
    }
}

#[test]
fn a_message_whose_outcome_is_unknown_is_looked_for_and_not_sent_twice() {
    for is_old in [false, true] {
        let world = World::start();
        world.ntfy.borrow_mut().is_old = is_old;
        let body = EventBody::Page(page("p", &incident(), &ada()));
        world.host.lose_answer("/");
        world.deliver("d", body.clone()).unwrap_err();
        world.deliver("d", body).unwrap();
        assert_eq!(world.messages().len(), 1);
    }
}

#[test]
fn a_message_that_did_not_arrive_is_sent_again() {
    let world = World::start();
    let body = EventBody::Page(page("p", &incident(), &ada()));
    world.host.lose_answer("/");
    world.deliver("d", body.clone()).unwrap_err();
    world.ntfy.borrow_mut().messages.clear();
    world.deliver("d", body).unwrap();
    assert_eq!(world.messages().len(), 1);
}

#[test]
fn a_settled_page_is_cleared_from_the_phone_once() {
    let world = World::start();
    world.deliver("d", EventBody::Page(two())).unwrap();
    assert_eq!(world.deliver("s1", settled("b-1/1")), Ok(Outcome::Ignored));
    assert!(
        world.ntfy.borrow().cleared.is_empty(),
        "the other incident waits"
    );
    for _ in 0..2 {
        world.deliver("s2", settled("b-1/2")).unwrap();
    }
    let cleared = world.ntfy.borrow().cleared.clone();
    assert_eq!(cleared, [("ada-x7Kq".to_string(), "b-1".to_string())]);
    assert_eq!(
        world.deliver("d", EventBody::Page(two())),
        Ok(Outcome::Ignored)
    );
    assert_eq!(world.messages().len(), 1);
}

#[test]
fn an_old_server_that_cannot_clear_is_no_failure_and_one_that_is_down_is_asked_again() {
    let world = World::start();
    world
        .deliver("d", EventBody::Page(page("p", &incident(), &ada())))
        .unwrap();
    world.ntfy.borrow_mut().fault = Some(503);
    assert!(matches!(
        world.deliver("s", settled("p")),
        Err(Failure::Retry(_))
    ));
    world.ntfy.borrow_mut().fault = None;
    world.ntfy.borrow_mut().is_old = true;
    assert_eq!(world.deliver("s", settled("p")), Ok(Outcome::Done));
}

/// Presses the button at this place of the first message.
fn press(world: &World, place: usize) {
    let action = world.messages()[0]["actions"][place].clone();
    let mut asked = Asked::new("POST", action["url"].as_str().unwrap());
    asked.body = action["body"].as_str().unwrap().into();
    let answered = tocsin_standins::Service::answer(&mut *world.ntfy.borrow_mut(), &asked);
    assert_eq!(answered.status, 200);
}

fn read(world: &World, id: &str) {
    let job = EventBody::Job(Job {
        topic: answers::TOPIC.into(),
        payload: "{}".into(),
    });
    assert_eq!(world.deliver(id, job), Ok(Outcome::Done));
}

#[test]
fn without_an_inbound_address_a_press_in_the_answer_topic_acknowledges_once() {
    for (place, item) in [(0, ""), (1, "b-1/1")] {
        let world = World::start();
        world.host.set_config("answer-topic", "tocsin-answers");
        world.deliver("d", EventBody::Page(two())).unwrap();
        let [job] = &world.host.jobs()[..] else {
            panic!()
        };
        assert_eq!((job.topic.as_str(), job.delay_ms), ("answers", 10_000));
        read(&world, "r1");
        assert_eq!(world.host.commands(), []);
        press(&world, place);
        // What others publish there means nothing.
        let mut other = Asked::new("POST", "/tocsin-answers");
        other.body = b"0123/0".to_vec();
        tocsin_standins::Service::answer(&mut *world.ntfy.borrow_mut(), &other);
        read(&world, "r2");
        read(&world, "r3");
        let commands = world.host.commands();
        let shown: Vec<_> = commands
            .iter()
            .map(|it| (it.verb, it.id.as_deref().unwrap(), it.text.as_str()))
            .collect();
        assert_eq!(
            shown,
            [("receipt", "b-1", "pressed"), ("acknowledge", "b-1", item)]
        );
        let by = commands[0].by.clone().unwrap();
        assert_eq!((by.kind.as_str(), by.id.as_str()), ("ntfy", "ada-x7Kq"));
        assert_eq!(
            world.host.jobs().len(),
            4,
            "it is read until the page is over"
        );
        world.deliver("s", settled("b-1")).unwrap();
        read(&world, "r4");
        assert_eq!(world.host.jobs().len(), 4);
    }
}

#[test]
fn the_answer_topic_is_read_again_after_a_fault() {
    let world = World::start();
    world.host.set_config("answer-topic", "tocsin-answers");
    world.deliver("d", EventBody::Page(two())).unwrap();
    press(&world, 0);
    world.ntfy.borrow_mut().fault = Some(500);
    read(&world, "r1");
    world.ntfy.borrow_mut().fault = None;
    read(&world, "r2");
    assert_eq!(world.host.commands().len(), 2);
}

#[test]
fn wrong_settings_are_refused_with_an_example() {
    let _world = World::start();
    let good = json!({"base-url": "https://ntfy.sh", "priority-minor": 3, "answer-topic": "a-1"});
    assert_eq!(ThePlugin::check_config(&good), []);
    let bad = json!({
        "base-url": "https://example.com/ntfy", "answer-topic": "a b", "priority-major": 6,
        "user": "tocsin",
    });
    let issues = ThePlugin::check_config(&bad);
    let paths: Vec<&str> = issues.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(
        paths,
        ["base-url", "answer-topic", "priority-major", "user"]
    );
}

#[test]
fn the_manifest_subscribes_to_the_events_that_are_handled() {
    let manifest = include_str!("../plugin.toml");
    tocsin_plugin_sdk::testing::assert_manifest(manifest, &EVENTS, env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_question_is_an_ordinary_notification_with_a_button_for_each_answer() {
    let world = World::start();
    let critical = prompt("m-1", &[graded(Grade::Critical)], &ada());
    world.deliver("d", EventBody::Prompt(critical)).unwrap();
    let want = "\
to ada-x7Kq, priority 3
:question: Are you still on it? CRITICAL checkout: Checkout is down
Please answer by 12:10. Without an answer the escalation starts again.

Since: 12:00 (6 min ago)
Runbook: https://wiki.example/checkout
Incident: #42
tap → https://wiki.example/checkout
[Still on it] POST https://tocsin.example/ack/m-1-yes
[Page somebody else] POST https://tocsin.example/ack/m-1-no";
    assert_eq!(shown(&world.messages()[0]), want);
    assert_eq!(world.deliver("s", settled("m-1/1")), Ok(Outcome::Done));
    let minor = prompt("m-2", &[graded(Grade::Minor)], &ada());
    world.deliver("e", EventBody::Prompt(minor)).unwrap();
    let last = world.messages().last().unwrap().clone();
    assert_eq!(last["priority"], 2, "it makes no sound");
    assert_eq!(world.host.jobs(), [], "links need no reading");
}

#[test]
fn an_answer_that_arrives_in_the_answer_topic_is_given_once() {
    let world = World::start();
    world.host.set_config("answer-topic", "tocsin-answers");
    let many = prompt("m-1", &vec![incident(); 300], &ada());
    world.deliver("d", EventBody::Prompt(many)).unwrap();
    let actions = world.messages()[0]["actions"].clone();
    let [yes, no] = [0, 1].map(|at| actions[at]["body"].as_str().unwrap().to_string());
    assert_ne!(yes, no);
    for said in ["0123".to_string(), format!("{no}/0"), no] {
        let mut pressed = Asked::new("POST", "/tocsin-answers");
        pressed.body = said.into_bytes();
        tocsin_standins::Service::answer(&mut *world.ntfy.borrow_mut(), &pressed);
    }
    read(&world, "r1");
    read(&world, "r2");
    let [command] = &world.host.commands()[..] else {
        panic!("{:?}", world.host.commands())
    };
    let said = (command.verb, command.id.as_deref(), command.text.as_str());
    assert_eq!(said, ("answer", Some("m-1"), "no"));
}
