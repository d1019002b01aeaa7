//! The real Slack plugin, if it has been built.

use super::fakes::Server;
use super::rig::{Rig, SECRET, built, delivery, page};
use crate::wit::{Event, EventBody, Settled};
use crate::{CodeOrigin, Failure, PluginGrant};
use std::time::Instant;

#[tokio::test]
async fn the_slack_plugin_loads_and_handles_an_event() {
    let Some(path) = built("slack") else {
        println!("skipped: no plugins/slack/plugin.wasm in the target folder; cargo xtask plugins");
        return;
    };
    let server = Server::start().await;
    let rig = Rig::new();
    let secret = rig.folder.path().join("token");
    let grant: PluginGrant = toml::from_str(&format!(
        "path = {path:?}\nsettings = {{ base-url = \"{}/api\" }}\n\
         secrets = {{ bot-token = {{ file = {secret:?} }}, \
         signing-secret = {{ file = {secret:?} }} }}\n\
         grant = {{ http = [\"*\"], events = [\"*\"], commands = [\"*\"], webhook = [\"*\"] }}\n\
         allow-networks = [\"loopback\"]",
        server.origin
    ))
    .unwrap();
    let started = Instant::now();
    let plugin = rig.host.load("slack", grant.clone()).await.unwrap();
    let compiled = started.elapsed();
    assert_eq!(plugin.inspect().code, CodeOrigin::Compiled);
    let started = Instant::now();
    let plugin_again = rig.host.load("slack", grant).await.unwrap();
    println!(
        "slack: compiled in {compiled:?}, from the cache in {:?}",
        started.elapsed()
    );
    assert_eq!(plugin_again.inspect().code, CodeOrigin::Cached);

    let body = EventBody::Settled(Settled {
        id: "page-1".into(),
        by: None,
        choice: None,
        extra: "{}".into(),
    });
    let event = Event {
        id: "e".into(),
        seq: 1,
        origin: None,
        incident_id: None,
        at: 0,
        body,
    };
    // The stand-in's response is not Slack's; what matters is the request.
    let page = Event {
        id: "p".into(),
        body: page(),
        ..event.clone()
    };
    let result = plugin.deliver(page, delivery()).await;
    assert!(matches!(
        result.outcome,
        Err(Failure::Retry { .. } | Failure::Permanent { .. })
    ));
    let seen = server.seen.lock()[0].clone();
    assert!(seen.starts_with("POST /api/"), "{seen}");
    assert!(
        seen.contains(&format!("authorization: Bearer {SECRET}")),
        "{seen}"
    );

    let mut times = Vec::new();
    for _ in 0..50 {
        let result = plugin.deliver(event.clone(), delivery()).await;
        assert!(
            !matches!(
                result.outcome,
                Err(Failure::Trapped { .. } | Failure::LimitReached { .. })
            ),
            "{:?}",
            result.outcome
        );
        times.push((
            result.stats.wall_us,
            result.stats.cpu_us,
            result.stats.memory_bytes,
        ));
    }
    times.sort_unstable();
    println!(
        "slack: new instance and call, p50 (wall µs, cpu µs, bytes): {:?}",
        times[25]
    );
}
