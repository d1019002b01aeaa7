//! Tests the plugin against a stand-in that refuses what Pushover refuses.

mod snapshots;

use crate::{EVENTS, Pushover as ThePlugin, receipts};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tocsin_plugin_sdk::Plugin;
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::testing::{
    FakeHost, bundle, event, incident, page, person, prompt, reminder, test_page,
};
use tocsin_plugin_sdk::types::{
    EventBody, Failure, Grade, HealthReport, Incident, Job, Outcome, Page, Person, Settled,
};
use tocsin_standins::install;
use tocsin_standins::pushover::{Pushover, Receipt, TOKEN, USERS};

struct World {
    host: FakeHost,
    pushover: Rc<RefCell<Pushover>>,
}

impl World {
    fn start() -> Self {
        let (host, pushover) = install(Pushover::default(), |right, asked| match right {
            "read" => drop(asked.query.insert("token".into(), TOKEN.into())),
            right => {
                assert_eq!(right, "send");
                asked.body.extend(format!("&token={TOKEN}").bytes());
            }
        });
        host.set_config("base-url", "https://api.pushover.example");
        World { host, pushover }
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
            topic: receipts::TOPIC.into(),
            payload: "{}".into(),
        });
        assert_eq!(self.deliver(id, job), Ok(Outcome::Done));
    }

    fn edit(&self, edit: impl FnOnce(&mut Receipt)) {
        edit(
            self.pushover
                .borrow_mut()
                .receipts
                .values_mut()
                .next()
                .unwrap(),
        );
    }

    fn receipt(&self) -> Receipt {
        self.pushover
            .borrow()
            .receipts
            .values()
            .next()
            .unwrap()
            .clone()
    }

    fn message(&self) -> BTreeMap<String, String> {
        self.pushover.borrow().messages[0].clone()
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
}

fn ada() -> Person {
    person("ada", "pushover", USERS[0])
}

fn graded(grade: Grade) -> Incident {
    Incident {
        grade,
        ..incident()
    }
}

fn alone() -> Page {
    page("p/1", &graded(Grade::Critical), &ada())
}

fn shown(message: &BTreeMap<String, String>) -> String {
    let fields = message
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"));
    fields.collect()
}

#[test]
fn a_critical_page_sounds_until_it_is_acknowledged() {
    let world = World::start();
    world.page("d", alone()).unwrap();
    let want = "\
expire: 3600
message: Since: 12:00 (6 min ago)
Runbook: https://wiki.example/checkout
Incident: #42
priority: 2
retry: 60
tags: p-1
title: CRITICAL checkout: Checkout is down
url: https://wiki.example/checkout
url_title: Runbook
user: uQiRzpo4DXghDmr9QzzfQu27cmVRsG
";
    assert_eq!(shown(&world.message()), want);
    let [job] = &world.host.jobs()[..] else {
        panic!()
    };
    assert_eq!((job.topic.as_str(), job.delay_ms), ("receipts", 10_000));
}

#[test]
fn a_minor_page_sounds_once_and_leads_to_the_acknowledge_link() {
    let world = World::start();
    world
        .page("d", page("p", &graded(Grade::Minor), &ada()))
        .unwrap();
    let message = world.message();
    assert_eq!(message["priority"], "1");
    assert_eq!(message["url"], "https://tocsin.example/ack/p");
    assert_eq!(message["url_title"], "Acknowledge");
    assert!(!message.contains_key("retry"));
    assert_eq!(world.host.jobs(), [], "it has no receipt");
    assert_eq!(world.settle("p"), Ok(Outcome::Ignored));
}

#[test]
fn a_test_page_says_so_and_sounds_as_a_critical_page() {
    let world = World::start();
    world.host.set_config("sound", "siren");
    world.page("d", test_page("p", &ada())).unwrap();
    let message = world.message();
    assert_eq!(
        (message["priority"].as_str(), message["sound"].as_str()),
        ("2", "siren")
    );
    assert!(message["title"].starts_with("TEST: "), "{message:?}");
    assert!(
        message["message"].starts_with("This only tests"),
        "{message:?}"
    );
}

#[test]
fn a_reminder_makes_no_sound_and_has_nothing_to_acknowledge() {
    let world = World::start();
    world.page("d", reminder("p", &ada())).unwrap();
    let message = world.message();
    assert_eq!(message["priority"], "-1");
    assert_ne!(
        message.get("url_title").map(String::as_str),
        Some("Acknowledge")
    );
}

