//! Deliveries that are repeated, late or out of order, and a daemon that forgot.

use super::world::{World, changed, mitigated, resolved, update, with_link};
use crate::row;
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::testing::incident;
use tocsin_plugin_sdk::types::{EventBody, Failure, Outcome};
use tocsin_plugin_sdk::{clock, kv};
use tocsin_standins::statuspage::SHOP;

#[test]
fn what_is_delivered_again_changes_nothing() {
    let world = World::start();
    let it = incident();
    let over = resolved(&it);
    world.say(&it, 2, "Some payments fail.").unwrap();
    world.say(&it, 3, "We roll back.").unwrap();
    world.change(&it, &over).unwrap();
    let (mails, requests) = (world.mails(), world.requests());
    world.say(&over, 2, "Some payments fail.").unwrap();
    world.say(&over, 3, "We roll back.").unwrap();
    assert_eq!(world.change(&it, &over), Ok(Outcome::Ignored));
    assert_eq!((world.mails(), world.requests()), (mails, requests));
    assert_eq!(world.only().texts().len(), 3);
}

#[test]
fn an_update_that_waits_for_its_retry_is_posted_before_a_later_one() {
    let world = World::start();
    let it = incident();
    world.service.borrow_mut().inner.fault = Some(429);
    world.say(&it, 2, "one").unwrap_err();
    world.service.borrow_mut().inner.fault = None;
    world.say(&it, 3, "two").unwrap();
    assert_eq!(world.only().texts(), ["one", "two"]);
    world.say(&it, 2, "one").unwrap();
    assert_eq!(world.mailed(), ["one", "two"]);
}

#[test]
fn an_update_that_waits_goes_out_before_the_status_follows() {
    let world = World::start();
    let it = incident();
    world.service.borrow_mut().inner.fault = Some(429);
    world.say(&it, 2, "one").unwrap_err();
    world.service.borrow_mut().inner.fault = None;
    world.change(&it, &mitigated(&it)).unwrap();
    let shown = world.only();
    let said: Vec<_> = shown
        .updates
        .iter()
        .map(|it| (&*it.status, &*it.body))
        .collect();
    assert_eq!(said, [("investigating", "one"), ("monitoring", "")]);
}

#[test]
fn an_update_that_is_refused_does_not_keep_the_next_one_from_the_page() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "one").unwrap();
    world.service.borrow_mut().inner.fault = Some(422);
    let refused = world.say(&it, 3, "two");
    assert!(matches!(refused, Err(Failure::Permanent(_))), "{refused:?}");
    world.service.borrow_mut().inner.fault = None;
    world.say(&it, 4, "three").unwrap();
    assert_eq!(world.only().texts(), ["one", "three"]);
}

#[test]
fn an_old_change_brings_the_page_to_the_present_state() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "Some payments fail.").unwrap();
    let better = mitigated(&it);
    let over = resolved(&better);
    world.change(&better, &over).unwrap();
    assert_eq!(world.hear(&it, &better), Ok(Outcome::Ignored));
    assert_eq!(world.only().status, "resolved");
}

#[test]
fn while_another_delivery_changes_the_page_an_update_waits_and_then_goes_out() {
    let world = World::start();
    let it = incident();
    let held = json!({
        "holder": "another", "held_until": clock::now() + 30_000,
    });
    kv::set("claim", &held, None).unwrap();
    let busy = world.say(&it, 2, "Some payments fail.");
    let Err(Failure::Retry(hint)) = busy else {
        panic!("{busy:?}")
    };
    assert_eq!((hint.after_ms, world.requests()), (Some(2_000), 0));
    world.host.advance_ms(30_000);
    world.say(&it, 2, "Some payments fail.").unwrap();
    assert_eq!(world.mails().len(), 1);
}

#[test]
fn a_daemon_that_was_restored_adopts_what_is_on_the_page() {
    for was_resolved in [false, true] {
        let world = World::start();
        let it = incident();
        world.say(&it, 2, "one").unwrap();
        if was_resolved {
            world.change(&it, &resolved(&it)).unwrap();
        }
        row::forget(&it.id).unwrap();
        // The same update, and one that the page does not have.
        world.say(&it, 2, "one").unwrap();
        row::forget(&it.id).unwrap();
        world.say(&it, 3, "two").unwrap();
        let shown = world.only();
        assert_eq!(shown.status, "investigating");
        let texts = shown.texts();
        assert_eq!((texts[0], texts.last()), ("one", Some(&"two")));
        assert_eq!(world.mailed().iter().filter(|it| *it == "one").count(), 1);
        world.change(&it, &resolved(&it)).unwrap();
        assert_eq!(world.component(SHOP), "operational");
    }
}

#[test]
fn an_unresolved_incident_is_adopted_however_many_came_after_it() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "one").unwrap();
    row::forget(&it.id).unwrap();
    for number in 0..120 {
        let mut later = world.incidents()[0].clone();
        later.id = format!("later{number}");
        later.metadata = json!({});
        later.status = if number < 60 {
            "resolved"
        } else {
            "monitoring"
        }
        .into();
        world.service.borrow_mut().inner.incidents.push(later);
    }
    world.say(&it, 3, "two").unwrap();
    assert_eq!(world.incidents().len(), 121);
    assert_eq!(world.incidents()[0].texts(), ["one", "two"]);
}

#[test]
fn an_incident_that_the_plugin_forgot_is_found_by_its_link() {
    let world = World::start();
    let it = with_link(&incident());
    world.say(&incident(), 2, "one").unwrap();
    row::forget(&it.id).unwrap();
    let before = world.requests();
    world.change(&it, &resolved(&it)).unwrap();
    assert_eq!(world.only().status, "resolved");
    assert_eq!(
        world.requests(),
        before + 3,
        "read, the others, and the change"
    );
}

#[test]
fn an_update_for_another_page_leaves_the_first_one_alone() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "one").unwrap();
    world.host.set_config("page-id", "otherpage");
    let body = EventBody::UpdatePosted(update(&it, 3, "two"));
    let refused = world.deliver("d", 3, body);
    assert!(
        matches!(refused, Err(Failure::Misconfigured(_))),
        "{refused:?}"
    );
    let over = world.deliver("c", 4, changed(&it, &resolved(&it)));
    assert!(matches!(over, Err(Failure::Misconfigured(_))), "{over:?}");
    assert_eq!(world.only().texts(), ["one"]);
}
