//! Loading and reloading plugins, and the reports about it.

use super::rig::{Rig, deliver, delivery, event};
use crate::guests::{Guest, SPIN};
use crate::wit::Outcome;
use crate::{CodeOrigin, EventKind, Failure, LoadError, PluginState};
use std::time::Instant;

#[tokio::test]
async fn a_plugin_loads_is_called_and_is_listed() {
    let rig = Rig::new();
    let plugin = rig.load(&Guest::default()).await;
    assert!(plugin.wants(EventKind::Job) && !plugin.wants(EventKind::Settled));
    assert_eq!(deliver(&plugin).await.outcome, Ok(Outcome::Done));
    assert_eq!(plugin.schedules().len(), 1);
    assert_eq!(plugin.webhook_body_bytes_max("in"), Ok(1024));
    let [entry] = &rig.host.catalog()[..] else {
        panic!()
    };
    assert_eq!(
        (entry.id.as_str(), entry.state.clone()),
        ("probe", PluginState::Active)
    );
    assert!(
        entry.rights.iter().all(|right| right.denied.is_none()),
        "{entry:?}"
    );
    assert_eq!(entry.limits.cpu_ms, 100);
    assert!(rig.host.unload("probe") && rig.host.get("probe").is_none());
}

#[tokio::test]
async fn code_is_compiled_once_and_then_loaded() {
    let rig = Rig::new();
    let started = Instant::now();
    assert_eq!(
        rig.load(&Guest::default()).await.inspect().code,
        CodeOrigin::Compiled
    );
    let compiled = started.elapsed();
    let started = Instant::now();
    assert_eq!(
        rig.load(&Guest::default()).await.inspect().code,
        CodeOrigin::Cached
    );
    println!(
        "compiled in {compiled:?}, from the cache in {:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn an_event_that_is_not_granted_is_refused_before_the_guest() {
    let mut rig = Rig::new();
    rig.grant = "grant = { events = [\"page\"] }".into();
    let plugin = rig.load(&Guest::default()).await;
    let result = deliver(&plugin).await;
    let Err(Failure::Refused { reason, .. }) = result.outcome else {
        panic!()
    };
    assert!(
        reason.contains("grant = { events = [\"page\", \"job\"] }"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_component_that_differs_from_its_manifest_does_not_load() {
    let cases: [(&str, &str, &[&str], &str); 3] = [
        ("other", "0.1.0", &["job", "page"], "id is \"probe\""),
        ("probe", "0.2.0", &["job", "page"], "version is \"0.1.0\""),
        ("probe", "0.1.0", &["page"], "these events: job"),
    ];
    for (id, version, events, want) in cases {
        let mut guest = Guest::default();
        guest.describes(id, version, events);
        let error = Rig::new().try_load(&guest).await.unwrap_err();
        assert!(matches!(error, LoadError::Describe { .. }), "{error}");
        assert!(error.to_string().contains(want), "{error}");
    }
}

#[tokio::test]
async fn files_that_are_not_a_plugin_are_reported() {
    let module = wat::parse_str("(module)").unwrap();
    let empty = wat::parse_str("(component)").unwrap();
    let wasi = wat::parse_str(
        "(component (import \"wasi:cli/run@0.2.0\" (instance))
           (instance $i) (export \"tocsin:plugin/handler@0.1.0\" (instance $i)))",
    )
    .unwrap();
    let future = wat::parse_str(
        "(component (instance $i) (export \"tocsin:plugin/handler@0.2.0\" (instance $i)))",
    )
    .unwrap();
    let cases: [(&str, &[u8], &str); 6] = [
        ("nothing", b"", "not a component that can be compiled"),
        (
            "noise",
            b"\0asm noise",
            "not a component that can be compiled",
        ),
        (
            "a core module",
            &module,
            "not a component that can be compiled",
        ),
        ("no exports", &empty, "build it with the plugin SDK"),
        (
            "WASI",
            &wasi,
            "it imports wasi:cli/run@0.2.0, which plugins cannot use",
        ),
        (
            "another version",
            &future,
            "it was built for tocsin:plugin@0.2.0 and this daemon has 0.1",
        ),
    ];
    for (what, bytes, want) in cases {
        let error = Rig::new()
            .try_load_bytes(bytes)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(want), "{what}: {error}");
    }
}

#[tokio::test]
async fn all_faults_of_the_configuration_are_reported_at_once() {
    let rig = Rig::new();
    rig.load(&Guest::default()).await;
    let mut grant = rig.grant();
    grant.settings.insert("bases".into(), 3.into());
    grant.secrets.clear();
    let error = rig
        .host
        .check("probe", &grant)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("settings.bases is not a setting"), "{error}");
    assert!(error.contains("secrets.token is missing"), "{error}");
    let error = rig
        .host
        .check("other", &rig.grant())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("says id = \"probe\""), "{error}");
}

#[tokio::test]
async fn a_reload_takes_over_for_new_calls_and_a_broken_one_changes_nothing() {
    let rig = Rig::new();
    let plugin = rig.load(&Guest::default()).await;
    let before = plugin.inspect().digest;
    assert!(rig.try_load_bytes(b"broken").await.is_err());
    assert_eq!(plugin.inspect().digest, before);
    assert_eq!(deliver(&plugin).await.outcome, Ok(Outcome::Done));

    let trapping = Guest {
        on_event: "unreachable".into(),
        ..Guest::default()
    };
    rig.load(&trapping).await;
    assert_ne!(
        plugin.inspect().digest,
        before,
        "an old handle uses the new generation"
    );
    assert!(matches!(
        deliver(&plugin).await.outcome,
        Err(Failure::Trapped { .. })
    ));
}

#[tokio::test]
async fn running_calls_stay_with_their_generation_during_a_reload() {
    let rig = Rig::new();
    let plugin = rig
        .load(&Guest {
            on_event: SPIN.into(),
            ..Guest::default()
        })
        .await;
    let running = tokio::spawn({
        let plugin = plugin.clone();
        async move { plugin.deliver(event("old"), delivery()).await }
    });
    tokio::task::yield_now().await;
    rig.load(&Guest::default()).await;
    assert_eq!(deliver(&plugin).await.outcome, Ok(Outcome::Done));
    assert!(matches!(
        running.await.unwrap().outcome,
        Err(Failure::LimitReached { .. })
    ));
}

#[tokio::test]
async fn a_call_that_outlives_the_drain_of_its_generation_is_stopped() {
    use std::sync::atomic::Ordering;
    let rig = Rig::new();
    let plugin = rig
        .load(&Guest {
            on_event: SPIN.into(),
            ..Guest::default()
        })
        .await;
    plugin
        .slot
        .current
        .load()
        .cancelled
        .store(true, Ordering::Relaxed);
    let result = deliver(&plugin).await;
    let Err(failure) = &result.outcome else {
        panic!()
    };
    assert!(
        failure.to_string().contains("its generation was replaced"),
        "{failure}"
    );
    assert!(failure.retryable());
}

#[tokio::test]
async fn a_setting_that_is_not_a_usable_url_is_reported_at_load() {
    let mut rig = Rig::new();
    rig.base = "slack.com/api".into();
    let error = rig
        .try_load(&Guest::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("settings.base is not an http or https URL"),
        "{error}"
    );
}

#[tokio::test]
async fn the_catalog_is_json_with_the_remedies_in_it() {
    let mut rig = Rig::new();
    rig.grant = "grant = { events = [\"job\"] }".into();
    rig.load(&Guest::default()).await;
    let json = serde_json::to_value(rig.host.catalog()).unwrap();
    assert_eq!(json[0]["state"]["state"], "active");
    let rights = json[0]["rights"].as_array().unwrap();
    let http = rights.iter().find(|right| right["kind"] == "http").unwrap();
    let remedy = http["denied"]["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("grant = { http = [\"api\"], events = [\"job\"] }"),
        "{remedy}"
    );
}

/// Regression: a ticker with a strong reference leaks a thread and an engine for every host.
#[test]
fn the_epoch_thread_ends_with_its_engine() {
    let engine = crate::code::start_engine().unwrap();
    let weak = engine.weak();
    drop(engine);
    let given_up = Instant::now() + std::time::Duration::from_secs(5);
    while weak.upgrade().is_some() {
        assert!(Instant::now() < given_up, "the engine is still alive");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn calls_of_a_plugin_fail_after_its_host_is_dropped() {
    let rig = Rig::new();
    let plugin = rig.load(&Guest::default()).await;
    drop(rig);
    assert!(matches!(
        deliver(&plugin).await.outcome,
        Err(Failure::Unavailable { .. })
    ));
}

/// The cost of a call; printed with `--nocapture`, and limited generously.
#[tokio::test]
async fn a_new_instance_per_call_is_cheap() {
    let rig = Rig::new();
    let plugin = rig.load(&Guest::default()).await;
    let mut times = Vec::new();
    for _ in 0..200 {
        let started = Instant::now();
        let result = deliver(&plugin).await;
        times.push((started.elapsed(), result.stats.wall_us));
    }
    times.sort_unstable();
    let (whole, inside) = times[100];
    println!("new instance and call: p50 {whole:?} with the hand-over, {inside} µs inside");
    assert!(whole.as_millis() < 50, "{whole:?}");
}
