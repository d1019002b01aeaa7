//! Components that several incidents affect.

use super::world::{World, graded, mitigated, other, resolved};
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::testing::incident;
use tocsin_plugin_sdk::types::Grade;
use tocsin_standins::statuspage::{Incident as Shown, SHOP};

#[test]
fn a_component_shows_the_worst_and_is_operational_after_the_last() {
    let world = World::start();
    let one = incident();
    let two = other(&one, Grade::Minor);
    world.say(&one, 2, "Payments fail.").unwrap();
    world.say(&two, 2, "Search is slow.").unwrap();
    assert_eq!(world.component(SHOP), "partial_outage");
    let worse = graded(&two, Grade::Critical);
    world.change(&two, &worse).unwrap();
    assert_eq!(world.component(SHOP), "major_outage");
    let better = graded(&worse, Grade::Minor);
    world.change(&worse, &better).unwrap();
    assert_eq!(world.component(SHOP), "partial_outage");
    world.change(&one, &mitigated(&one)).unwrap();
    assert_eq!(world.component(SHOP), "partial_outage");
    world.change(&one, &resolved(&one)).unwrap();
    assert_eq!(world.component(SHOP), "degraded_performance");
    world.change(&better, &resolved(&better)).unwrap();
    assert_eq!(world.component(SHOP), "operational");
}

#[test]
fn a_component_that_an_incident_of_others_affects_stays_as_it_is() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "Payments fail.").unwrap();
    let mut by_hand: Shown = world.only();
    by_hand.id = "byhand".into();
    by_hand.metadata = json!({});
    world.service.borrow_mut().inner.incidents.push(by_hand);
    world.change(&it, &resolved(&it)).unwrap();
    assert_eq!(world.component(SHOP), "partial_outage");
}
