//! Checks every request against GitLab's own API specification, if a copy is available: in the
//! folder that `TOCSIN_SPECS` names, or in `shared/specs` beside the repository. What it lacks is
//! written down here.

use crate::tests::{World, at, opened};
use std::collections::BTreeSet;
use std::path::PathBuf;
use tocsin_plugin_sdk::http::Request;
use tocsin_plugin_sdk::serde_json::{self, Value, json};
use tocsin_plugin_sdk::testing::{form_fields, incident, person};
use tocsin_plugin_sdk::types::{Audience, EventBody, Grade, Incident};

/// All requests that the plugin makes. A new one also needs a path in the manifest.
const REQUESTS: [(&str, &str); 9] = [
    ("GET", "/api/v4/projects/{id}/issues"),
    ("GET", "/api/v4/projects/{id}/issues/{issue_iid}"),
    ("GET", "/api/v4/projects/{id}/issues/{issue_iid}/notes"),
    ("GET", "/api/v4/user"),
    ("GET", "/api/v4/users"),
    ("POST", "/api/v4/projects/{id}/issues"),
    ("POST", "/api/v4/projects/{id}/issues/{issue_iid}/links"),
    ("POST", "/api/v4/projects/{id}/issues/{issue_iid}/notes"),
    ("PUT", "/api/v4/projects/{id}/issues/{issue_iid}"),
];

/// Of the requests that the copy lacks: their query parameters.
const NOT_IN_THE_COPY: [(&str, &[&str]); 3] = [
    (
        "/api/v4/projects/{id}/issues/{issue_iid}/notes",
        &["order_by", "sort", "activity_filter", "page", "per_page"],
    ),
    ("/api/v4/user", &[]),
    ("/api/v4/users", &["username", "page", "per_page"]),
];

/// What the plugin sends in a world where everything happens and answers are lost.
fn requests() -> Vec<Request> {
    let world = World::start();
    world.host.add_person(&person("ada", "gitlab", "ada"));
    world.host.lose_answer("/issues");
    world.deliver("e-1", opened()).unwrap_err();
    world.deliver("e-1", opened()).unwrap();
    let critical = at(2, |it| it.grade = Grade::Critical);
    world.change(&critical).unwrap();
    let update = || {
        let update = crate::tests::updates::update("u-1", Audience::Company, &incident());
        EventBody::UpdatePosted(update)
    };
    world.host.lose_answer("/notes");
    world.deliver("e-3", update()).unwrap_err();
    world.deliver("e-3", update()).unwrap();
    let flagged: Incident = at(4, |it| it.security = true);
    world.change(&flagged).unwrap();
    world.change(&crate::tests::the_end::resolved(5)).unwrap();
    world.host.requests()
}

/// The template of a request's path.
fn template(request: &Request) -> String {
    let url = request.url.split('?').next().unwrap_or_default();
    let path = url.trim_start_matches("https://gitlab.example");
    let mut parts: Vec<&str> = path.split('/').collect();
    for (at, name) in [(4, "{id}"), (6, "{issue_iid}")] {
        if let Some(part) = parts.get_mut(at) {
            *part = name;
        }
    }
    parts.join("/")
}

fn query(request: &Request) -> Vec<(String, String)> {
    let query = request.url.split_once('?').map_or("", |it| it.1);
    form_fields(query.as_bytes()).into_iter().collect()
}

#[test]
fn the_plugin_makes_exactly_these_requests() {
    let requests = requests();
    let made = requests.iter().map(|it| (it.method.clone(), template(it)));
    let made: BTreeSet<(String, String)> = made.collect();
    let listed = REQUESTS.map(|(method, path)| (method.to_owned(), path.to_owned()));
    assert_eq!(made, BTreeSet::from(listed));
    for request in &requests {
        let is_write = request.method != "GET";
        assert_eq!(request.once.is_some(), is_write, "{request:?}");
    }
}

#[test]
fn what_the_specification_lacks_is_sent_as_gitlab_documents_it() {
    let minimum = json!({"type": "object", "required": ["body"], "properties": {
        "body": {"type": "string"}, "internal": {"type": "boolean"},
        "created_at": {"type": "string"}}});
    for request in requests() {
        let path = template(&request);
        let listed = NOT_IN_THE_COPY.iter().find(|it| it.0 == path);
        let Some((_, known)) = listed else { continue };
        for (name, _) in query(&request) {
            assert!(known.contains(&name.as_str()), "{path}: {name}");
        }
        if request.method == "POST" {
            check_body(&path, &body(&request), &minimum);
        }
    }
}

#[test]
fn every_request_conforms_to_gitlabs_specification() {
    let Some(spec) = spec() else {
        eprintln!("skipped: gitlab-rest.json not found; set TOCSIN_SPECS to its folder");
        return;
    };
    for request in requests() {
        let (path, method) = (template(&request), request.method.to_lowercase());
        let operation = &spec["paths"][&path][&method];
        if operation.is_null() && NOT_IN_THE_COPY.iter().any(|it| it.0 == path) {
            continue;
        }
        assert!(operation.is_object(), "GitLab has no {method} {path}");
        let parameters = operation["parameters"].as_array().unwrap();
        for (name, value) in query(&request) {
            let known = parameters.iter().find(|it| it["name"] == *name);
            let known = known.unwrap_or_else(|| panic!("{path} has no {name}"));
            check_value(&format!("{path}: {name}"), &json!(value), known);
        }
        let of_body = parameters.iter().find(|it| it["in"] == "body");
        if let Some(schema) = of_body.map(|it| &it["schema"]) {
            let named = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next());
            let schema = named.map_or(schema, |it| &spec["definitions"][it]);
            check_body(&path, &body(&request), schema);
        }
    }
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(request.body.as_deref().unwrap()).unwrap()
}

fn check_body(path: &str, body: &Value, schema: &Value) {
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        assert!(!body[name].is_null(), "{path} lacks {name}");
    }
    for (name, value) in body.as_object().unwrap() {
        let known = &schema["properties"][name];
        assert!(known.is_object(), "{path} has no {name}");
        check_value(&format!("{path}: {name}"), value, known);
    }
}

/// Values of queries are text.
fn check_value(what: &str, value: &Value, known: &Value) {
    let in_query = known["in"] == "query";
    let fits = match known["type"].as_str().unwrap() {
        "string" => value.is_string(),
        "integer" if in_query => value.as_str().unwrap().parse::<i64>().is_ok(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        "array" => {
            let items = value.as_array().unwrap().iter();
            items.for_each(|it| check_value(what, it, &known["items"]));
            true
        }
        other => panic!("{what}: {other}"),
    };
    let listed = known["enum"].as_array();
    let fits = fits && listed.is_none_or(|it| it.contains(value));
    assert!(fits, "{what} is {value}, which does not match {known}");
}

fn spec() -> Option<Value> {
    let named = std::env::var_os("TOCSIN_SPECS").map(PathBuf::from);
    let beside = || {
        PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/specs"
        ))
    };
    let path = named.unwrap_or_else(beside).join("gitlab-rest.json");
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}
