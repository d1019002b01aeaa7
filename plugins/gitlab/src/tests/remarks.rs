//! Webhooks about the issues of incidents.

use super::{World, hook_of, opened};
use tocsin_plugin_sdk::serde_json::{self, Value, json};
use tocsin_plugin_sdk::testing::incident;
use tocsin_standins::gitlab::BOT;

/// A world with an issue, in which the plugin knows whose its token is.
fn with_issue() -> World {
    let world = World::start();
    world.host.add_incident(&incident());
    world.deliver("e-1", opened()).unwrap();
    world
}

/// The entry that a hook adds to the log.
fn entry(world: &World, kind: &str, edit: impl FnOnce(&mut Value)) -> Option<Value> {
    let before = world.host.jobs().len();
    let answer = world.hook("Any Hook", &hook_of(kind, edit));
    assert_eq!(answer.status, 200);
    let job = world.host.jobs().get(before).cloned()?;
    Some(serde_json::from_str(&job.payload).unwrap())
}

/// The text that a hook adds to the log.
fn logged(world: &World, kind: &str, edit: impl FnOnce(&mut Value)) -> Option<String> {
    let entry = entry(world, kind, edit)?;
    Some(entry["body"].as_str().unwrap().to_owned())
}

#[test]
fn a_comment_on_an_incidents_issue_is_logged_with_its_author_time_and_link() {
    let world = with_issue();
    let note = "The queue is full, see the `orders` table.";
    let want = json!({"incident": "inc-1", "author": "ada", "at": 1_767_355_600_000_u64,
        "body": note, "link": "https://gitlab.example/ops/incidents/-/issues/1#note_1241"});
    assert_eq!(entry(&world, "note", |_| {}), Some(want));
    world.run_jobs();
    let commands = world.host.commands();
    let last = commands.last().unwrap();
    assert_eq!((last.verb, last.text.as_str()), ("log", note));
    // Whoever comments need not be in the configuration.
    assert_eq!(last.by.as_ref().unwrap().kind, "plugin");
}

#[test]
fn what_is_done_to_an_incidents_issue_is_logged() {
    let world = with_issue();
    let title = json!({"title": {"previous": "a", "current": "b\nc"}});
    let shown = json!({"confidential": {"previous": true, "current": false},
        "assignees": {"previous": [], "current": [{"username": "bob"}]}});
    let other = json!({"labels": {"previous": [], "current": []}});
    let is_visible = "Made the issue visible to everybody in the project. Assigned the issue to \
                      bob.";
    let cases = [
        ("close", json!({}), Some("Closed the issue.")),
        ("reopen", json!({}), Some("Reopened the issue.")),
        ("open", title.clone(), None),
        (
            "update",
            title,
            Some("Changed the title of the issue to \"b c\"."),
        ),
        ("update", shown, Some(is_visible)),
        ("update", other, None),
    ];
    for (action, changes, want) in cases {
        let case = format!("{action} {changes}");
        let body = logged(&world, "issue", |it| {
            it["object_attributes"]["action"] = action.into();
            it["changes"] = changes;
        });
        assert_eq!(body.as_deref(), want, "{case}");
    }
}

#[test]
fn the_issues_of_others_are_not_logged() {
    let world = with_issue();
    let cases = [
        ("issue", "/object_attributes/iid", json!(2)),
        ("issue", "/project/id", json!(8)),
        ("note", "/issue/iid", json!(2)),
        ("note", "/issue", json!(null)),
    ];
    for (kind, pointer, value) in cases {
        let edit = |it: &mut Value| *it.pointer_mut(pointer).unwrap() = value;
        assert_eq!(logged(&world, kind, edit), None, "{kind} {pointer}");
    }
}

#[test]
fn what_the_plugin_itself_does_is_not_echoed() {
    let world = with_issue();
    let marked = json!("hello\n<!-- tocsin:update:u-1 -->");
    let cases = [
        ("issue", "/user/username", json!(BOT)),
        ("note", "/user/username", json!(BOT)),
        ("note", "/object_attributes/note", marked),
        ("note", "/object_attributes/system", json!(true)),
        ("note", "/object_attributes/action", json!("update")),
    ];
    for (kind, pointer, value) in cases {
        let edit = |it: &mut Value| *it.pointer_mut(pointer).unwrap() = value;
        assert_eq!(logged(&world, kind, edit), None, "{kind} {pointer}");
    }
}

#[test]
fn a_comment_that_two_webhooks_report_is_logged_once() {
    let world = with_issue();
    assert!(logged(&world, "note", |_| {}).is_some());
    assert_eq!(logged(&world, "note", |_| {}), None);
    let next = |it: &mut Value| it["object_attributes"]["id"] = 1242.into();
    assert!(logged(&world, "note", next).is_some());
}

#[test]
fn a_long_comment_fits_into_the_queue() {
    let world = with_issue();
    let long = |it: &mut Value| {
        it["object_attributes"]["note"] = "\"\n\u{1}ü".repeat(3_000).into();
    };
    assert!(logged(&world, "note", long).is_some());
    let job = world.host.jobs().pop().unwrap();
    assert!(job.payload.len() < 6 << 10, "{}", job.payload.len());
}

#[test]
fn without_clearance_nothing_is_added_to_the_log_of_a_security_incident() {
    let world = with_issue();
    let mut secret = incident();
    secret.security = true;
    secret.services.clear();
    world.host.add_incident(&secret);
    assert_eq!(logged(&world, "note", |_| {}), None);
}
