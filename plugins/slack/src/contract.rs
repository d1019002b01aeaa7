//! Checks every request against Slack's API specification, if a copy is available: in the folder
//! that `TOCSIN_SPECS` names, or in `shared/specs` beside the repository.

use crate::announce;
use crate::standin::Slack;
use crate::tests::{channel_ref, deliver, everything};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use tocsin_plugin_sdk::http::Request;
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::testing::incident;

/// All methods that the plugin calls. A new one also needs a line in the manifest.
const METHODS: [(&str, &str); 15] = [
    ("GET", "conversations.history"),
    ("GET", "conversations.info"),
    ("GET", "conversations.replies"),
    ("GET", "users.conversations"),
    ("POST", "chat.postEphemeral"),
    ("POST", "chat.postMessage"),
    ("POST", "chat.update"),
    ("POST", "conversations.archive"),
    ("POST", "conversations.create"),
    ("POST", "conversations.invite"),
    ("POST", "conversations.open"),
    ("POST", "conversations.rename"),
    ("POST", "conversations.setPurpose"),
    ("POST", "conversations.setTopic"),
    ("POST", "pins.add"),
];

fn requests() -> Vec<Request> {
    let slack = Slack::start();
    for (id, body, lose) in everything(&slack) {
        if let Some(method) = lose {
            slack.host.lose_answer(method);
            deliver(&slack, &id, body.clone()).unwrap_err();
        }
        deliver(&slack, &id, body).unwrap();
    }
    slack.add_foreign_channel("engineering");
    let channel = slack.channel("engineering").id;
    slack.host.set_config("engineering-channel", &channel);
    let mut other = incident();
    other.id = "inc-2".into();
    other.refs = vec![channel_ref("C99")];
    announce::tests::lose_answers(&slack, &mut other);
    slack.host.requests()
}

fn method(request: &Request) -> String {
    let path = request.url.split('?').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().into()
}

fn params(request: &Request) -> BTreeMap<String, String> {
    let query = request
        .url
        .split_once('?')
        .map(|it| it.1.as_bytes().to_vec());
    let form = request.body.clone().or(query).unwrap_or_default();
    crate::standin::Params(form).all()
}

#[test]
fn the_plugin_calls_exactly_these_methods_and_the_manifest_requests_them() {
    let used: BTreeSet<(String, String)> = requests()
        .iter()
        .map(|it| (it.method.clone(), method(it)))
        .collect();
    let listed = METHODS.map(|(verb, name)| (verb.to_string(), name.to_string()));
    assert_eq!(used, BTreeSet::from(listed));
    let manifest = include_str!("../plugin.toml");
    for (_, name) in METHODS {
        assert!(manifest.contains(&format!("\"*/{name}\"")), "{name}");
    }
}

#[test]
fn every_request_conforms_to_slacks_specification() {
    let Some(spec) = spec() else {
        eprintln!("skipped: slack-web-api.json not found; set TOCSIN_SPECS to its folder");
        return;
    };
    for request in requests() {
        let name = method(&request);
        let verb = request.method.to_lowercase();
        let operation = &spec["paths"][format!("/{name}")][&verb];
        assert!(operation.is_object(), "Slack has no {verb} {name}");
        let sent = params(&request);
        let place = if verb == "get" { "query" } else { "formData" };
        for known in operation["parameters"].as_array().unwrap() {
            let key = known["name"].as_str().unwrap();
            if known["in"] != place {
                continue;
            }
            let Some(value) = sent.get(key) else {
                assert!(known["required"] != true, "{name} lacks {key}");
                continue;
            };
            let fits = match known["type"].as_str().unwrap_or("string") {
                "integer" => value.parse::<i64>().is_ok(),
                "number" => value.parse::<f64>().is_ok(),
                "boolean" => ["true", "false"].contains(&value.as_str()),
                _ => true,
            };
            assert!(
                fits,
                "{name}: {key} is {value}, which does not match {known}"
            );
        }
    }
}

fn spec() -> Option<Value> {
    let named = std::env::var_os("TOCSIN_SPECS").map(PathBuf::from);
    let beside = || {
        PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/specs"
        ))
    };
    let path = named.unwrap_or_else(beside).join("slack-web-api.json");
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}
