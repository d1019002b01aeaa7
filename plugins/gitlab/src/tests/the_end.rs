//! The end of an incident: follow-up issues and merged incidents.

use super::{World, at, opened};
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::testing::person;
use tocsin_plugin_sdk::types::{EventBody, Incident, Status};
use tocsin_standins::gitlab::Issue;

fn with_tasks(it: &mut Incident) {
    let tasks = [
        json!({"number": 1, "text": "Raise the limit\n/close @all", "owner": "Ada",
            "owner-id": "ada"}),
        json!({"number": 3, "text": "Write a runbook", "owner": null, "owner-id": null}),
    ];
    it.extra = json!({"tasks": {"count": 2, "open": tasks}}).to_string();
}

pub(crate) fn resolved(revision: u64) -> Incident {
    at(revision, |it| {
        it.status = Status::Resolved;
        it.resolved_at = Some(it.opened_at + 3_600_000);
        with_tasks(it);
    })
}

fn follow_ups(world: &World) -> Vec<Issue> {
    let issues = world.gitlab.borrow().issues.clone();
    issues.into_iter().skip(1).collect()
}

fn started() -> World {
    let world = World::start();
    world.host.add_person(&person("ada", "gitlab", "ada"));
    world.deliver("e-1", opened()).unwrap();
    world
}

#[test]
fn open_tasks_become_issues_that_are_linked_and_assigned() {
    let world = started();
    world.change(&at(2, with_tasks)).unwrap();
    assert_eq!(follow_ups(&world).len(), 0, "it is not over");
    world.change(&resolved(3)).unwrap();
    let made = follow_ups(&world);
    assert_eq!(made.len(), 2);
    assert_eq!(made[0].title, "Raise the limit /close @\u{2060}all");
    assert_eq!(made[0].assignees, [51]);
    assert_eq!(made[0].labels, ["follow-up"]);
    assert_eq!(made[0].issue_type, "issue");
    let want = "Raise the limit /close @\u{2060}all\n\n\
        This was left to do when [INC-42](<https://tocsin.example/incidents/42>) was resolved.\n\n\
        Owner: Ada\n\n<!-- tocsin:task:inc-1/1 -->";
    assert_eq!(made[0].description, want);
    assert_eq!(made[1].assignees, [0; 0]);
    let gitlab = world.gitlab.borrow();
    let linked = made.iter().map(|it| (gitlab.issues[0].id, it.id));
    assert_eq!(gitlab.links, linked.collect::<Vec<_>>());
    assert!(gitlab.issues[0].is_closed);
}

#[test]
fn a_task_becomes_an_issue_once_whatever_is_lost_and_however_often_it_reopens() {
    for lost in ["/issues", "/links", "/users?username=ada"] {
        let world = started();
        world.host.lose_answer(lost);
        world.change(&resolved(2)).unwrap_err();
        world.change(&resolved(2)).unwrap();
        world.change(&at(3, with_tasks)).unwrap();
        world.change(&resolved(4)).unwrap();
        let closed = at(5, |it| {
            it.status = Status::Closed;
            with_tasks(it);
        });
        world.change(&closed).unwrap();
        assert_eq!(follow_ups(&world).len(), 2, "{lost}");
        assert_eq!(world.gitlab.borrow().links.len(), 2, "{lost}");
    }
}

#[test]
fn a_task_that_gitlab_refuses_does_not_keep_the_others_from_becoming_issues() {
    let world = started();
    let mut it = resolved(2);
    it.extra = it.extra.replace("Raise the limit\\n/close @all", " ");
    world.change(&it).unwrap();
    assert_eq!(follow_ups(&world).len(), 1);
    let logs = world.host.logs().join("\n");
    assert!(logs.contains("can't be blank"), "{logs}");
}

#[test]
fn a_retry_that_comes_to_the_rest_later_still_shows_what_changed_meanwhile() {
    let world = started();
    world.host.add_incident(&resolved(2));
    world.host.lose_answer("/links");
    world.change(&resolved(2)).unwrap_err();
    let mut later = resolved(3);
    later.title = "Cart is down".into();
    world.host.add_incident(&later);
    world.change(&resolved(2)).unwrap();
    assert_eq!(world.gitlab.borrow().issues[0].title, "INC-42 Cart is down");
}

#[test]
fn the_follow_ups_of_a_security_incident_are_confidential() {
    let world = started();
    let mut it = resolved(2);
    it.security = true;
    world.change(&it).unwrap();
    assert!(follow_ups(&world).iter().all(|it| it.confidential));
    assert_eq!(follow_ups(&world)[0].labels, ["follow-up", "security"]);
}

#[test]
fn an_incident_that_is_resolved_before_it_got_an_issue_gets_a_closed_one() {
    let world = World::start();
    world.change(&resolved(5)).unwrap();
    assert!(world.gitlab.borrow().issues[0].is_closed);
    assert_eq!(follow_ups(&world).len(), 2);
}

#[test]
fn a_merged_incident_is_closed_and_linked_to_the_issue_of_the_other() {
    let world = started();
    let other = at(1, |it| {
        it.id = "inc-2".into();
        it.number = 43;
    });
    world
        .deliver("e-2", EventBody::IncidentOpened(other.clone()))
        .unwrap();
    world.host.add_incident(&other);
    let merged = at(3, |it| {
        it.status = Status::Closed;
        it.extra = json!({"merged-into": 43, "tasks": {"count": 0, "open": []}}).to_string();
    });
    for _ in 0..2 {
        world.change(&merged).unwrap();
    }
    let gitlab = world.gitlab.borrow();
    let [first, second] = &gitlab.issues[..] else {
        panic!("{:?}", gitlab.issues)
    };
    assert!(first.is_closed && !second.is_closed);
    assert!(first.description.contains("merged into INC-43"));
    assert_eq!(gitlab.links, [(first.id, second.id)]);
}
