use std::sync::Arc;

use serde_json::{Value, json};
use tocsin_core::time::HOUR_MS;
use tocsin_core::trial::ShiftNotice;
use tocsin_core::{Actor, Event, IncidentId, Recorded};
use tocsin_plugin_host::wit::Urgency;
use tocsin_store::encoding::encode;
use tocsin_store::{Append, Batch, MemoryStore};

use super::*;
use crate::auth::ack_links::ACK_VALID_MS;
use crate::auth::{AckKey, AckLinks};
use crate::people::Roster;
use crate::runtime::state::view::{View, stream_of};
use crate::sample_pages::{now, people};

const SECRET: &str = "canary-4711";

/// An incident that opened twenty minutes ago and has paged bob, who has no clearance.
struct Rig {
    view: View,
    payloads: Payloads,
}

impl Rig {
    fn new(security: bool) -> Self {
        let base_url = "http://tocsin".to_owned();
        let links = AckLinks::new(AckKey::new([7; 32]), base_url.clone());
        let rig = Self {
            view: View::new(Arc::new(MemoryStore::default())),
            payloads: Payloads {
                roster: Arc::new(Roster {
                    people: people(),
                    zones: [("bob".into(), Tz::Asia__Kolkata)].into(),
                    ..Roster::default()
                }),
                base_url,
                ack_links: Arc::new(links),
            },
        };
        let opened = json!({ "type": "opened", "data": {
            "number": 7, "key": "k", "title": SECRET, "summary": SECRET, "service": "shop",
            "grade": "major", "grade_reason": SECRET, "plan": { "steps": [] },
            "plan_reason": SECRET, "security": security, "link": format!("https://{SECRET}"),
        }});
        let contact = |kind: &str| json!({ "kind": kind, "address": "bob" });
        let paged = json!({ "type": "paged", "data": {
            "page": 1, "person": "bob", "step": 0,
            "contacts": [contact("ntfy"), contact("email")],
        }});
        let asked = json!({ "type": "prompted", "data": {
            "prompt": 1, "to": "bob", "contact": contact("ntfy"), "question": "still-on-it",
            "expires_at": now().plus_ms(10 * 60_000),
        }});
        let stream = stream_of(&IncidentId::from("i1"));
        let events = [opened, paged, asked].map(|it| encode(&recorded(it)).unwrap());
        rig.commit(Batch {
            appends: vec![Append {
                stream,
                expected: 0,
                events: events.to_vec(),
            }],
            ..Batch::default()
        });
        rig
    }

    fn commit(&self, batch: Batch) {
        let mut done = self.view.store().commit(vec![batch]).unwrap();
        done.remove(0).unwrap();
    }

    /// Adds an event to the incident's log.
    fn happens(&self, event: Value) {
        let state = self.view.incident(&"i1".into()).unwrap().unwrap();
        self.commit(Batch {
            appends: vec![Append {
                stream: stream_of(&state.incident.id),
                expected: state.incident.version,
                events: vec![encode(&recorded(event)).unwrap()],
            }],
            ..Batch::default()
        });
    }

    fn changed(&self, number: u32, minutes_ago: u64, title: &str) {
        let kind = match minutes_ago {
            20.. => "change-suspected",
            _ => "change-made",
        };
        let change = json!({
            "id": title, "at": now().minus_ms(minutes_ago * 60_000), "title": title,
            "link": format!("https://ci.example/{minutes_ago}"),
        });
        self.happens(json!({ "type": kind, "data": { "number": number, "change": change } }));
    }

    fn message(&self, shown_by: Option<(&PluginId, Clearance)>) -> PageMessage {
        self.message_with(None, shown_by)
    }

    fn message_with(
        &self,
        question: Option<Question>,
        shown_by: Option<(&PluginId, Clearance)>,
    ) -> PageMessage {
        let state = self.view.incident(&"i1".into()).unwrap().unwrap();
        let attempt = PageAttempt {
            incident: "i1".into(),
            page: 1,
            contact: 0,
            question,
        };
        let wanted = [Wanted { state, attempt }];
        let contact = contact();
        let id = message_id();
        self.payloads
            .message_of((&id, &contact), &wanted, shown_by, now())
    }

    /// When the link to this token expires.
    fn end_of(&self, link: Option<&String>) -> Timestamp {
        let token = link.unwrap().replace("http://tocsin/ack/", "");
        let claim = self.payloads.ack_links.read(&token, now());
        claim.unwrap().expires_at
    }

    fn last_change(&self) -> Option<(&'static str, String)> {
        let content = self.message(None).content;
        let mut facts = content.items[0].facts.iter();
        let fact = facts.find(|it| ["Last change", "Caused by"].contains(&it.name));
        fact.map(|it| (it.name, it.text.clone()))
    }
}

