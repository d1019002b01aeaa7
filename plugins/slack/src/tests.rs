//! Tests the plugin against a fake Slack with realistic faults.

use crate::standin::{Fault, Slack};
use crate::{Plugin, Slack as ThePlugin};
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::testing::{bundle, change, event, incident, page, person};
use tocsin_plugin_sdk::types::{
    Actor, Audience, EventBody, ExternalRef, Failure, Grade, Incident, Job, LogEntry, LogKind,
    Outcome, Page, Settled, Update,
};

pub(crate) const ROOM: &str = "inc-42-checkout-is-down";

/// Delivers an event; the event's id is the delivery's, so a second call is a retry.
pub(crate) fn deliver(slack: &Slack, id: &str, body: EventBody) -> Result<Outcome, Failure> {
    let delivery = slack.host.begin(id);
    ThePlugin::on_event(event(id, body), &delivery)
}

/// Events that together use every Slack method, each with the method whose response is lost first.
pub(crate) fn everything(slack: &Slack) -> Vec<(String, EventBody, Option<&'static str>)> {
    let mut staffed = incident();
    staffed.operator = Some(person("Jo", "slack", "U1"));
    slack.host.add_incident(&staffed);
    let tell = json!({"channel": "C1", "user": "U1", "text": "try again"}).to_string();
    let job = EventBody::Job(Job {
        topic: "tell".into(),
        payload: tell,
    });
    let steps = [
        (
            EventBody::IncidentOpened(staffed),
            Some("conversations.create"),
        ),
        (graded_critical(), Some("chat.postMessage")),
        (noted("l-1"), None),
        (page_jo(), None),
        (settled_by_jo(), None),
        (job, None),
        (flagged(), Some("conversations.rename")),
    ];
    let numbered = steps.into_iter().enumerate();
    numbered
        .map(|(at, (body, lose))| (format!("e-{at}"), body, lose))
        .collect()
}

pub(crate) fn opened() -> EventBody {
    EventBody::IncidentOpened(incident())
}

/// The link of an incident to its room.
pub(crate) fn channel_ref(channel: &str) -> ExternalRef {
    ExternalRef {
        plugin: "slack".into(),
        kind: "channel".into(),
        id: channel.into(),
        url: None,
    }
}

/// The incident of the fixtures, flagged.
pub(crate) fn secret() -> Incident {
    let mut it = incident();
    it.security = true;
    it.revision = 3;
    it
}

pub(crate) fn flagged() -> EventBody {
    EventBody::IncidentChanged(change(&incident(), &secret(), &["security"]))
}

pub(crate) fn graded_critical() -> EventBody {
    let mut after = incident();
    after.revision = 2;
    after.grade = Grade::Critical;
    EventBody::IncidentChanged(change(&incident(), &after, &["grade"]))
}

pub(crate) fn noted(id: &str) -> EventBody {
    EventBody::LogAdded(LogEntry {
        id: id.into(),
        kind: LogKind::Seen,
        author: Actor {
            kind: "slack".into(),
            id: "U1".into(),
            display_name: None,
        },
        body: "the queue is **full**".into(),
        at: incident().opened_at,
        extra: "{}".into(),
    })
}

fn page_jo() -> EventBody {
    EventBody::Page(page("p-1", &incident(), &person("jo", "slack", "U1")))
}

fn settled_by_jo() -> EventBody {
    settled("p-1")
}

pub(crate) fn settled(id: &str) -> EventBody {
    let by = Actor {
        kind: "slack".into(),
        id: "U1".into(),
        display_name: None,
    };
    EventBody::Settled(Settled {
        id: id.into(),
        by: Some(by),
        choice: None,
        extra: "{}".into(),
    })
}

#[test]
fn an_opened_incident_gets_a_war_room_with_topic_marker_members_and_message() {
    let slack = Slack::start();
    let mut it = incident();
    it.operator = Some(person("Jo", "slack", "U1"));
    it.spokesperson = Some(person("Sam", "email", "sam@example.com"));
    deliver(&slack, "e-1", EventBody::IncidentOpened(it)).unwrap();
    let room = slack.channel(ROOM);
    assert_eq!(room.topic, "[major] Checkout is down · operator: Jo");
    assert!(
        room.purpose.starts_with("tocsin:inc-1 "),
        "{}",
        room.purpose
    );
    assert_eq!(room.members, ["U1"]);
    assert!(!room.private);
    let [message] = &slack.texts(ROOM)[..] else {
        panic!("{:?}", slack.texts(ROOM))
    };
    assert!(
        message.contains("Major incident #42: Checkout is down"),
        "{message}"
    );
    let links: Vec<String> = slack
        .host
        .commands()
        .iter()
        .map(|it| it.text.clone())
        .collect();
    assert_eq!(links, [format!("channel {}", room.id)]);
}

