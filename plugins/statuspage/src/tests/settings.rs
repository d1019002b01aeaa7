//! Settings, the manifest and the check of health.

use super::world::World;
use crate::{EVENTS, Statuspage as ThePlugin};
use tocsin_plugin_sdk::Plugin;
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::testing::incident;
use tocsin_plugin_sdk::types::HealthReport;
use tocsin_standins::statuspage::{PAGE, SHOP};

#[test]
fn wrong_settings_are_refused_with_an_example() {
    let good = json!({
        "base-url": "https://api.statuspage.io/v1", "page-id": PAGE,
        "components": {"checkout": SHOP}, "component-status": {"minor": "operational"},
        "name": "Incident", "name-of-components": "{}", "resolved-text": "",
    });
    assert_eq!(ThePlugin::check_config(&good), []);
    let cases = [
        (
            "base-url",
            json!("statuspage"),
            "base-url",
            "api.statuspage.io",
        ),
        (
            "page-id",
            json!("status.example.com/"),
            "page-id",
            "kctbh9vrtdwd",
        ),
        ("page-id", json!(""), "page-id", "kctbh9vrtdwd"),
        (
            "components",
            json!({"shop": "a/b"}),
            "components.shop",
            "8kbf7d35c070",
        ),
        (
            "component-status",
            json!({"bad": "operational"}),
            "component-status.bad",
            "minor",
        ),
        (
            "component-status",
            json!({"minor": "red"}),
            "component-status.minor",
            "major_outage",
        ),
        ("name", json!(" "), "name", "Service incident"),
        (
            "name-of-components",
            json!("x"),
            "name-of-components",
            "Problems with {}",
        ),
    ];
    for (key, value, path, example) in cases {
        let mut bad: Value = good.clone();
        bad[key] = value;
        let issues = ThePlugin::check_config(&bad);
        let [issue] = &issues[..] else {
            panic!("{path}: {issues:?}")
        };
        assert_eq!(issue.path, path);
        assert!(issue.message.contains(example), "{issue:?}");
    }
}

#[test]
fn the_manifest_subscribes_to_the_events_that_are_handled() {
    let manifest = include_str!("../../plugin.toml");
    tocsin_plugin_sdk::testing::assert_manifest(manifest, &EVENTS, env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_grade_gives_a_component_the_status_that_is_set_for_it() {
    let world = World::start();
    let set = json!({"major": "degraded_performance"});
    world.host.set_config("component-status", &set.to_string());
    world.say(&incident(), 2, "We look into it.").unwrap();
    assert_eq!(world.component(SHOP), "degraded_performance");
}

#[test]
fn health_is_one_request_and_says_what_is_wrong() {
    let world = World::start();
    assert_eq!(ThePlugin::health(), HealthReport::Ok);
    assert_eq!(world.requests(), 1);
    for (status, is_failing, word) in [
        (401, true, "`api-key`"),
        (404, true, "`page-id`"),
        (420, false, "420"),
        (500, false, "500"),
    ] {
        world.service.borrow_mut().inner.fault = Some(status);
        let (got, why) = match ThePlugin::health() {
            HealthReport::Failing(why) => (true, why),
            HealthReport::Degraded(why) => (false, why),
            HealthReport::Ok => panic!("{status}"),
        };
        assert_eq!(got, is_failing, "{status}");
        assert!(why.contains(word), "{why}");
    }
}
