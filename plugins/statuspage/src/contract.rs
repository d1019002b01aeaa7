//! Checks every request of the plugin and every answer of the stand-in against Statuspage's own
//! document, if a copy is available: in the folder that `TOCSIN_SPECS` names, or in `shared/specs`
//! beside the repository. What must always hold is written down here.

use crate::tests::faults;
use crate::tests::world::{Break, World, with_link};
use std::collections::BTreeSet;
use std::path::PathBuf;
use tocsin_plugin_sdk::serde_json::{self, Value, json};
use tocsin_plugin_sdk::testing::incident;
use tocsin_standins::statuspage::{KEY, PAGE, SHOP};
use tocsin_standins::{Answered, Asked, Service as _};

/// All requests that the plugin makes, with the right that allows each. A new one also needs its
/// path in the manifest.
const REQUESTS: [(&str, &str, &str); 6] = [
    (
        "GET",
        "/pages/{page_id}/components/{component_id}",
        "*/pages/*/components/*",
    ),
    ("GET", "/pages/{page_id}/incidents", "*/pages/*/incidents"),
    (
        "GET",
        "/pages/{page_id}/incidents/unresolved",
        "*/pages/*/incidents/*",
    ),
    (
        "GET",
        "/pages/{page_id}/incidents/{incident_id}",
        "*/pages/*/incidents/*",
    ),
    (
        "PATCH",
        "/pages/{page_id}/incidents/{incident_id}",
        "*/pages/*/incidents/*",
    ),
    ("POST", "/pages/{page_id}/incidents", "*/pages/*/incidents"),
];

/// Everything that the plugin asks, with the answers.
fn seen() -> Vec<(Asked, Answered)> {
    let world = World::start();
    // What comes first is found on the page after its answer was lost.
    world.service.borrow_mut().breaks = Some((3, Break::After));
    faults::play(&world);
    let mut other = with_link(&incident());
    other.id = "inc-2".into();
    other.services = vec!["billing".into()];
    world.say(&other, 2, "Bills are late.").unwrap();
    world.say(&other, 3, "Bills are on their way.").unwrap();
    world.service.borrow_mut().inner.fault = Some(422);
    world.say(&other, 4, "x").unwrap_err();
    world.service.borrow().inner.seen.clone()
}

/// What the stand-in also serves.
fn asked_by_hand() -> Vec<(Asked, Answered)> {
    let world = World::start();
    world.say(&incident(), 2, "one").unwrap();
    let mut service = world.service.borrow_mut();
    let one = "/incidents/in0000000001/postmortem";
    let component = json!({"component": {"status": "operational"}});
    let publish = json!({"postmortem": {"notify_subscribers": false}});
    for (method, path, body) in [
        ("GET", "", Value::Null),
        ("GET", "/components", Value::Null),
        ("PATCH", &format!("/components/{SHOP}"), component),
        ("PUT", one, json!({"postmortem": {"body_draft": "Why"}})),
        ("PUT", &format!("{one}/publish"), publish),
        ("GET", one, Value::Null),
        ("GET", "/incidents", Value::Null),
        ("GET", "/incidents/none", Value::Null),
    ] {
        let mut asked = Asked::new(method, &format!("/v1/pages/{PAGE}{path}"));
        asked.set_header("authorization", &format!("OAuth {KEY}"));
        if !body.is_null() {
            asked.set_header("content-type", "application/json");
            asked.body = body.to_string().into_bytes();
        }
        service.inner.answer(&asked);
    }
    service.inner.seen.clone()
}

/// The path in Statuspage's document.
fn template(path: &str) -> String {
    let path = path.strip_prefix("/v1").unwrap();
    let mut parts: Vec<&str> = path.split('/').collect();
    for (at, name) in [(2, "{page_id}"), (4, "")] {
        if at < parts.len() && parts[at] != "unresolved" {
            parts[at] = match (name, parts[at - 1]) {
                ("", "incidents") => "{incident_id}",
                ("", "components") => "{component_id}",
                (name, _) => name,
            };
        }
    }
    parts.join("/")
}