#[test]
fn whichever_event_comes_first_opens_the_only_room() {
    let slack = Slack::start();
    slack.host.add_incident(&incident());
    deliver(&slack, "e-3", noted("l-1")).unwrap();
    deliver(&slack, "e-2", graded_critical()).unwrap();
    deliver(&slack, "e-1", opened()).unwrap();
    assert_eq!(slack.channels().len(), 1);
    let texts = slack.texts(ROOM);
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts[1].contains("the queue is *full*"), "{texts:?}");
    assert!(texts[2].contains("major → *critical*"), "{texts:?}");
    assert!(slack.channel(ROOM).topic.starts_with("[critical]"));
}

#[test]
fn after_slack_was_down_there_is_one_room_with_everything_in_it_once() {
    let faults = [
        Fault::Down,
        Fault::Refuses("fatal_error"),
        Fault::Throttles(7),
    ];
    for fault in faults {
        let slack = Slack::start();
        slack.host.add_incident(&incident());
        slack.fault(Some(fault.clone()));
        for _ in 0..3 {
            deliver(&slack, "e-1", opened()).unwrap_err();
            deliver(&slack, "e-2", graded_critical()).unwrap_err();
            deliver(&slack, "e-3", noted("l-1")).unwrap_err();
        }
        slack.fault(None);
        deliver(&slack, "e-3", noted("l-1")).unwrap();
        deliver(&slack, "e-1", opened()).unwrap();
        deliver(&slack, "e-2", graded_critical()).unwrap();
        assert_eq!(slack.channels().len(), 1, "{fault:?}");
        assert_eq!(
            slack.texts(ROOM).len(),
            3,
            "{fault:?}: {:?}",
            slack.texts(ROOM)
        );
    }
}

#[test]
fn a_room_whose_creation_got_no_response_is_adopted_by_the_next_delivery() {
    for next in ["e-1", "e-2"] {
        let slack = Slack::start();
        slack.host.lose_answer("conversations.create");
        deliver(&slack, "e-1", opened()).unwrap_err();
        assert_eq!(slack.channel(ROOM).purpose, "");
        deliver(&slack, next, opened()).unwrap();
        assert_eq!(slack.channels().len(), 1);
        assert!(slack.channel(ROOM).purpose.starts_with("tocsin:inc-1 "));
    }
}

#[test]
fn a_room_with_our_marker_is_adopted_even_if_its_row_is_lost() {
    let slack = Slack::start();
    deliver(&slack, "e-1", opened()).unwrap();
    let fresh = Slack::start();
    fresh.add_foreign_channel(ROOM);
    fresh.edit(ROOM, |it| {
        it.ours = true;
        it.purpose = slack.channel(ROOM).purpose;
    });
    deliver(&fresh, "e-2", graded_critical()).unwrap();
    assert_eq!(fresh.channels().len(), 1);
}

#[test]
fn a_channel_that_is_not_ours_is_left_alone() {
    type Edit = fn(&mut crate::standin::Channel);
    let others: [Edit; 3] = [
        |_| {},
        |it| it.ours = true,
        |it| {
            it.ours = true;
            it.purpose = "tocsin:inc-11 War room of incident #11".into();
        },
    ];
    for edit in others {
        let slack = Slack::start();
        slack.add_foreign_channel(ROOM);
        slack.edit(ROOM, edit);
        deliver(&slack, "e-1", opened()).unwrap();
        assert_eq!(slack.texts(ROOM).len(), 0);
        assert_eq!(slack.texts(&format!("{ROOM}-2")).len(), 1);
    }
}

#[test]
fn two_deliveries_at_once_do_not_open_two_rooms() {
    let slack = Slack::start();
    // The first one dies while it creates the room: its claim is not released.
    let claim = json!({
        "tried": ROOM, "ready": false, "topic_revision": 0, "invited": [],
        "holder": "e-1", "held_until": incident().opened_at + 30_000, "channel": null
    });
    tocsin_plugin_sdk::kv::set("room:inc-1", &claim, None).unwrap();
    let failure = deliver(&slack, "e-2", graded_critical()).unwrap_err();
    let Failure::Retry(hint) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(hint.after_ms, Some(2_000));
    assert_eq!(slack.channels().len(), 0);
    slack.host.advance_ms(30_000);
    deliver(&slack, "e-2", graded_critical()).unwrap();
    assert_eq!(slack.channels().len(), 1);
}

