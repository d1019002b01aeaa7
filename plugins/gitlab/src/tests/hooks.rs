//! Webhooks about deployments and other changes.

use super::{World, hook_of};
use tocsin_plugin_sdk::serde_json::{self, Value, json};
use tocsin_plugin_sdk::testing::FakeHost;

const SHA: &str = "5e1a90c09fbe69ededfced8c1bb6e6d24616b468";
const ALL: &str = r#"["deployment", "pipeline", "push", "release", "tag"]"#;

/// What the engine was told of changes.
fn recorded(host: &FakeHost) -> Vec<Value> {
    let commands = host.commands().into_iter();
    let changes = commands.filter(|it| it.verb == "record-change");
    changes
        .map(|it| serde_json::from_str(&it.text).unwrap())
        .collect()
}

/// The only change that a hook makes, with these kinds of changes.
fn change_of(kinds: &str, kind: &str, edit: impl FnOnce(&mut Value)) -> Option<Value> {
    let world = World::start();
    world.host.set_config("changes", kinds);
    let answer = world.hook("Any Hook", &hook_of(kind, edit));
    assert_eq!((answer.status, answer.body.len()), (200, 0), "{kind}");
    world.run_jobs();
    let mut changes = recorded(&world.host);
    assert!(changes.len() < 2, "{changes:?}");
    changes.pop()
}

#[test]
fn a_deployment_is_a_change_with_its_service_environment_outcome_and_revision() {
    let commit = format!("https://gitlab.example/shop/checkout/-/commit/{SHA}");
    let want = json!({
        "id": "deployment:30:15",
        "payload": {
            "summary": "Deploy 5e1a90c0 to production: Round prices up",
            "timestamp": "2026-01-02T11:02:00Z",
            "source": "gitlab shop/checkout",
            "custom_details": {"service": "checkout", "environment": "production",
                "outcome": "success", "revision": SHA},
        },
        "links": [
            {"href": "https://gitlab.example/shop/checkout/-/jobs/796", "text": "Job"},
            {"href": commit, "text": "Commit"},
        ],
    });
    assert_eq!(change_of(ALL, "deployment", |_| {}), Some(want));
}

#[test]
fn each_kind_is_a_change_with_a_stable_id_and_its_time() {
    let push = format!("push:30:{SHA}");
    let (noon, tag) = ("2026-01-02T12:00:00Z", "tag:30:7cccc7eafb75:v1.0.0");
    let pushed = "Push of 2 commits to main: Round prices up";
    let cases = [
        (
            "pipeline",
            "pipeline:30:31",
            "2026-01-02T11:03:29Z",
            "Pipeline 31 on main",
        ),
        ("push", push.as_str(), noon, pushed),
        (
            "release",
            "release:30:v1.0.0",
            "2026-01-02T10:50:12Z",
            "Release Version 1.0",
        ),
        ("tag", tag, noon, "Tag v1.0.0"),
    ];
    for (kind, id, at, summary) in cases {
        let change = change_of(ALL, kind, |_| {}).unwrap();
        let payload = &change["payload"];
        assert_eq!(change["id"], id);
        assert_eq!(payload["timestamp"], at, "{kind}");
        assert_eq!(payload["summary"], summary);
        assert_eq!(payload["custom_details"]["revision"], SHA, "{kind}");
        assert_eq!(payload["custom_details"]["service"], "checkout", "{kind}");
    }
}

#[test]
fn only_the_kinds_that_the_operator_names_count() {
    let kinds = ["deployment", "pipeline", "push", "release", "tag"];
    for kind in kinds {
        for named in kinds {
            let change = change_of(&json!([named]).to_string(), kind, |_| {});
            assert_eq!(change.is_some(), kind == named, "{kind} with {named}");
        }
    }
}

#[test]
fn what_is_not_released_is_no_change() {
    let cases = [
        ("deployment", "/environment_tier", json!("staging")),
        ("deployment", "/status", json!("created")),
        ("pipeline", "/object_attributes/ref", json!("topic")),
        ("pipeline", "/object_attributes/status", json!("running")),
        ("pipeline", "/object_attributes/status", json!("canceled")),
        (
            "pipeline",
            "/object_attributes/source",
            json!("parent_pipeline"),
        ),
        (
            "pipeline",
            "/object_attributes/source",
            json!("merge_request_event"),
        ),
        ("push", "/ref", json!("refs/heads/topic")),
        ("push", "/after", json!("0".repeat(40))),
        ("tag", "/after", json!("0".repeat(40))),
        ("release", "/action", json!("update")),
        ("release", "/action", json!("delete")),
    ];
    for (kind, pointer, value) in cases {
        let case = format!("{kind} {pointer} {value}");
        let change = change_of(ALL, kind, |it| {
            *it.pointer_mut(pointer).unwrap() = value;
            if kind == "deployment" && pointer.ends_with("tier") {
                it["environment"] = "eu-1".into();
            }
        });
        assert_eq!(change, None, "{case}");
    }
}

