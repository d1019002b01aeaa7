use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tocsin_plugin_host::PluginState;
use tocsin_store::{Batch, Store as _, TimerKey, TimerRow};

use super::watch::{WatchState, round};
use super::*;
use crate::config;
use crate::metrics::CommitTimes;
use crate::rig::{NOW, Rig};

/// The vitals of a healthy daemon.
fn well() -> Vitals {
    Vitals {
        at: NOW,
        disk_free_bytes: Some(50 << 30),
        policy_hash: Some("0123456789abcdef".to_owned()),
        relay: Some(RelayState::Reached),
        heartbeat: Some(BeatState::default()),
        queued: (0, 8_192),
        ..Vitals::default()
    }
}

#[test]
fn all_checks_of_a_healthy_daemon_are_ok() {
    let checks = checks(&well());
    let wrong: Vec<_> = checks.iter().filter(|it| it.level != Level::Ok).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_guide_lists_every_check() {
    let guide = include_str!("../../../docs/guides/watching-tocsin.md");
    for check in checks(&well()) {
        let row = format!("| `{}` |", check.name);
        assert!(guide.contains(&row), "{row}");
    }
}

/// A check, its expected level, and the change of the vitals that causes it.
type Case = (&'static str, Level, fn(&mut Vitals));

const CASES: &[Case] = &[
    ("store", Level::Bad, |it| {
        it.store_failure = Some("disk full".into());
    }),
    ("store", Level::Warn, |it| it.commits = slow(COMMIT_MS_WARN)),
    ("store", Level::Bad, |it| it.commits = slow(COMMIT_MS_BAD)),
    ("store", Level::Ok, |it| {
        it.commits = slow(COMMIT_MS_BAD);
        it.commits.count = COMMITS_JUDGED_MIN - 1;
    }),
    ("store", Level::Bad, |it| {
        it.commits.under_way_ms = COMMIT_MS_BAD;
    }),
    ("disk", Level::Warn, |it| it.disk_free_bytes = None),
    ("disk", Level::Warn, |it| {
        it.disk_free_bytes = Some(DISK_BYTES_WARN - 1);
    }),
    ("disk", Level::Bad, |it| {
        it.disk_free_bytes = Some(DISK_BYTES_BAD - 1);
    }),
    ("queue", Level::Warn, |it| it.queued = (5_000, 8_192)),
    ("timers", Level::Bad, |it| it.timers_overdue = 1),
    ("pages", Level::Ok, |it| it.pages_waiting = 1),
    ("pages", Level::Warn, |it| {
        (it.pages_waiting, it.page_wait_ms) = (1, PAGE_MS_WARN);
    }),
    ("pages", Level::Bad, |it| {
        (it.pages_waiting, it.page_wait_ms) = (1, PAGE_MS_BAD);
    }),
    ("pages", Level::Bad, |it| it.pages_exhausted = vec![7]),
    ("sweeps", Level::Bad, |it| {
        it.sweep_late_ms = SWEEP_LATE_MS_BAD;
    }),
    ("silences", Level::Warn, |it| {
        it.dangerous_silences = vec!["s by ada: it lasts 31 days".into()];
    }),
    ("senders", Level::Ok, |it| it.expected = (2, Vec::new())),
    ("senders", Level::Warn, |it| {
        it.expected = (2, vec!["Watchdog of prometheus has fallen silent".into()]);
    }),
    ("policies", Level::Warn, |it| it.policy_hash = None),
    ("policies", Level::Warn, |it| {
        it.policy_faults = Some("grading.rhai:3".into());
    }),
    ("policies", Level::Warn, |it| {
        it.policy_failures = (1, Some("grading.rhai:3".into()));
    }),
    ("contacts", Level::Warn, |it| {
        it.unserved = vec!["pager".into()];
    }),
    ("contacts", Level::Bad, |it| {
        it.unserved = vec!["pager".into()];
        it.unreached = vec!["ada".into()];
    }),
    ("on-call", Level::Warn, |it| {
        it.uncovered = vec!["night".into()];
    }),
    ("on-call", Level::Warn, |it| {
        let says = "nobody is on call for night from Sat 2026-01-31 13:10 CET";
        it.on_call_warnings = vec![(says.into(), "add a layer".into())];
    }),
    ("calendars", Level::Warn, |it| {
        it.calendar_faults = vec![("ada".into(), "its server answers 404".into())];
    }),
    ("relay", Level::Warn, |it| it.relay = None),
    ("relay", Level::Ok, |it| {
        it.relay = Some(RelayState::Unknown)
    }),
    ("relay", Level::Warn, |it| {
        it.relay = Some(RelayState::Failed("refused".into()));
    }),
    ("dead-letters", Level::Warn, |it| {
        it.dead_letters = (3, Some("403".into()));
    }),
    ("heartbeat", Level::Warn, |it| it.heartbeat = None),
    ("heartbeat", Level::Warn, |it| {
        it.heartbeat = Some(BeatState {
            sent: 4,
            last_error: Some("refused".into()),
        });
    }),
    ("plugin slack", Level::Ok, |it| {
        it.plugins = vec![plugin(Ok(PluginState::Active))];
    }),
    ("plugin slack", Level::Warn, |it| {
        it.plugins = vec![plugin(Ok(PluginState::Quarantined { until_ms: 1 }))];
    }),
    ("plugin slack", Level::Warn, |it| {
        let reason = "no scope".to_owned();
        it.plugins = vec![plugin(Ok(PluginState::Misconfigured { reason }))];
    }),
    ("plugin slack", Level::Warn, |it| {
        it.plugins = vec![plugin(Err("no plugin.wasm".to_owned()))];
    }),
];

fn slow(p99_ms: u64) -> CommitTimes {
    CommitTimes {
        count: 512,
        p50_ms: 1,
        p99_ms,
        under_way_ms: 0,
    }
}

fn plugin(state: Result<PluginState, String>) -> PluginVitals {
    PluginVitals {
        id: "slack".to_owned(),
        state,
        last_fault: None,
    }
}

#[test]
fn a_problem_has_a_remedy_and_comes_first() {
    for (at, (name, level, spoil)) in CASES.iter().enumerate() {
        let mut vitals = well();
        spoil(&mut vitals);
        let checks = checks(&vitals);
        let found = checks.iter().find(|it| it.name == *name).unwrap();
        assert_eq!(found.level, *level, "case {at}: {found:?}");
        assert_eq!(found.remedy.is_some(), *level != Level::Ok, "case {at}");
        assert_eq!(worst(&checks), *level, "case {at}: nothing else is wrong");
        assert!(*level == Level::Ok || checks[0].name == *name, "case {at}");
    }
}

/// A daemon with an in-memory store, a heartbeat to `url`, and a contact of this kind.
async fn daemon(url: &str, kind: &str, folder: &Path) -> Rig {
    // As the program does; fails only if another test has already done it.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    std::fs::write(folder.join("beat.url"), format!("{url}\n")).unwrap();
    let text = format!(
        r#"
[policy]
path = "no-such-folder"
[escalation]
fallback = ["person:ada"]
[mail]
host = "127.0.0.1"
port = 1
tls = "none"
from = "tocsin@example.com"
[heartbeat]
url = {{ file = "beat.url" }}
[people.ada]
name = "Ada"
contacts = [{{ kind = "{kind}", address = "ada@example.com" }}]
[store]
path = "."
"#
    );
    Rig::new(&text, folder).await
}

/// A service that answers heartbeats with `status`: its URL, and how many it received.
async fn service(status: u16) -> (String, Arc<AtomicUsize>) {
    let received = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&received);
    let answer = axum::http::StatusCode::from_u16(status).unwrap();
    let router = axum::Router::new().fallback(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async move { answer }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/ping/s3cret", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    (url, received)
}

#[tokio::test]
async fn the_heartbeat_is_sent_while_the_daemon_is_healthy_and_not_more_often_than_configured() {
    let folder = tempfile::tempdir().unwrap();
    let (url, received) = service(200).await;
    let Rig { app, .. } = daemon(&url, "email", folder.path()).await;
    let mut state = WatchState::default();
    round(&app.health, true, &mut state).await;
    round(&app.health, true, &mut state).await;
    assert_eq!(received.load(Ordering::SeqCst), 1);
    let text = app.metrics.text();
    assert!(text.contains("tocsin_check{check=\"timers\"} 0"), "{text}");
}

#[tokio::test]
async fn the_heartbeat_stops_when_pages_cannot_be_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let (url, received) = service(200).await;
    let Rig { app, .. } = daemon(&url, "pager", folder.path()).await;
    round(&app.health, true, &mut WatchState::default()).await;
    assert_eq!(received.load(Ordering::SeqCst), 0);
    let text = app.metrics.text();
    assert!(
        text.contains("tocsin_check{check=\"contacts\"} 2"),
        "{text}"
    );
}

#[tokio::test]
async fn the_heartbeat_stops_when_a_timer_is_overdue() {
    let folder = tempfile::tempdir().unwrap();
    let (url, received) = service(200).await;
    let Rig { app, store, .. } = daemon(&url, "email", folder.path()).await;
    let key = TimerKey {
        due: NOW.minus_ms(2 * OVERDUE_GRACE_MS),
        kind: "escalation".to_owned(),
        id: "x".to_owned(),
    };
    let timer = TimerRow {
        key,
        payload: serde_json::Value::Null,
    };
    let batch = Batch {
        timers_set: vec![timer],
        ..Batch::default()
    };
    store.commit(vec![batch]).unwrap().remove(0).unwrap();
    round(&app.health, true, &mut WatchState::default()).await;
    assert_eq!(received.load(Ordering::SeqCst), 0);
    let vitals = Vitals::read(&app.health).unwrap();
    assert_eq!(vitals.timer_late_ms, 2 * OVERDUE_GRACE_MS);
}

#[tokio::test]
async fn an_unreachable_relay_is_reported_before_a_page_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let (url, _) = service(200).await;
    let Rig { app, .. } = daemon(&url, "email", folder.path()).await;
    round(&app.health, true, &mut WatchState::default()).await;
    let checks = checks(&Vitals::read(&app.health).unwrap());
    let relay = checks.iter().find(|it| it.name == "relay").unwrap();
    assert_eq!(relay.level, Level::Warn);
    assert!(relay.says.contains("127.0.0.1:1"), "{relay:?}");
    assert!(relay.says.contains("refused"), "{relay:?}");
}

#[tokio::test]
async fn a_failed_heartbeat_is_reported_without_its_url() {
    let folder = tempfile::tempdir().unwrap();
    let ((lost, _), (moved, _)) = (service(404).await, service(301).await);
    for (url, expected) in [
        (lost.as_str(), "404"),
        (moved.as_str(), "301"),
        ("http://127.0.0.1:1/ping/s3cret", "refused"),
    ] {
        let Rig { app, .. } = daemon(url, "email", folder.path()).await;
        round(&app.health, true, &mut WatchState::default()).await;
        let state = app.health.heartbeat.as_ref().unwrap().state();
        let why = state.last_error.unwrap();
        assert!(why.contains(expected), "{why}");
        assert!(!why.contains("s3cret"), "{why}");
    }
}

#[test]
fn a_url_that_is_not_valid_is_refused_without_being_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("beat.url");
    std::fs::write(&file, "s3cret").unwrap();
    let config = config::HeartbeatConfig {
        url: config::SecretRef::File(file),
        every: config::Span::from_s(60),
    };
    let error = Heartbeat::new(&config).err().unwrap().to_string();
    assert!(error.contains("not an http or https URL"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}