fn contact() -> Contact {
    Contact {
        kind: "ntfy".to_owned(),
        address: "bob".to_owned(),
    }
}

fn message_id() -> MessageId {
    MessageId::parse("message-7-bob").unwrap()
}

fn recorded(event: Value) -> Recorded {
    Recorded {
        at: now().minus_ms(20 * 60_000),
        by: Actor::Tocsin,
        event: serde_json::from_value::<Event>(event).unwrap(),
    }
}

#[test]
fn a_page_shows_what_both_the_plugin_and_the_person_may_see() {
    let plugin = PluginId::from("chat");
    let clearances = [Some(Clearance::Security), Some(Clearance::Basic), None];
    for clearance in clearances {
        let shown_by = clearance.map(|it| (&plugin, it));
        let secret = Rig::new(true);
        secret.changed(1, 30, SECRET);
        let shown = format!("{:?}", secret.message(shown_by).content);
        assert!(!shown.contains(SECRET), "bob has no clearance: {shown}");
        assert!(shown.contains("you are on call"), "{shown}");
        let open = Rig::new(false).message(shown_by);
        assert!(format!("{:?}", open.content).contains(SECRET));
    }
}

#[test]
fn a_plugin_is_told_by_which_contact_a_page_goes() {
    let rig = Rig::new(false);
    let (plugin, clearance) = (PluginId::from("ntfy"), Clearance::Basic);
    let message = rig.message(Some((&plugin, clearance)));
    let event = rig.payloads.message(&plugin, clearance, message);
    let tocsin_plugin_host::wit::EventBody::Page(page) = event else {
        panic!()
    };
    let extra: Value = serde_json::from_str(&page.extra).unwrap();
    assert_eq!(
        extra["contact"],
        json!({ "kind": "ntfy", "address": "bob" })
    );
}

#[test]
fn times_are_in_the_persons_zone() {
    let message = Rig::new(false).message(None);
    let facts = &message.content.items[0].facts;
    let since = facts.iter().find(|it| it.name == "Since").unwrap();
    assert_eq!(since.text, "01:20 (20 min ago)");
    assert_eq!(message.zone, Tz::Asia__Kolkata);
}

#[test]
fn the_last_change_that_nobody_cleared_is_shown_or_the_one_that_is_confirmed() {
    let rig = Rig::new(false);
    assert_eq!(rig.last_change(), None);
    rig.changed(1, 20 + 6 * 60, "Deploy v1");
    let shown = |name, text: &str| Some((name, text.to_owned()));
    let first = shown("Last change", "Fri 2 Jan 19:20 (6 h before): Deploy v1");
    assert_eq!(rig.last_change(), first);
    rig.changed(2, 33, "Deploy v2");
    let second = shown("Last change", "01:07 (13 min before): Deploy v2");
    assert_eq!(rig.last_change(), second);
    rig.changed(3, 8, "Roll back");
    let third = shown("Last change", "01:32 (12 min after it opened): Roll back");
    assert_eq!(rig.last_change(), third);
    let links = &rig.message(None).content.items[0].links;
    assert_eq!(links.last().unwrap().url, "https://ci.example/8");
    rig.happens(json!({ "type": "change-cleared", "data": { "number": 3 } }));
    assert_eq!(rig.last_change(), second);
    rig.happens(json!({ "type": "change-confirmed", "data": { "number": 1 } }));
    let caused = shown("Caused by", "Fri 2 Jan 19:20 (6 h before): Deploy v1");
    assert_eq!(rig.last_change(), caused);
}

#[test]
fn acknowledge_links_name_the_channel_and_the_message_or_one_of_its_pages() {
    let rig = Rig::new(false);
    let content = rig.message(None).content;
    let read = |link: &Option<String>| {
        let token = link.as_ref().unwrap().replace("http://tocsin/ack/", "");
        let claim = rig.payloads.ack_links.read(&token, now()).unwrap();
        assert_eq!((claim.via.as_str(), claim.person), ("ntfy", "bob".into()));
        claim.of
    };
    let message = message_id();
    assert_eq!(read(&content.ack_url), AckTarget::Message { message });
    let (incident, page) = ("i1".into(), PageId::of(&"i1".into(), 1));
    let one = AckTarget::Page { incident, page };
    assert_eq!(read(&content.items[0].ack_url), one);
}

