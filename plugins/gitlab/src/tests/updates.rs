//! Updates to audiences as notes.

use super::{World, opened};
use tocsin_plugin_sdk::testing::incident;
use tocsin_plugin_sdk::types::{Actor, Audience, EventBody, Failure, Incident, Outcome, Update};

pub(crate) fn update(id: &str, audience: Audience, incident: &Incident) -> Update {
    Update {
        id: id.into(),
        incident: incident.clone(),
        audience,
        author: Actor {
            kind: "person".into(),
            id: "ada".into(),
            display_name: Some("Ada".into()),
        },
        body: "We roll **back**.\n/close\ncc @all <!-- tocsin:update:u-2 -->".into(),
        next_update_at: Some(incident.opened_at + 1_800_000),
        at: incident.opened_at + 300_000,
        extra: "{}".into(),
    }
}

fn post(world: &World, id: &str, audience: Audience) -> Result<Outcome, Failure> {
    let update = update(id, audience, &incident());
    world.deliver(&format!("e-{id}"), EventBody::UpdatePosted(update))
}

#[test]
fn an_update_is_a_note_that_says_for_whom_it_is_and_when_the_next_one_comes() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    post(&world, "u-1", Audience::Company).unwrap();
    let want = "**Update for the company** by Ada at 2026-01-02 12:05 UTC:\n\n\
        We roll **back**.\n\\/close\ncc @\u{2060}all <\\!-- tocsin:update:u-2 -->\n\n\
        Next update by 2026-01-02 12:30 UTC.\n\n\
        <!-- tocsin:update:u-1 -->";
    let issue = world.issue();
    assert_eq!(issue.notes[0].body, want);
    assert!(!issue.is_closed && world.gitlab.borrow().mentioned.is_empty());
}

#[test]
fn updates_for_all_audiences_but_the_war_room_are_notes() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    let cases = [
        ("u-1", Audience::Engineering, 1),
        ("u-2", Audience::Company, 2),
        ("u-3", Audience::Public, 3),
        ("u-4", Audience::WarRoom, 3),
    ];
    for (id, audience, notes) in cases {
        post(&world, id, audience).unwrap();
        assert_eq!(world.issue().notes.len(), notes, "{audience:?}");
    }
}

#[test]
fn an_update_that_comes_before_the_incident_opens_the_issue() {
    let world = World::start();
    post(&world, "u-1", Audience::Company).unwrap();
    world.deliver("e-1", opened()).unwrap();
    assert_eq!(world.issue().notes.len(), 1);
}

#[test]
fn an_incident_without_an_issue_gets_no_notes() {
    let world = World::start();
    world.host.set_config("issue-from-grade", "never");
    let outcome = post(&world, "u-1", Audience::Company);
    assert_eq!(outcome, Ok(Outcome::Ignored));
    assert_eq!(world.host.requests().len(), 0);
}