#[test]
fn a_tag_counts_as_the_default_branch_and_a_tier_as_its_name() {
    let tagged = change_of(ALL, "pipeline", |it| {
        it["object_attributes"]["ref"] = "v1.0.0".into();
        it["object_attributes"]["tag"] = true.into();
    });
    assert!(tagged.is_some());
    let of_tier = change_of(ALL, "deployment", |it| it["environment"] = "eu-1".into());
    let details = &of_tier.unwrap()["payload"]["custom_details"];
    assert_eq!(details["environment"], "eu-1");
}

#[test]
fn a_project_may_be_several_services() {
    let world = World::start();
    let table = r#"{"shop/checkout": "checkout, cart"}"#;
    world.host.set_config("services", table);
    world.hook("Deployment Hook", &hook_of("deployment", |_| {}));
    world.run_jobs();
    let details = &recorded(&world.host)[0]["payload"]["custom_details"];
    assert_eq!(details["services"], json!(["checkout", "cart"]));
}

fn deployed(world: &World, status: &str, at: &str) {
    let hook = hook_of("deployment", |it| {
        it["status"] = status.into();
        it["status_changed_at"] = at.into();
    });
    assert_eq!(world.hook("Deployment Hook", &hook).status, 200);
}

fn outcomes(world: &World) -> Vec<Value> {
    let changes = recorded(&world.host).into_iter();
    let outcomes = changes.map(|it| it["payload"]["custom_details"]["outcome"].clone());
    outcomes.collect()
}

#[test]
fn a_deployment_keeps_the_time_at_which_it_began() {
    let world = World::start();
    deployed(&world, "running", "2026-01-02 12:55:00 +0200");
    world.run_jobs();
    deployed(&world, "success", "2026-01-02 13:02:00 +0200");
    world.run_jobs();
    assert_eq!(outcomes(&world), ["running", "success"]);
    for change in recorded(&world.host) {
        assert_eq!(change["id"], "deployment:30:15");
        assert_eq!(change["payload"]["timestamp"], "2026-01-02T10:55:00Z");
    }
}

#[test]
fn a_report_that_was_overtaken_is_dropped() {
    let world = World::start();
    deployed(&world, "running", "2026-01-02 12:55:00 +0200");
    deployed(&world, "success", "2026-01-02 13:02:00 +0200");
    deployed(&world, "running", "2026-01-02 12:55:00 +0200");
    world.run_jobs();
    assert_eq!(outcomes(&world), ["success"]);
}

#[test]
fn what_cannot_be_read_is_refused_with_the_reason_if_it_is_of_a_known_kind() {
    let world = World::start();
    let broken = hook_of("deployment", |it| {
        it.as_object_mut().unwrap().remove("deployment_id");
    });
    let timeless = hook_of("deployment", |it| it["status_changed_at"] = "soon".into());
    let cases = [
        ("Deployment Hook", "{\"object_kind\"", 400, "EOF"),
        ("Deployment Hook", broken.as_str(), 400, "deployment_id"),
        (
            "Deployment Hook",
            timeless.as_str(),
            400,
            "`status_changed_at`",
        ),
        ("Note Hook", "7", 400, "invalid type"),
        ("Wiki Page Hook", "{\"object_kind\"", 200, ""),
        ("Emoji Hook", "{\"object_kind\": \"emoji\"}", 200, ""),
        (
            "Member Hook",
            "{\"event_name\": \"user_add_to_group\"}",
            200,
            "",
        ),
    ];
    for (name, body, status, word) in cases {
        let answer = world.hook(name, body);
        let text = String::from_utf8(answer.body).unwrap();
        assert_eq!(answer.status, status, "{name}: {text}");
        assert!(text.contains(word), "{name}: {text}");
        assert_eq!(text.is_empty(), status == 200, "{name}: {text}");
    }
    assert_eq!(world.host.jobs(), []);
}
