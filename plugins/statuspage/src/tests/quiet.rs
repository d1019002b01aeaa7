//! What the page is never told: drills, and of security incidents all that nobody wrote for it.

use super::world::{World, graded, mitigated, resolved, secret};
use tocsin_plugin_sdk::testing::incident;
use tocsin_plugin_sdk::types::{Grade, Incident, Outcome};
use tocsin_standins::statuspage::SHOP;

/// A security incident as a plugin without clearance sees it.
fn redacted() -> Incident {
    let mut it = secret(&incident());
    it.title = "Security incident Juniper".into();
    it.summary = String::new();
    it.services = Vec::new();
    it.public_title = Some("Juniper".into());
    it
}

/// The same for a plugin with clearance.
fn cleared() -> Incident {
    let mut it = secret(&incident());
    it.public_title = Some("Juniper".into());
    it.extra = r#"{"changes": {"newest": [{"status": "confirmed"}]}}"#.into();
    it
}

#[test]
fn nothing_of_a_drill_leaves() {
    let world = World::start();
    let mut it = incident();
    it.drill = true;
    assert_eq!(world.say(&it, 2, "A drill."), Ok(Outcome::Ignored));
    let over = resolved(&it);
    assert_eq!(world.change(&it, &over), Ok(Outcome::Ignored));
    assert_eq!(world.requests(), 0);
}

#[test]
fn of_a_security_incident_the_page_has_the_text_of_its_updates_and_nothing_else() {
    for it in [redacted(), cleared()] {
        let world = World::start();
        world.say(&it, 2, "Please change your password.").unwrap();
        let shown = world.only();
        assert_eq!(shown.name, "Service incident");
        assert_eq!(shown.status, "investigating");
        assert_eq!(shown.impact_override, None);
        assert!(shown.components.is_empty());
        assert_eq!(world.component(SHOP), "operational");
        let sent = world.sent();
        for secret in [
            "42",
            "Juniper",
            "Checkout",
            "checkout",
            "5xx",
            "major",
            "identified",
        ] {
            assert!(!sent.contains(secret), "{secret}: {sent}");
        }
    }
}

#[test]
fn a_security_incident_changes_on_the_page_only_with_an_update() {
    let world = World::start();
    let it = redacted();
    world.say(&it, 2, "Please change your password.").unwrap();
    let before = world.requests();
    let changes = [graded(&it, Grade::Critical), mitigated(&it), resolved(&it)];
    for after in &changes {
        world.change(&it, after).unwrap();
    }
    assert_eq!(world.requests(), before);
    world
        .say(&changes[2], 9, "All passwords were reset.")
        .unwrap();
    assert_eq!(world.only().status, "resolved");
    assert_eq!(world.only().impact_override, None);
    assert_eq!(world.mails().len(), 2);
}

#[test]
fn an_incident_that_is_flagged_later_is_told_no_more_of_but_cleans_up_with_its_last_update() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "Some payments fail.").unwrap();
    let flagged = secret(&it);
    world.change(&it, &flagged).unwrap();
    let worse = graded(&flagged, Grade::Critical);
    world.change(&flagged, &worse).unwrap();
    assert_eq!(world.only().impact_override.as_deref(), Some("major"));
    let over = resolved(&worse);
    world.change(&worse, &over).unwrap();
    assert_eq!(world.only().status, "investigating");
    world.say(&over, 9, "It is over.").unwrap();
    assert_eq!(world.only().status, "resolved");
    assert_eq!(world.component(SHOP), "operational");
    assert_eq!(world.mailed(), ["Some payments fail.", "It is over."]);
}
