use std::collections::BTreeMap;

use super::*;
use crate::standin::Slack;
use crate::tests::{bundle_of, deliver, settled};
use tocsin_plugin_sdk::testing::{incident, person, prompt};
use tocsin_plugin_sdk::types::{EventBody, Job};

/// Runs the jobs that edit messages, each that replaces another once; returns how many.
pub(crate) fn refresh(slack: &Slack) -> usize {
    let jobs = slack.host.jobs().into_iter();
    let jobs = jobs.filter(|it| it.topic == REFRESH);
    let jobs: BTreeMap<_, _> = jobs.map(|it| (it.dedup_key.clone(), it)).collect();
    for (key, job) in &jobs {
        let (topic, payload) = (job.topic.clone(), job.payload.clone());
        let id = format!("{key:?}/{}", slack.host.jobs().len());
        deliver(slack, &id, EventBody::Job(Job { topic, payload })).unwrap();
    }
    jobs.len()
}

fn edits(slack: &Slack) -> usize {
    let requests = slack.host.requests();
    requests
        .iter()
        .filter(|it| it.url.ends_with("/chat.update"))
        .count()
}

#[test]
fn a_storm_that_is_acknowledged_elsewhere_is_one_edit_of_its_message() {
    let slack = Slack::start();
    deliver(&slack, "e-1", bundle_of(300)).unwrap();
    for number in 1..=300 {
        let id = format!("s-{number}");
        deliver(&slack, &id, settled(&format!("b-1/{number}"))).unwrap();
    }
    assert_eq!((refresh(&slack), edits(&slack)), (1, 1));
    let message = slack.channel("@U1").messages[0].to_string();
    assert_eq!(message.matches("Acknowledged by <@U1>").count(), 5);
}

/// A question to jo about this many incidents.
fn question_of(count: usize) -> EventBody {
    let to = person("jo", "slack", "U1");
    EventBody::Prompt(prompt("m-1", &vec![incident(); count], &to))
}

#[test]
fn a_question_is_a_direct_message_with_one_set_of_buttons_for_all_that_it_names() {
    for (count, headline) in [
        (1, "Checkout is down*"),
        (300, "Checkout is down and 299 more*"),
    ] {
        let slack = Slack::start();
        deliver(&slack, "e-1", question_of(count)).unwrap();
        let [message] = &slack.channel("@U1").messages[..] else {
            panic!("one message");
        };
        let blocks = message["blocks"].as_array().unwrap();
        let asked = blocks[0]["text"]["text"].as_str().unwrap();
        assert!(
            asked.starts_with("*Are you still on it? MAJOR checkout: "),
            "{asked}"
        );
        assert!(
            asked.contains(headline) && asked.contains("answer by 12:10"),
            "{asked}"
        );
        let buttons = blocks[1]["elements"].as_array().unwrap().iter();
        let buttons = buttons.map(|it| (it["text"]["text"].as_str(), it["value"].as_str()));
        let value = |choice: &str| json!({"prompt": "m-1", "choice": choice}).to_string();
        let (yes, no) = (value("yes"), value("no"));
        let want = [
            (Some("Still on it"), Some(yes.as_str())),
            (Some("Page somebody else"), Some(no.as_str())),
        ];
        assert_eq!(buttons.collect::<Vec<_>>(), want);
        assert_eq!(message.to_string().matches("\"actions\"").count(), 1);
    }
}

#[test]
fn a_question_loses_its_buttons_once_nothing_that_it_names_needs_an_answer() {
    let slack = Slack::start();
    deliver(&slack, "e-1", question_of(3)).unwrap();
    for (number, is_over) in [(2, false), (1, false), (3, true)] {
        let id = format!("s-{number}");
        deliver(&slack, &id, settled(&format!("m-1/{number}"))).unwrap();
        refresh(&slack);
        let message = slack.channel("@U1").messages[0].to_string();
        assert_eq!(!message.contains("actions"), is_over, "{message}");
    }
    assert_eq!(edits(&slack), 1);
    deliver(&slack, "s-9", settled("m-1/1")).unwrap();
    assert_eq!(edits(&slack), 1);
}

#[test]
fn a_question_that_was_answered_elsewhere_is_not_asked() {
    let slack = Slack::start();
    deliver(&slack, "e-1", settled("m-1/1")).unwrap();
    assert_eq!(deliver(&slack, "e-2", question_of(1)), Ok(Outcome::Ignored));
    assert_eq!(deliver(&slack, "e-3", question_of(2)), Ok(Outcome::Done));
}

#[test]
fn whoever_cannot_be_told_in_a_channel_is_told_directly() {
    let slack = Slack::start();
    slack.refuse("chat.postEphemeral", "not_in_channel");
    let told = json!({"channel": "C404", "user": "U1", "text": "incident 1 is open"}).to_string();
    let job = |id: &str| {
        let (topic, payload) = ("tell".into(), told.clone());
        deliver(&slack, id, EventBody::Job(Job { topic, payload }))
    };
    assert_eq!(job("e-1"), Ok(Outcome::Done));
    assert_eq!(slack.texts("@U1"), ["incident 1 is open"]);
}
