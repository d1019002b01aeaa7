//! Faults of GitLab and of the network: nothing is done twice, and nothing is lost.

use super::updates::update;
use super::{World, at, opened};
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::testing::incident;
use tocsin_plugin_sdk::types::{Audience, EventBody, Failure, Grade};
use tocsin_standins::gitlab::Fault;

/// What writes the issue.
const PUT: &str = "PUT https://gitlab.example/api/v4/projects/7/issues/1";

fn told() -> EventBody {
    EventBody::UpdatePosted(update("u-1", Audience::Company, &incident()))
}

fn fault(world: &World, status: u16, headers: &[(&str, &str)]) {
    let headers = headers.iter();
    let headers = headers.map(|(name, value)| ((*name).into(), (*value).into()));
    world.gitlab.borrow_mut().fault = Some(Fault {
        status,
        headers: headers.collect(),
        body: json!({"message": "a fault"}),
    });
}

#[test]
fn an_issue_whose_creation_got_no_response_is_found_and_not_created_again() {
    for next in ["e-1", "e-2"] {
        let world = World::start();
        world.host.lose_answer("/issues");
        world.deliver("e-1", opened()).unwrap_err();
        assert_eq!(world.issue().iid, 1);
        if next != "e-1" {
            // Another delivery waits until the first one's claim expires.
            world.host.advance_ms(30_000);
        }
        world.deliver(next, opened()).unwrap();
        assert_eq!(world.issue().iid, 1, "{next}");
        let commands = world.host.commands();
        assert_eq!(commands.len(), 1, "it is linked once: {commands:?}");
    }
}

#[test]
fn an_issue_that_was_not_created_is_created_later() {
    for status in [429, 500, 502, 503, 401] {
        let world = World::start();
        fault(&world, status, &[]);
        for _ in 0..3 {
            world.deliver("e-1", opened()).unwrap_err();
        }
        world.gitlab.borrow_mut().fault = None;
        world.deliver("e-1", opened()).unwrap();
        assert_eq!(world.issue().iid, 1, "{status}");
    }
}

#[test]
fn an_issue_of_somebody_else_is_not_taken_for_ours() {
    let world = World::start();
    world.host.lose_answer("/issues");
    world.deliver("e-1", opened()).unwrap_err();
    // It has our marker, and its author is another.
    world.edit(|it| it.author = "mallory".into());
    world.deliver("e-1", opened()).unwrap();
    assert_eq!(world.gitlab.borrow().issues.len(), 2);
}

#[test]
fn a_note_whose_creation_got_no_response_is_not_posted_again() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    world.host.lose_answer("/notes");
    world.deliver("e-2", told()).unwrap_err();
    for _ in 0..2 {
        world.deliver("e-2", told()).unwrap();
    }
    assert_eq!(world.issue().notes.len(), 1);
}

#[test]
fn a_change_whose_response_was_lost_is_written_again() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    let critical = at(2, |it| it.grade = Grade::Critical);
    world.host.lose_answer(PUT);
    world.change(&critical).unwrap_err();
    world.edit(|it| it.labels = vec!["grade::major".into()]);
    world.change(&critical).unwrap();
    assert_eq!(world.issue().labels, ["grade::critical"]);
}

#[test]
fn a_retry_shows_what_changed_since_the_first_attempt() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    let named = |revision: u64, title: &str| at(revision, |it| it.title = title.into());
    let first = named(2, "First");
    world.host.add_incident(&first);
    world.host.lose_answer(PUT);
    world.change(&first).unwrap_err();
    assert_eq!(world.issue().title, "INC-42 First");
    world.host.add_incident(&named(3, "Second"));
    world.change(&first).unwrap();
    assert_eq!(world.issue().title, "INC-42 Second");
}

#[test]
fn gitlab_says_how_long_to_wait() {
    let world = World::start();
    fault(&world, 429, &[("retry-after", "7")]);
    let failure = world.deliver("e-1", opened()).unwrap_err();
    let Failure::Retry(hint) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(hint.after_ms, Some(7_000));
}

#[test]
fn what_only_the_operator_can_fix_is_said_with_the_remedy() {
    let world = World::start();
    world.gitlab.borrow_mut().is_read_only = true;
    let Err(Failure::Misconfigured(why)) = world.deliver("e-1", opened()) else {
        panic!("a token that may only read")
    };
    assert!(why.contains("needs the scope api"), "{why}");
    world.gitlab.borrow_mut().is_read_only = false;
    world.host.set_config("project", "ops/other");
    let Err(Failure::Misconfigured(why)) = world.deliver("e-1", opened()) else {
        panic!("a project that does not exist")
    };
    assert!(why.contains("check the setting `project`"), "{why}");
}

#[test]
fn two_deliveries_at_once_do_not_create_two_issues() {
    let world = World::start();
    // The first one dies while it creates the issue: its claim is not released.
    let row = json!({
        "issue": null, "is_linked": false, "revision": 0, "digest": 0, "title": "",
        "is_over": false, "is_gone": false, "holder": "e-1",
        "held_until": incident().opened_at + 30_000,
    });
    tocsin_plugin_sdk::kv::set("issue:inc-1", &row, None).unwrap();
    let next = at(2, |it| it.grade = Grade::Critical);
    let failure = world.change(&next).unwrap_err();
    let Failure::Retry(hint) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(hint.after_ms, Some(2_000));
    world.host.advance_ms(30_000);
    world.change(&next).unwrap();
    assert_eq!(world.issue().iid, 1);
}