#[test]
fn a_message_whose_response_was_lost_is_not_posted_again() {
    let slack = Slack::start();
    deliver(&slack, "e-1", opened()).unwrap();
    slack.host.lose_answer("chat.postMessage");
    deliver(&slack, "e-2", graded_critical()).unwrap_err();
    deliver(&slack, "e-2", graded_critical()).unwrap();
    deliver(&slack, "e-2", graded_critical()).unwrap();
    assert_eq!(slack.texts(ROOM).len(), 2, "{:?}", slack.texts(ROOM));
}

#[test]
fn a_message_that_was_posted_but_answered_with_an_error_is_not_posted_again() {
    for status in [500, 503] {
        let slack = Slack::start();
        deliver(&slack, "e-1", opened()).unwrap();
        slack.fail_after("chat.postMessage", status);
        deliver(&slack, "e-2", graded_critical()).unwrap_err();
        deliver(&slack, "e-2", graded_critical()).unwrap();
        assert_eq!(slack.texts(ROOM).len(), 2, "{:?}", slack.texts(ROOM));
    }
}

#[test]
fn an_older_change_does_not_revert_the_topic() {
    let slack = Slack::start();
    deliver(&slack, "e-2", graded_critical()).unwrap();
    let mut older = incident();
    older.title = "Checkout is slow".into();
    let body = EventBody::IncidentChanged(change(&incident(), &older, &["title"]));
    deliver(&slack, "e-1", body).unwrap();
    assert!(
        slack.channel(ROOM).topic.starts_with("[critical]"),
        "{}",
        slack.channel(ROOM).topic
    );
}

#[test]
fn a_page_is_a_direct_message_whose_button_is_removed_after_an_acknowledgement() {
    let slack = Slack::start();
    deliver(&slack, "e-1", page_jo()).unwrap();
    let before = slack.channel("@U1").messages;
    assert_eq!(before[0]["blocks"][1]["elements"][0]["action_id"], "ack");
    deliver(&slack, "e-2", settled_by_jo()).unwrap();
    let after = slack.channel("@U1").messages;
    assert_eq!(after.len(), 1);
    assert!(
        !after[0]["blocks"].to_string().contains("actions"),
        "{}",
        after[0]
    );
    assert!(
        after[0]["text"]
            .as_str()
            .unwrap()
            .contains("Acknowledged by <@U1>")
    );
    assert!(
        after[0]["text"]
            .as_str()
            .unwrap()
            .contains("Checkout is down")
    );
}

#[test]
fn a_page_about_one_incident_loses_its_button_when_that_incident_is_settled() {
    let slack = Slack::start();
    deliver(&slack, "e-1", bundle_of(1)).unwrap();
    deliver(&slack, "e-2", settled("b-1/1")).unwrap();
    let message = slack.channel("@U1").messages[0].to_string();
    assert!(!message.contains("actions"), "{message}");
    assert!(message.contains("Acknowledged by <@U1>"), "{message}");
}

#[test]
fn every_message_that_brings_an_incident_loses_its_button_when_that_incident_is_settled() {
    let slack = Slack::start();
    let EventBody::Page(first) = bundle_of(1) else {
        panic!("a page");
    };
    let again = Page {
        id: "b-2".into(),
        ..first.clone()
    };
    deliver(&slack, "e-1", EventBody::Page(first)).unwrap();
    deliver(&slack, "e-2", EventBody::Page(again)).unwrap();
    deliver(&slack, "e-3", settled("b-1/1")).unwrap();
    let messages = slack.channel("@U1").messages;
    assert_eq!(messages.len(), 2);
    let has_button = |it: &Value| it["blocks"].to_string().contains("actions");
    assert!(!messages.iter().any(has_button), "{messages:?}");
}

#[test]
fn a_page_about_one_incident_that_was_settled_meanwhile_is_not_sent() {
    let slack = Slack::start();
    deliver(&slack, "e-1", settled("b-1/1")).unwrap();
    assert_eq!(deliver(&slack, "e-2", bundle_of(1)), Ok(Outcome::Ignored));
}

/// A page to jo about this many incidents.
pub(crate) fn bundle_of(count: u64) -> EventBody {
    let incidents: Vec<Incident> = (1..=count)
        .map(|number| Incident {
            id: format!("inc-{number}"),
            number,
            ..incident()
        })
        .collect();
    EventBody::Page(bundle("b-1", &incidents, &person("jo", "slack", "U1")))
}