#[test]
fn a_question_has_a_link_for_each_answer_and_none_that_acknowledges() {
    let rig = Rig::new(false);
    let question = Some(Question::StillOnIt);
    let content = rig.message_with(question, None).content;
    assert_eq!(
        content.summary,
        "Are you still on it? MAJOR shop: canary-4711"
    );
    assert_eq!(
        (&content.ack_url, &content.items[0].ack_url),
        (&None, &None)
    );
    assert_eq!(content.items[0].id, "i1-q1");
    let asked = content.question.unwrap();
    assert!(
        asked.otherwise.starts_with("Please answer by 01:50. "),
        "{}",
        asked.otherwise
    );
    let links = asked.choices.iter().map(|it| {
        let token = it.url.as_ref().unwrap().replace("http://tocsin/ack/", "");
        let claim = rig.payloads.ack_links.read(&token, now()).unwrap();
        assert_eq!((claim.via.as_str(), claim.person), ("ntfy", "bob".into()));
        claim.of
    });
    let of = |choice: &str| AckTarget::Answer {
        message: message_id(),
        choice: choice.to_owned(),
    };
    assert_eq!(links.collect::<Vec<_>>(), [of("yes"), of("no")]);
}

#[test]
fn the_links_of_a_question_work_until_the_last_that_it_asks_is_over() {
    let short = Rig::new(false).message_with(Some(Question::StillOnIt), None);
    let rig = Rig::new(false);
    let end = |message: &PageMessage| {
        let asked = message.content.question.as_ref().unwrap();
        rig.end_of(asked.choices[1].url.as_ref())
    };
    assert_eq!(end(&short), now().plus_ms(ACK_VALID_MS));

    let last = now().plus_ms(7 * 24 * HOUR_MS);
    let asked = json!({ "type": "prompted", "data": {
        "prompt": 2, "to": "bob", "contact": { "kind": "ntfy", "address": "bob" },
        "question": "still-on-it", "expires_at": last,
    }});
    rig.happens(asked);
    let wanted = [1, 2].map(|page| Wanted {
        state: rig.view.incident(&"i1".into()).unwrap().unwrap(),
        attempt: PageAttempt {
            incident: "i1".into(),
            page,
            contact: 0,
            question: Some(Question::StillOnIt),
        },
    });
    let (id, contact) = (message_id(), contact());
    let both = rig
        .payloads
        .message_of((&id, &contact), &wanted, None, now());
    assert_eq!(end(&both), last);
}

#[test]
fn a_test_asks_for_a_press_as_loud_as_a_critical_page_and_a_reminder_silently_for_none() {
    let rig = Rig::new(false);
    let id = TestId::parse("test-1767384600000-bob").unwrap();
    let mut test = TestPage::new(contact(), Actor::Tocsin, now());
    let content = |test: &TestPage| {
        let message = rig
            .payloads
            .test_message((&id, test), &[], Clearance::Basic, now());
        message.content
    };
    let asked = content(&test);
    assert_eq!((asked.test, asked.urgency), (true, Urgency::Critical));
    let end = rig.end_of(asked.ack_url.as_ref());
    assert_eq!(end, now().plus_ms(ACK_VALID_MS));
    test.shift = Some(ShiftNotice {
        rotation: "payments".to_owned(),
        from: now().plus_ms(24 * HOUR_MS),
        warnings: Vec::new(),
        open: None,
    });
    let reminder = content(&test);
    assert_eq!((reminder.test, reminder.urgency), (false, Urgency::Silent));
    assert_eq!(
        (&reminder.ack_url, &reminder.items[0].ack_url),
        (&None, &None)
    );
}

#[test]
fn a_reminder_shows_of_what_is_open_only_what_its_person_may_see() {
    let secret = Rig::new(true);
    let state = secret.view.incident(&"i1".into()).unwrap().unwrap();
    let id = TestId::parse("test-1767384600000-bob").unwrap();
    let shift = ShiftNotice {
        rotation: "payments".to_owned(),
        from: now(),
        warnings: Vec::new(),
        open: Some(vec!["i1".into()]),
    };
    let test = TestPage {
        shift: Some(shift),
        ..TestPage::new(contact(), Actor::Tocsin, now())
    };
    let message =
        secret
            .payloads
            .test_message((&id, &test), &[&state.incident], Clearance::Security, now());
    let shown = format!("{:?}", message.content);
    assert!(shown.contains("1 incident is open"), "{shown}");
    assert!(!shown.contains(SECRET), "bob has no clearance: {shown}");
}

#[test]
fn a_question_shows_what_both_the_plugin_and_the_person_may_see() {
    let plugin = PluginId::from("chat");
    let secret = Rig::new(true);
    let shown_by = Some((&plugin, Clearance::Security));
    let message = secret.message_with(Some(Question::StillOnIt), shown_by);
    let shown = format!("{:?}", message.content);
    assert!(!shown.contains(SECRET), "bob has no clearance: {shown}");
}
