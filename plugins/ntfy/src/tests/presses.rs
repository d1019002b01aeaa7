//! Presses in the answer topic that go wrong, or are forged.

use super::*;
use tocsin_plugin_sdk::commands::CommandError;

#[test]
fn whoever_sees_a_press_for_one_incident_cannot_press_for_the_others() {
    let world = World::start();
    world.host.set_config("answer-topic", "tocsin-answers");
    world.deliver("d", EventBody::Page(two())).unwrap();
    press(&world, 1);
    let seen = world.messages()[1]["message"].as_str().unwrap().to_string();
    for forged in [
        seen.split('/').next().unwrap().into(),
        seen.clone(),
        format!("{seen}/0"),
    ] {
        let mut asked = Asked::new("POST", "/tocsin-answers");
        asked.body = forged.into_bytes();
        tocsin_standins::Service::answer(&mut *world.ntfy.borrow_mut(), &asked);
    }
    read(&world, "r");
    let acknowledged = world.host.commands().into_iter();
    let mut acknowledged = acknowledged.filter(|it| it.verb == "acknowledge");
    assert!(acknowledged.all(|it| it.text == "b-1/1"));
}

#[test]
fn a_press_counts_whatever_the_servers_clock_says() {
    for lost in [false, true] {
        let world = World::start();
        world.host.set_config("answer-topic", "tocsin-answers");
        world.ntfy.borrow_mut().now_s -= 300;
        if lost {
            world.host.lose_answer("/");
            world.deliver("d", EventBody::Page(two())).unwrap_err();
        }
        world.deliver("d", EventBody::Page(two())).unwrap();
        press(&world, 0);
        read(&world, "r");
        assert_eq!(world.host.commands().len(), 2, "{lost}");
    }
}

#[test]
fn a_press_that_fails_does_not_hold_up_the_others_and_is_tried_again() {
    let world = World::start();
    world.host.set_config("answer-topic", "tocsin-answers");
    for id in ["a", "b"] {
        let page = page(id, &incident(), &ada());
        world.deliver(id, EventBody::Page(page)).unwrap();
    }
    for place in [0, 1] {
        let action = world.messages()[place]["actions"][0].clone();
        let mut asked = Asked::new("POST", action["url"].as_str().unwrap());
        asked.body = action["body"].as_str().unwrap().into();
        tocsin_standins::Service::answer(&mut *world.ntfy.borrow_mut(), &asked);
    }
    let pages = || {
        let commands = world.host.commands().into_iter();
        let acknowledged = commands.filter(|it| it.verb == "acknowledge");
        acknowledged.filter_map(|it| it.id).collect::<Vec<_>>()
    };
    let denied = CommandError::Denied("nobody has this contact".into());
    world.host.answer_commands(Err(denied));
    read(&world, "r1");
    assert_eq!(pages(), ["a", "b"]);
    world.host.answer_commands(Ok("done".into()));
    read(&world, "r2");
    read(&world, "r3");
    assert_eq!(pages(), ["a", "b", "a", "b"]);
}