#[test]
fn settings_change_how_it_sounds_within_pushovers_limits() {
    let world = World::start();
    for (key, value) in [("retry-s", "30"), ("expire-s", "10800"), ("sound", "siren")] {
        world.host.set_config(key, value);
    }
    world.page("d", alone()).unwrap();
    let message = world.message();
    let got = ["retry", "expire", "sound"].map(|it| message[it].as_str());
    assert_eq!(got, ["30", "10800", "siren"]);
}

#[test]
fn whatever_is_long_fits_into_what_pushover_takes() {
    let world = World::start();
    let mut long = bundle("b", &vec![graded(Grade::Critical); 30], &ada());
    long.summary = "\u{1F525}".repeat(400);
    long.items[0].links[0].title = "x".repeat(300);
    long.items[0].links[0].url = format!("https://x.example/{}", "y".repeat(600));
    world.page("d", long).unwrap();
    assert_eq!(world.pushover.borrow().messages.len(), 1);
}

#[test]
fn what_is_acknowledged_in_the_app_is_acknowledged_here_once() {
    let world = World::start();
    world.page("d", alone()).unwrap();
    world.read("r1");
    assert_eq!(world.commands(), [""; 0]);
    world.edit(|it| it.last_delivered_at = 1);
    world.read("r2");
    assert_eq!(world.commands(), ["receipt p/1 seen"]);
    world.edit(|it| it.acknowledged_by = Some(USERS[0].into()));
    for id in ["r3", "r4"] {
        world.read(id);
    }
    let by = format!("by pushover {}", USERS[0]);
    let want = [
        "receipt p/1 seen".to_string(),
        format!("receipt p/1 pressed {by}"),
        format!("acknowledge p/1  {by}"),
    ];
    assert_eq!(world.commands(), want);
    assert_eq!(
        world.host.jobs().len(),
        5,
        "it is read until the page is over"
    );
    world.settle("p/1").unwrap();
    world.read("r5");
    assert_eq!((world.host.jobs().len(), world.receipt().reads), (5, 4));
}

#[test]
fn the_member_of_a_group_who_acknowledged_is_named_if_known() {
    for (bob, want) in [
        (Some(person("bob", "pushover", USERS[1])), USERS[1]),
        (None, USERS[0]),
    ] {
        let world = World::start();
        bob.iter().for_each(|it| world.host.add_person(it));
        world.page("d", alone()).unwrap();
        world.edit(|it| it.acknowledged_by = Some(USERS[1].into()));
        world.read("r");
        assert!(
            world.commands()[1].ends_with(want),
            "{:?}",
            world.commands()
        );
    }
}

#[test]
fn a_settled_page_falls_silent() {
    let world = World::start();
    world.page("d", alone()).unwrap();
    world.pushover.borrow_mut().fault = Some(500);
    assert!(matches!(world.settle("p/1"), Err(Failure::Retry(_))));
    world.pushover.borrow_mut().fault = None;
    assert_eq!(world.settle("p/1"), Ok(Outcome::Done));
    assert!(world.receipt().is_canceled);
    assert_eq!(world.page("d", alone()), Ok(Outcome::Ignored));
    assert_eq!(world.pushover.borrow().messages.len(), 1);
}

#[test]
fn a_receipt_that_is_gone_is_no_failure_and_one_that_expired_is_not_read_again() {
    let world = World::start();
    world.page("d", alone()).unwrap();
    world.edit(|it| it.is_expired = true);
    world.read("r1");
    world.read("r2");
    assert_eq!((world.receipt().reads, world.host.jobs().len()), (1, 2));
    assert_eq!(world.settle("p/1"), Ok(Outcome::Ignored));

    let world = World::start();
    world.page("d", alone()).unwrap();
    world.pushover.borrow_mut().receipts.clear();
    world.read("r1");
    assert_eq!(world.settle("p/1"), Ok(Outcome::Done));
}

#[test]
fn more_receipts_than_a_job_reads_have_their_turns() {
    let world = World::start();
    for at in 0..10 {
        world
            .page(
                &format!("d{at}"),
                page(&format!("p{at:02}"), &incident(), &ada()),
            )
            .unwrap();
    }
    world.read("r1");
    world.read("r2");
    let reads: Vec<u32> = world
        .pushover
        .borrow()
        .receipts
        .values()
        .map(|it| it.reads)
        .collect();
    assert_eq!(reads.iter().sum::<u32>(), 16);
    assert!(reads.iter().all(|it| *it > 0), "{reads:?}");
}

