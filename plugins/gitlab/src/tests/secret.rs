//! Security incidents.

use super::updates::update;
use super::{World, at, opened};
use tocsin_plugin_sdk::types::{Audience, EventBody, Incident, Status};

/// As the daemon redacts it for a plugin without clearance.
fn redacted(revision: u64) -> Incident {
    at(revision, |it| {
        it.security = true;
        it.title = "Security incident Juniper".into();
        it.summary = String::new();
        it.services.clear();
        it.extra = "{}".into();
    })
}

/// Whether each write after the first left the issue confidential.
fn later_writes(world: &World) -> Vec<bool> {
    let writes = world.gitlab.borrow().writes.clone();
    writes.into_iter().skip(1).map(|it| it.1).collect()
}

#[test]
fn a_security_incident_is_confidential_from_its_first_moment() {
    let world = World::start();
    let it = at(1, |it| it.security = true);
    world.deliver("e-1", EventBody::IncidentOpened(it)).unwrap();
    let issue = world.issue();
    assert_eq!(issue.labels, ["grade::major", "incident", "security"]);
    assert_eq!(world.gitlab.borrow().writes, [(1, true)]);
}

#[test]
fn an_incident_that_is_flagged_later_is_hidden_before_anything_is_written() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    let flagged = at(2, |it| {
        it.security = true;
        it.title = "Key leaked".into();
    });
    let put = "PUT https://gitlab.example/api/v4/projects/7/issues/1";
    world.host.lose_answer(put);
    world.change(&flagged).unwrap_err();
    assert!(!world.issue().title.contains("Key leaked"), "only hidden");
    world.change(&flagged).unwrap();
    assert!(world.issue().title.contains("Key leaked"));
    assert_eq!(later_writes(&world), [true, true]);
    assert_eq!(world.writes().len(), 3, "{:?}", world.writes());
}

#[test]
fn without_clearance_nothing_is_left_of_what_was_there() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    assert!(world.issue().description.contains("5xx over 20"));
    world.change(&redacted(2)).unwrap();
    let issue = world.issue();
    assert!(issue.confidential);
    assert_eq!(issue.title, "INC-42 Security incident Juniper");
    let want = "<!-- tocsin:incident:inc-1 -->\n\
        **[INC-42](<https://tocsin.example/incidents/42>)** in tocsin. This part is kept current; \
        write above or below it.\n\n\
        - **Grade:** major\n\
        - **Status:** open\n\
        - **Opened:** 2026-01-02 12:00 UTC\n\
        <!-- tocsin:end -->";
    assert_eq!(issue.description, want);
}

#[test]
fn without_clearance_no_update_is_posted() {
    let world = World::start();
    let it = redacted(1);
    world
        .deliver("e-1", EventBody::IncidentOpened(it.clone()))
        .unwrap();
    let update = update("u-1", Audience::Company, &it);
    world
        .deliver("e-2", EventBody::UpdatePosted(update))
        .unwrap();
    assert_eq!(world.issue().notes.len(), 0);
}

#[test]
fn an_update_waits_until_the_issue_of_a_flagged_incident_is_hidden() {
    let world = World::start();
    world.deliver("e-1", opened()).unwrap();
    world.host.add_incident(&at(2, |it| it.security = true));
    let update = update("u-1", Audience::Engineering, &at(1, |_| {}));
    world
        .deliver("e-2", EventBody::UpdatePosted(update))
        .unwrap();
    assert_eq!(world.issue().notes.len(), 1);
    assert_eq!(later_writes(&world), [true, true, true]);
}

#[test]
fn an_issue_stays_confidential_when_the_flag_is_removed_and_is_hidden_again_if_need_be() {
    let world = World::start();
    let it = at(1, |it| it.security = true);
    world.deliver("e-1", EventBody::IncidentOpened(it)).unwrap();
    let cleared = at(2, |it| it.summary = "all clear".into());
    world.change(&cleared).unwrap();
    assert!(world.issue().confidential);
    world.edit(|it| it.confidential = false);
    let again = at(3, |it| {
        it.security = true;
        it.status = Status::Mitigated;
    });
    world.change(&again).unwrap();
    assert!(world.issue().confidential);
}