#[test]
fn the_plugin_makes_exactly_these_requests_and_the_manifest_asks_for_them() {
    let seen = seen();
    let made = seen
        .iter()
        .map(|(asked, _)| (asked.method.clone(), template(&asked.path)));
    let made: BTreeSet<_> = made.collect();
    let listed = REQUESTS.map(|(method, path, _)| (method.to_owned(), path.to_owned()));
    assert_eq!(made, BTreeSet::from(listed));
    let manifest = include_str!("../plugin.toml");
    for (_, _, glob) in REQUESTS {
        assert!(manifest.contains(&format!("\"{glob}\"")), "{glob}");
    }
    for right in ["postmortem", "subscribers", "\"PUT\"", "\"DELETE\""] {
        assert!(!manifest.contains(right), "{right}");
    }
}

#[test]
fn every_request_that_writes_says_whether_subscribers_are_told() {
    for (asked, _) in seen().into_iter().filter(|it| it.0.method != "GET") {
        assert_eq!(asked.headers["content-type"], "application/json");
        let body = asked.json().unwrap();
        let fields = body["incident"].as_object().unwrap();
        assert!(fields["deliver_notifications"].is_boolean(), "{body}");
        // The service ignores what it does not know, so the stand-in refuses it; and it needs a
        // name for a new one.
        assert_eq!(
            asked.method == "POST",
            fields.contains_key("name"),
            "{body}"
        );
    }
}

#[test]
fn every_request_and_every_answer_conforms_to_statuspages_document() {
    let Some(spec) = spec() else {
        eprintln!("skipped: statuspage.json not found; set TOCSIN_SPECS to its folder");
        return;
    };
    let mut checked = BTreeSet::new();
    for (asked, answered) in seen().into_iter().chain(asked_by_hand()) {
        let path = template(&asked.path);
        let place = format!("{} {path}", asked.method);
        let operation = &spec["paths"][&path][asked.method.to_lowercase()];
        assert!(operation.is_object(), "Statuspage has no {place}");
        for name in asked.query.keys() {
            let mut known = operation["parameters"].as_array().unwrap().iter();
            let is_it = |it: &Value| it["name"] == **name && it["in"] == "query";
            assert!(known.any(is_it), "{place} takes no {name}");
        }
        if let Some(body) = asked.json() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            fits(&spec, schema, &body, &place);
        }
        let answer: Value = serde_json::from_str(&answered.body).unwrap();
        let response = &operation["responses"][answered.status.to_string()];
        let schema = &response["content"]["application/json"]["schema"];
        match schema.is_object() {
            true => fits(&spec, schema, &answer, &place),
            // Not every refusal is in the document; all look the same.
            false => {
                assert!(answered.status >= 400, "{place}: {}", answered.status);
                assert!(answer["message"].is_string(), "{place}: {answer}");
            }
        }
        checked.insert(place);
    }
    assert!(checked.len() > REQUESTS.len(), "{checked:?}");
}

/// Fails unless a value has the schema's type, values and fields.
fn fits(spec: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = &spec["components"]["schemas"][name.rsplit('/').next().unwrap()];
        assert!(schema.is_object(), "{name}");
        return fits(spec, schema, value, place);
    }
    let kind = schema["type"].as_str().unwrap_or_default().to_lowercase();
    let is_kind = match kind.as_str() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        _ => true,
    };
    assert!(is_kind, "{place}: {value} is not of type {kind}");
    if let Some(known) = schema["enum"].as_array() {
        assert!(
            known.contains(value),
            "{place}: {value} is none of {known:?}"
        );
    }
    for item in value.as_array().into_iter().flatten() {
        fits(spec, &schema["items"], item, place);
    }
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    for (name, field) in value.as_object().into_iter().flatten() {
        // The document shows a map by one made-up id of twelve characters.
        let is_map = properties.len() == 1 && properties.keys().all(|it| it.len() == 12);
        let known = match is_map {
            true => properties.values().next(),
            false => properties.get(name),
        };
        let known = known.unwrap_or_else(|| panic!("{place} has no field {name}"));
        fits(spec, known, field, &format!("{place} {name}"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(
            value.get(name.as_str().unwrap()).is_some(),
            "{place} lacks {name}"
        );
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
    let path = named.unwrap_or_else(beside).join("statuspage.json");
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}