#[test]
fn a_message_that_may_have_been_sent_is_stopped_before_it_is_sent_again() {
    let world = World::start();
    world.host.lose_answer("messages.json");
    world.page("d", alone()).unwrap_err();
    world.page("d", alone()).unwrap();
    let receipts = world.pushover.borrow().receipts.clone();
    let sounding = receipts.values().filter(|it| !it.is_canceled).count();
    assert_eq!((receipts.len(), sounding), (2, 1));

    // A minor one cannot be found.
    let world = World::start();
    let minor = || page("p", &graded(Grade::Minor), &ada());
    world.host.lose_answer("messages.json");
    world.page("d", minor()).unwrap_err();
    assert!(matches!(
        world.page("d", minor()),
        Err(Failure::Permanent(_))
    ));
    assert_eq!(world.pushover.borrow().messages.len(), 1);
}

#[test]
fn each_refusal_has_its_consequence() {
    let world = World::start();
    let unknown = "u00000000000000000000000000000";
    let to_nobody = page("p", &incident(), &person("ada", "pushover", unknown));
    assert!(matches!(
        world.page("d1", to_nobody),
        Err(Failure::Permanent(_))
    ));
    let not_a_key = page("p", &incident(), &person("ada", "pushover", "ada"));
    assert!(matches!(
        world.page("d2", not_a_key),
        Err(Failure::Permanent(_))
    ));
    world.pushover.borrow_mut().left = 0;
    assert!(matches!(
        world.page("d3", alone()),
        Err(Failure::Permanent(_))
    ));
    assert!(matches!(ThePlugin::health(), HealthReport::Failing(_)));
    world.pushover.borrow_mut().left = 1;
    assert_eq!(ThePlugin::health(), HealthReport::Ok);
    world.pushover.borrow_mut().fault = Some(502);
    assert!(matches!(world.page("d4", alone()), Err(Failure::Retry(_))));

    let (host, _) = install(Pushover::default(), |_, asked| {
        asked.body.extend(b"&token=wrong");
    });
    host.set_config("base-url", "https://api.pushover.example");
    let result = ThePlugin::on_event(event("e", EventBody::Page(alone())), &host.begin("d"));
    assert!(
        matches!(result, Err(Failure::Misconfigured(_))),
        "{result:?}"
    );
}

#[test]
fn wrong_settings_are_refused_with_the_limit() {
    let good = json!({"retry-s": 30, "expire-s": 10800, "priority-minor": 0});
    assert_eq!(ThePlugin::check_config(&good), []);
    let bad = json!({"retry-s": 29, "expire-s": 10801, "priority-minor": 2});
    let issues = ThePlugin::check_config(&bad);
    let paths: Vec<&str> = issues.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["retry-s", "expire-s", "priority-minor"]);
}

#[test]
fn the_manifest_subscribes_to_the_events_that_are_handled() {
    let manifest = include_str!("../plugin.toml");
    tocsin_plugin_sdk::testing::assert_manifest(manifest, &EVENTS, env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_question_sounds_as_any_message_and_each_answer_is_a_link() {
    let world = World::start();
    world.host.set_config("sound", "siren");
    let critical = prompt("m", &[graded(Grade::Critical)], &ada());
    assert_eq!(
        world.deliver("d", EventBody::Prompt(critical)),
        Ok(Outcome::Done)
    );
    let want = "\
message: Please answer by 12:10. Without an answer the escalation starts again.
Still on it: https://tocsin.example/ack/m-yes
Page somebody else: https://tocsin.example/ack/m-no

Since: 12:00 (6 min ago)
Runbook: https://wiki.example/checkout
Incident: #42
priority: 0
title: Are you still on it? CRITICAL checkout: Checkout is down
url: https://tocsin.example/ack/m-yes
url_title: Still on it
user: uQiRzpo4DXghDmr9QzzfQu27cmVRsG
";
    assert_eq!(shown(&world.message()), want);
    assert_eq!(world.host.jobs(), [], "it has no receipt");
}

#[test]
fn a_question_about_minor_incidents_makes_no_sound_and_one_that_is_answered_is_not_sent() {
    let world = World::start();
    let minor = || prompt("m", &[graded(Grade::Minor)], &ada());
    world.settle("m/1").unwrap();
    assert_eq!(
        world.deliver("d", EventBody::Prompt(minor())),
        Ok(Outcome::Ignored)
    );
    let mut other = minor();
    other.message.items[0].id = "m/2".into();
    assert_eq!(
        world.deliver("e", EventBody::Prompt(other)),
        Ok(Outcome::Done)
    );
    assert_eq!(world.message()["priority"], "-1");
}
