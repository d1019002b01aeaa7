//! The page's incident follows the state of tocsin's.

use super::world::{World, graded, mail, mitigated, other, reopened, resolved, with_link};
use tocsin_plugin_sdk::kv;
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::testing::incident;
use tocsin_plugin_sdk::types::{Grade, Incident, Outcome, Status};
use tocsin_standins::statuspage::SHOP;

/// The incident with a change that somebody confirmed as its cause.
fn explained(it: &Incident) -> Incident {
    let mut it = it.clone();
    it.extra = r#"{"changes": {"count": 1, "newest": [{"status": "confirmed"}]}}"#.into();
    it
}

#[test]
fn each_state_has_a_status_on_the_page() {
    let it = incident();
    let mut closed = resolved(&it);
    closed.status = Status::Closed;
    let cases = [
        (it.clone(), "investigating"),
        (explained(&it), "identified"),
        (mitigated(&it), "monitoring"),
        (mitigated(&explained(&it)), "monitoring"),
        (resolved(&it), "resolved"),
        (closed, "resolved"),
    ];
    for (state, want) in cases {
        let world = World::start();
        world.say(&state, 2, "We look into it.").unwrap();
        assert_eq!(world.only().status, want);
    }
}

#[test]
fn that_the_cause_is_known_is_said_with_the_next_update() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "We look into it.").unwrap();
    let known = explained(&graded(&it, it.grade));
    assert_eq!(world.change(&it, &known), Ok(Outcome::Ignored));
    assert_eq!(world.only().status, "investigating");
    world.say(&known, 4, "It was a deployment.").unwrap();
    assert_eq!(world.only().status, "identified");
}

#[test]
fn a_grade_changes_the_impact_and_the_component_without_a_mail() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "We look into it.").unwrap();
    let mut before = it;
    for (grade, component) in [
        (Grade::Minor, "degraded_performance"),
        (Grade::Critical, "major_outage"),
        (Grade::Major, "partial_outage"),
    ] {
        let after = graded(&before, grade);
        world.change(&before, &after).unwrap();
        let impact = world.only().impact_override;
        assert_eq!(impact.as_deref(), Some(grade.as_str()));
        assert_eq!(world.component(SHOP), component);
        before = after;
    }
    assert_eq!(world.only().updates.len(), 1);
    assert_eq!(world.mails().len(), 1);
    let over = resolved(&before);
    world.change(&before, &over).unwrap();
    let regraded = graded(&over, Grade::Minor);
    assert_eq!(world.change(&over, &regraded), Ok(Outcome::Ignored));
}

#[test]
fn an_end_without_an_update_is_mailed_once_however_often_it_reopens() {
    let world = World::start();
    let mut it = incident();
    world.say(&it, 2, "Some payments fail.").unwrap();
    for _ in 0..3 {
        let over = resolved(&it);
        world.change(&it, &over).unwrap();
        assert_eq!(world.only().status, "resolved");
        assert_eq!(world.component(SHOP), "operational");
        it = reopened(&over);
        world.change(&over, &it).unwrap();
        assert_eq!(world.only().status, "investigating");
        assert_eq!(world.component(SHOP), "partial_outage");
    }
    let ended = "This incident has been resolved.";
    assert_eq!(world.mailed(), ["Some payments fail.", ended]);
    world.say(&it, 12, "It is back.").unwrap();
    let over = resolved(&it);
    world.change(&it, &over).unwrap();
    let mails = ["Some payments fail.", ended, "It is back.", ended];
    assert_eq!(world.mailed(), mails);
}

#[test]
fn an_update_that_says_that_it_is_over_is_the_only_one_that_does() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "Some payments fail.").unwrap();
    let over = resolved(&it);
    world.say(&over, 4, "All payments work.").unwrap();
    assert_eq!(world.change(&it, &over), Ok(Outcome::Ignored));
    let mails = [
        mail("investigating", "Some payments fail."),
        mail("resolved", "All payments work."),
    ];
    assert_eq!(world.mails(), mails);
    assert_eq!(world.only().texts().len(), 2);
}

#[test]
fn without_a_text_for_the_end_only_the_status_changes() {
    let world = World::start();
    world.host.set_config("resolved-text", "");
    let it = incident();
    world.say(&it, 2, "Some payments fail.").unwrap();
    world.change(&it, &resolved(&it)).unwrap();
    assert_eq!(world.only().texts(), ["Some payments fail.", ""]);
    assert_eq!(world.mails().len(), 1);
}

#[test]
fn an_incident_that_somebody_deleted_on_the_page_is_not_created_again() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "Some payments fail.").unwrap();
    world.service.borrow_mut().inner.incidents.clear();
    let why = format!("{:?}", world.say(&it, 3, "We roll back.").unwrap_err());
    assert!(
        why.contains("Permanent") && why.contains("deleted"),
        "{why}"
    );
    assert_eq!(world.change(&it, &resolved(&it)), Ok(Outcome::Ignored));
    assert!(world.incidents().is_empty());
}

/// The incident once it was merged into number 43.
fn merged(it: &Incident) -> Incident {
    let mut it = resolved(it);
    (it.status, it.extra) = (Status::Closed, r#"{"merged-into": 43}"#.into());
    it
}

#[test]
fn a_merged_incident_hands_over_its_place_on_the_page() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "Some payments fail.").unwrap();
    let into = other(&it, Grade::Critical);
    world.host.add_incident(&into);
    let merged = merged(&with_link(&it));
    let row = kv::get::<Value>("incident:inc-1").unwrap().unwrap().value;
    for cut_off in [false, true] {
        if cut_off {
            kv::set("incident:inc-1", &row, None).unwrap();
        }
        world.change(&it, &merged).unwrap();
        let shown = world.only();
        assert_eq!(shown.status, "investigating");
        assert_eq!(shown.impact_override.as_deref(), Some("critical"));
        assert_eq!(shown.metadata["tocsin"]["incident_id"], "43");
    }
    assert_eq!(world.change(&it, &merged), Ok(Outcome::Ignored));
    world.say(&into, 7, "We found it.").unwrap();
    world.change(&into, &resolved(&into)).unwrap();
    let ended = "This incident has been resolved.";
    let texts = ["Some payments fail.", "We found it.", ended];
    assert_eq!(world.only().texts(), texts);
    assert_eq!(world.component(SHOP), "operational");
}

#[test]
fn an_update_that_waits_when_its_incident_is_merged_still_goes_out() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "one").unwrap();
    world.host.add_incident(&other(&it, Grade::Critical));
    world.service.borrow_mut().inner.fault = Some(429);
    world.say(&it, 3, "two").unwrap_err();
    world.service.borrow_mut().inner.fault = None;
    let merged = merged(&it);
    world.change(&it, &merged).unwrap();
    assert_eq!(world.only().texts(), ["one", "two"]);
    assert_eq!(world.only().metadata["tocsin"]["incident_id"], "43");
}

#[test]
fn a_merged_incident_ends_silently_if_the_other_one_is_on_the_page_too() {
    let world = World::start();
    let it = incident();
    let into = other(&it, Grade::Critical);
    world.say(&into, 2, "The shop is down.").unwrap();
    world.say(&it, 2, "Some payments fail.").unwrap();
    world.change(&it, &merged(&it)).unwrap();
    let statuses: Vec<_> = world.incidents().into_iter().map(|it| it.status).collect();
    assert_eq!(statuses, ["investigating", "resolved"]);
    assert_eq!(world.mailed(), ["The shop is down.", "Some payments fail."]);
    assert_eq!(world.component(SHOP), "major_outage");
}
