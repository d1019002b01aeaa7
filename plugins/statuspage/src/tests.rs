//! Tests the plugin against a stand-in that refuses what Statuspage refuses.

pub(crate) mod faults;
mod order;
mod quiet;
mod settings;
mod shared;
mod state;
pub(crate) mod world;

use tocsin_plugin_sdk::testing::incident;
use tocsin_plugin_sdk::types::{Audience, Failure, Grade, Outcome};
use tocsin_standins::statuspage::{API, SHOP};
use world::{World, graded, mail, mitigated, reopened, resolved};

#[test]
fn the_page_follows_the_whole_life_of_an_incident() {
    let world = World::start();
    let it = incident();
    assert_eq!(world.change(&it, &it), Ok(Outcome::Ignored));
    assert_eq!(
        world.requests(),
        0,
        "nothing leaves before the first update"
    );

    world.say(&it, 2, "Some payments fail.").unwrap();
    let shown = world.only();
    assert_eq!(shown.name, "Problems with Shop");
    assert_eq!(shown.status, "investigating");
    assert_eq!(shown.impact_override.as_deref(), Some("major"));
    assert_eq!(shown.metadata["tocsin"]["incident_id"], "inc-1");
    assert_eq!(shown.components, [SHOP]);
    assert_eq!(world.component(SHOP), "partial_outage");
    let [link] = &world.host.commands()[..] else {
        panic!("{:?}", world.host.commands())
    };
    let said = (link.verb, link.id.as_deref(), link.text.as_str());
    assert_eq!(
        said,
        ("link", Some("inc-1"), "statuspage-incident in0000000001")
    );

    let worse = graded(&it, Grade::Critical);
    world.change(&it, &worse).unwrap();
    assert_eq!(world.only().impact_override.as_deref(), Some("critical"));
    assert_eq!(world.component(SHOP), "major_outage");
    assert_eq!(world.only().texts(), ["Some payments fail."]);

    world.say(&worse, 4, "We roll back.").unwrap();
    let better = mitigated(&worse);
    world.change(&worse, &better).unwrap();
    assert_eq!(world.only().status, "monitoring");
    assert_eq!(world.component(SHOP), "major_outage");
    let over = resolved(&better);
    world.change(&better, &over).unwrap();
    assert_eq!(world.only().status, "resolved");
    assert_eq!(world.component(SHOP), "operational");
    let texts = [
        "Some payments fail.",
        "We roll back.",
        "",
        "This incident has been resolved.",
    ];
    assert_eq!(world.only().texts(), texts);
    let mails = [
        mail("investigating", "Some payments fail."),
        mail("investigating", "We roll back."),
        mail("resolved", "This incident has been resolved."),
    ];
    assert_eq!(world.mails(), mails);
}

#[test]
fn only_updates_for_the_public_reach_the_page() {
    for audience in [Audience::WarRoom, Audience::Engineering, Audience::Company] {
        let world = World::start();
        let result = world.say_to(audience, &incident(), 2, "Ask Jo for the logs.");
        assert_eq!(result, Ok(Outcome::Ignored), "{audience:?}");
        assert_eq!(world.requests(), 0, "{audience:?}");
    }
}

#[test]
fn the_name_is_the_public_title_or_that_of_the_components_or_neutral() {
    let cases = [
        (Some("Slow payments"), "checkout", "Slow payments"),
        (None, "checkout", "Problems with Shop"),
        (Some(" "), "checkout", "Problems with Shop"),
        (None, "billing", "Service incident"),
        (None, "unknown", "Service incident"),
    ];
    for (title, service, want) in cases {
        let world = World::start();
        let mut it = incident();
        it.public_title = title.map(Into::into);
        it.services = vec![service.into()];
        world.say(&it, 2, "We look into it.").unwrap();
        assert_eq!(world.only().name, want);
        let sent = world.sent();
        for secret in [it.title.as_str(), &it.summary, "42", service] {
            assert!(!sent.contains(secret), "{secret}: {sent}");
        }
    }
}

#[test]
fn a_component_that_the_page_does_not_have_keeps_no_update_from_it() {
    let world = World::start();
    let mut it = incident();
    it.services = vec!["billing".into(), "checkout".into()];
    world.say(&it, 2, "We look into it.").unwrap();
    assert_eq!(world.only().components, [SHOP]);
    let logs = world.host.logs();
    assert!(
        logs.iter().any(|it| it.contains("`components`")),
        "{logs:?}"
    );
}

#[test]
fn an_incident_of_several_services_names_each_component_once() {
    let world = World::start();
    let mut it = incident();
    it.services = vec!["checkout".into(), "cart".into(), "api".into()];
    world.say(&it, 2, "We look into it.").unwrap();
    assert_eq!(world.only().name, "Problems with Shop, API");
    assert_eq!(world.only().components, [SHOP, API]);
}

#[test]
fn an_update_after_the_end_says_so_and_degrades_nothing() {
    let world = World::start();
    let over = resolved(&incident());
    world
        .say(&over, 5, "For ten minutes, some payments failed.")
        .unwrap();
    assert_eq!(world.only().status, "resolved");
    assert_eq!(world.component(SHOP), "operational");
    assert_eq!(world.mails().len(), 1);
    let again = reopened(&over);
    world.change(&over, &again).unwrap();
    assert_eq!(world.only().status, "investigating");
    assert_eq!(world.component(SHOP), "partial_outage");
}

#[test]
fn a_long_text_is_cut_to_what_statuspage_takes() {
    let world = World::start();
    let mut it = incident();
    it.public_title = Some("ü".repeat(300));
    world.say(&it, 2, &"ü".repeat(30_000)).unwrap();
    assert_eq!(world.only().name.chars().count(), 255);
    assert_eq!(world.only().texts()[0].chars().count(), 25_000);
}

#[test]
fn what_is_refused_says_who_must_act() {
    let cases = [
        (401, "misconfigured: `api-key`"),
        (404, "misconfigured: `page-id`"),
        (422, "permanent: a fault"),
        (420, "retry: 420"),
        (429, "retry: 429"),
        (503, "retry: 503"),
    ];
    for (status, want) in cases {
        let world = World::start();
        world.service.borrow_mut().inner.fault = Some(status);
        let failure = world.say(&incident(), 2, "We look into it.").unwrap_err();
        let (kind, why) = match failure {
            Failure::Retry(hint) => ("retry", hint.reason),
            Failure::Permanent(why) => ("permanent", why),
            Failure::Misconfigured(why) => ("misconfigured", why),
        };
        let (want_kind, words) = want.split_once(": ").unwrap();
        assert_eq!(kind, want_kind, "{status}");
        assert!(why.contains(words), "{status}: {why}");
    }
}