#[test]
fn an_incident_of_several_that_is_settled_loses_its_button_and_the_others_keep_theirs() {
    let slack = Slack::start();
    deliver(&slack, "e-0", settled("b-1/2")).unwrap();
    deliver(&slack, "e-1", bundle_of(7)).unwrap();
    deliver(&slack, "e-2", settled("b-1/4")).unwrap();
    deliver(&slack, "e-3", settled("b-1/7")).unwrap();
    let buttons = || {
        let [message] = &slack.channel("@U1").messages[..] else {
            panic!("one message");
        };
        let blocks = message["blocks"].as_array().unwrap().clone();
        let rows = blocks.iter().filter_map(|it| it["elements"].as_array());
        let buttons = rows.flatten().filter(|it| it["value"].is_string());
        let labels = buttons.map(|it| it["text"]["text"].as_str().unwrap().to_owned());
        labels.collect::<Vec<_>>()
    };
    crate::asked::tests::refresh(&slack);
    let [one, three, five] = ["Acknowledge #1", "Acknowledge #3", "Acknowledge #5"];
    assert_eq!(buttons(), ["Acknowledge all 7", one, three, five]);
    deliver(&slack, "e-4", settled("b-1")).unwrap();
    assert_eq!(buttons(), [""; 0]);
    let text = slack.channel("@U1").messages[0]["text"].to_string();
    assert!(text.contains("Checkout is down and 6 more"), "{text}");
}

#[test]
fn a_page_that_was_meanwhile_answered_elsewhere_is_not_sent() {
    let slack = Slack::start();
    slack.fault(Some(Fault::Down));
    deliver(&slack, "e-1", page_jo()).unwrap_err();
    slack.fault(None);
    assert_eq!(
        deliver(&slack, "e-2", settled_by_jo()),
        Ok(Outcome::Ignored)
    );
    assert_eq!(deliver(&slack, "e-1", page_jo()), Ok(Outcome::Ignored));
    assert_eq!(slack.channels().len(), 0);
}

#[test]
fn a_paged_person_is_invited_to_the_war_room() {
    let slack = Slack::start();
    slack.host.add_incident(&incident());
    deliver(&slack, "e-1", page_jo()).unwrap();
    let job = slack.host.jobs().pop().unwrap();
    let body = EventBody::Job(Job {
        topic: job.topic,
        payload: job.payload,
    });
    deliver(&slack, "j-1", body).unwrap();
    assert_eq!(slack.channel(ROOM).members, ["U1"]);
}

#[test]
fn a_person_without_a_slack_contact_is_not_paged_here() {
    let slack = Slack::start();
    let sam = person("sam", "email", "sam@example.com");
    let body = EventBody::Page(page("p-1", &incident(), &sam));
    let failure = deliver(&slack, "e-1", body).unwrap_err();
    assert!(matches!(failure, Failure::Permanent(_)), "{failure:?}");
}

#[test]
fn a_token_that_slack_refuses_pauses_the_plugin() {
    let slack = Slack::start();
    slack.fault(Some(Fault::Refuses("invalid_auth")));
    for body in [opened(), page_jo()] {
        let failure = deliver(&slack, "e-1", body).unwrap_err();
        assert!(matches!(failure, Failure::Misconfigured(_)), "{failure:?}");
    }
}

#[test]
fn an_update_goes_to_the_audiences_channel_once() {
    let slack = Slack::start();
    slack.add_foreign_channel("all-hands");
    slack.host.set_config("company-channel", "C1");
    let update = |audience: Audience| {
        EventBody::UpdatePosted(Update {
            id: "u-1".into(),
            incident: incident(),
            audience,
            author: Actor {
                kind: "person".into(),
                id: "sam".into(),
                display_name: None,
            },
            body: "We are on it".into(),
            next_update_at: Some(incident().opened_at + 1_800_000),
            at: incident().opened_at,
            extra: "{}".into(),
        })
    };
    deliver(&slack, "e-1", update(Audience::Company)).unwrap();
    deliver(&slack, "e-1", update(Audience::Company)).unwrap();
    let [text] = &slack.texts("all-hands")[..] else {
        panic!("{:?}", slack.texts("all-hands"))
    };
    assert!(text.contains("Next update by"), "{text}");
    let unset = deliver(&slack, "e-2", update(Audience::Engineering));
    assert_eq!(unset, Ok(Outcome::Ignored));
}

#[test]
fn a_call_that_runs_out_of_time_continues_in_the_next_attempt() {
    let slack = Slack::start();
    let mut late = slack.host.begin("e-1");
    late.deadline = incident().opened_at + 499;
    let failure = ThePlugin::on_event(event("e-1", opened()), &late).unwrap_err();
    let Failure::Retry(hint) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(hint.after_ms, Some(0));
    assert!(slack.host.requests().is_empty());
    deliver(&slack, "e-1", opened()).unwrap();
    assert_eq!(slack.channels().len(), 1);
}
