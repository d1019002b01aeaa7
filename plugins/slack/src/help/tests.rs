use super::*;
use crate::standin::Slack;
use crate::tests::{ROOM, deliver, opened};
use tocsin_plugin_sdk::testing::{change, incident, person};
use tocsin_plugin_sdk::types::EventBody;

fn start() -> Slack {
    let slack = Slack::start();
    slack.add_foreign_channel("engineering");
    slack.host.set_config("engineering-channel", "C1");
    slack.host.add_incident(&incident());
    deliver(&slack, "e-1", opened()).unwrap();
    // What is announced is of no interest here.
    slack.host.set_config("company-channel", "");
    slack
}

/// An incident with something in its extra data.
fn with(extra: &Value) -> Incident {
    let mut it = incident();
    it.extra = extra.to_string();
    it
}

fn alter(slack: &Slack, id: &str, before: &Incident, after: &Incident) {
    slack.host.add_incident(after);
    let body = EventBody::IncidentChanged(change(before, after, &[]));
    deliver(slack, id, body).unwrap();
    slack.pass(5_000);
}

fn wanted() -> Incident {
    with(&json!({"help-wanted": [{"text": "who knows the <ledger>?", "by": "Ada"}]}))
}

/// The request in the engineering channel.
fn shown(slack: &Slack) -> Value {
    let messages = slack.channel("engineering").messages;
    let is_request = |it: &&Value| it["metadata"].to_string().contains("help:");
    let mut requests = messages.iter().filter(is_request);
    let (first, second) = (requests.next(), requests.next());
    assert!(second.is_none(), "{second:?}");
    first.unwrap().clone()
}

#[test]
fn engineers_are_asked_once_with_a_button_and_see_who_came() {
    let slack = start();
    alter(&slack, "e-2", &incident(), &wanted());
    alter(&slack, "e-2", &incident(), &wanted());
    let request = shown(&slack);
    let text = request["text"].as_str().unwrap();
    assert!(
        text.contains("Ada asks for help with #42 Checkout is down* · major"),
        "{text}"
    );
    assert!(text.contains(">who knows the &lt;ledger&gt;?"), "{text}");
    assert_eq!(request["blocks"][1]["elements"][0]["action_id"], "join");
    slack.host.add_person(&person("bob", "slack", "U2"));
    let joined = with(&json!({"responders": [{"id": "bob", "name": "Bob"}]}));
    alter(&slack, "e-3", &incident(), &joined);
    assert!(shown(&slack).to_string().contains("Helping: Bob"));
    assert_eq!(slack.channel(ROOM).members, ["U2"]);
}

#[test]
fn once_it_is_over_the_request_has_no_button() {
    let slack = start();
    alter(&slack, "e-2", &incident(), &wanted());
    let mut over = incident();
    over.status = Status::Resolved;
    alter(&slack, "e-3", &incident(), &over);
    let request = shown(&slack).to_string();
    assert!(!request.contains("I can help"), "{request}");
    assert!(request.contains("The incident is resolved"), "{request}");
}

#[test]
fn nobody_is_asked_about_a_security_incident_and_a_late_flag_removes_the_request() {
    let slack = start();
    alter(&slack, "e-2", &incident(), &wanted());
    let mut secret = wanted();
    secret.security = true;
    alter(&slack, "e-3", &incident(), &secret);
    let request = shown(&slack);
    assert_eq!(request["text"], "_Removed_");
    assert!(
        !request["blocks"].to_string().contains("ledger"),
        "{request}"
    );
}

#[test]
fn without_a_channel_the_log_says_what_to_set() {
    let slack = start();
    slack.host.set_config("engineering-channel", "");
    alter(&slack, "e-2", &incident(), &wanted());
    let logs = slack.host.logs().join("\n");
    assert!(logs.contains("nobody is asked for help"), "{logs}");
}
