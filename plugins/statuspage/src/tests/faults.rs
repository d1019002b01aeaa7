//! Answers that are lost, and too many requests: nothing is created or mailed twice.

use super::world::{Break, World, changed, graded, mitigated, reopened, resolved, update};
use tocsin_plugin_sdk::testing::incident;
use tocsin_plugin_sdk::types::{EventBody, Failure, Grade, Outcome};
use tocsin_standins::Service as _;
use tocsin_standins::statuspage::SHOP;

/// The life of an incident, each event insisted on; returns how many requests it took.
pub(crate) fn play(world: &World) -> usize {
    let it = incident();
    let worse = graded(&it, Grade::Critical);
    let better = mitigated(&worse);
    let over = resolved(&better);
    let again = reopened(&over);
    let ended = resolved(&again);
    let says = |it, seq, text| EventBody::UpdatePosted(update(it, seq, text));
    let steps = [
        (&it, says(&it, 2, "one")),
        (&worse, changed(&it, &worse)),
        (&better, changed(&worse, &better)),
        (&better, says(&better, 5, "two")),
        (&over, changed(&better, &over)),
        (&again, changed(&over, &again)),
        (&ended, says(&ended, 8, "three")),
        (&ended, changed(&again, &ended)),
    ];
    for (seq, (now, body)) in (2..).zip(steps) {
        world.host.add_incident(now);
        let result = world.insist(&format!("d-{seq}"), seq, &body);
        assert!(result.is_ok(), "{seq}: {result:?}");
    }
    world.requests()
}

#[test]
fn whichever_request_fails_the_page_ends_the_same_and_nobody_is_mailed_twice() {
    let smooth = World::start();
    let requests = play(&smooth);
    let end = "This incident has been resolved.";
    assert_eq!(smooth.mailed(), ["one", "two", end, "three"]);
    for how in [Break::Before, Break::After] {
        for at in 0..requests {
            let world = World::start();
            world.service.borrow_mut().breaks = Some((at, how));
            play(&world);
            assert!(world.service.borrow().breaks.is_none(), "{how:?} {at}");
            assert_eq!(world.mails(), smooth.mails(), "{how:?} {at}");
            let (got, want) = (world.only(), smooth.only());
            assert_eq!(got.texts(), want.texts(), "{how:?} {at}");
            assert_eq!(got.status, "resolved", "{how:?} {at}");
            assert_eq!(got.impact_override, want.impact_override, "{how:?} {at}");
            assert_eq!(world.component(SHOP), "operational", "{how:?} {at}");
        }
    }
}

#[test]
fn an_answer_that_the_host_knows_is_lost_is_looked_for_on_the_page() {
    for lost in ["/incidents", "/in0000000001"] {
        for has_arrived in [true, false] {
            let world = World::start();
            let it = incident();
            let texts: &[&str] = match lost {
                "/incidents" => &["one"],
                _ => {
                    world.say(&it, 2, "zero").unwrap();
                    &["zero", "one"]
                }
            };
            world.host.lose_answer(lost);
            let body = EventBody::UpdatePosted(update(&it, 3, "one"));
            world.deliver("d", 3, body.clone()).unwrap_err();
            if !has_arrived {
                let mut service = world.service.borrow_mut();
                service.inner.mails.retain(|it| it.body == "zero");
                match lost {
                    "/incidents" => service.inner.incidents.clear(),
                    _ => {
                        let one = &mut service.inner.incidents[0];
                        one.updates.pop();
                        one.metadata["tocsin"]["updates"] = ["inc-1/2"][..].into();
                    }
                }
            }
            let before = world.host.requests().len();
            if !has_arrived {
                let Err(Failure::Retry(hint)) = world.deliver("d", 3, body.clone()) else {
                    panic!("{lost}: it may still be on its way")
                };
                assert_eq!(hint.after_ms, Some(30_000), "{lost}");
                assert_eq!(posts(&world, before), 0, "{lost}");
            }
            if !has_arrived {
                world.host.advance_ms(30_000);
            }
            assert_eq!(world.deliver("d", 3, body), Ok(Outcome::Done));
            assert_eq!(posts(&world, before), usize::from(!has_arrived), "{lost}");
            assert_eq!(world.only().texts(), texts, "{lost}");
            assert_eq!(world.mailed(), texts, "{lost}");
        }
    }
}

/// The requests since then that write.
fn posts(world: &World, since: usize) -> usize {
    let requests = world.host.requests();
    requests[since..]
        .iter()
        .filter(|it| it.method != "GET")
        .count()
}

#[test]
fn the_end_whose_answer_was_lost_is_mailed_once() {
    let world = World::start();
    let it = incident();
    world.say(&it, 2, "one").unwrap();
    let over = resolved(&it);
    world.host.add_incident(&over);
    world.host.lose_answer("/in0000000001");
    let body = changed(&it, &over);
    world.insist("c", 3, &body).unwrap();
    let again = reopened(&over);
    world.change(&over, &again).unwrap();
    world.change(&again, &resolved(&again)).unwrap();
    let end = "This incident has been resolved.";
    assert_eq!(world.mailed(), ["one", end]);
}

#[test]
fn too_many_requests_are_waited_out() {
    for status in [420, 429] {
        let world = World::start();
        let it = incident();
        {
            let mut service = world.service.borrow_mut();
            service.inner.limited = Some(status);
            service.inner.set_time(1_000);
        }
        for _ in 0..58 {
            assert_eq!(crate::api::Api::without_deadline().probe(), Ok(()));
        }
        let body = EventBody::UpdatePosted(update(&it, 2, "one"));
        let Err(Failure::Retry(hint)) = world.deliver("d", 2, body.clone()) else {
            panic!("{status}")
        };
        assert_eq!(hint.after_ms, Some(30_000), "{status}");
        world.service.borrow_mut().inner.set_time(1_060);
        world.deliver("d", 2, body).unwrap();
        assert_eq!(world.mailed(), ["one"]);
    }
}

#[test]
fn a_call_takes_few_requests() {
    let world = World::start();
    let it = incident();
    let mut counted = Vec::new();
    let mut count = || counted.push(world.requests());
    count();
    world.say(&it, 2, "one").unwrap();
    count();
    world.say(&it, 3, "two").unwrap();
    count();
    world.change(&it, &graded(&it, Grade::Critical)).unwrap();
    count();
    world.change(&it, &graded(&it, Grade::Critical)).unwrap();
    count();
    world.change(&it, &resolved(&it)).unwrap();
    count();
    let taken: Vec<_> = counted.windows(2).map(|it| it[1] - it[0]).collect();
    assert_eq!(taken, [4, 1, 2, 0, 2]);
}
