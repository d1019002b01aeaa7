//! Retried calls: which effects are repeated and which are not.

use super::fakes::Server;
use super::rig::{Rig, deliver, delivery, event, last_line};
use crate::Failure;
use crate::capability::effects::EffectState;
use crate::guests::{Guest, Request, SPIN};

fn once(path: &str) -> (String, &'static str) {
    (path.to_owned(), "post")
}

async fn rig(server: &Server) -> Rig {
    Rig {
        base: server.origin.clone(),
        ..Rig::new()
    }
}

fn guest(url: &str) -> Guest {
    let (url, once) = once(url);
    Guest::default().sends(&Request {
        method: "POST",
        url: &url,
        body: Some("x"),
        once: Some(once),
        timeout_ms: Some(300),
        ..Request::default()
    })
}

#[tokio::test]
async fn an_effect_that_succeeded_is_replayed_to_a_retry_without_sending() {
    let server = Server::start().await;
    let rig = rig(&server).await;
    let plugin = rig.load(&guest(&format!("{}/echo", server.origin))).await;
    let first = deliver(&plugin).await;
    let again = deliver(&plugin).await;
    assert_eq!(server.seen.lock().len(), 1);
    assert_eq!(last_line(&again), last_line(&first));
    assert_eq!(
        (first.stats.effects_replayed, again.stats.effects_replayed),
        (0, 1)
    );
    assert_eq!(first.stats.effects_unknown, 0);
    // Another event is another effect.
    let other = plugin.deliver(event("e2"), delivery()).await;
    assert_eq!(
        (server.seen.lock().len(), other.stats.effects_replayed),
        (2, 0)
    );
}

#[tokio::test]
async fn an_effect_whose_answer_was_lost_is_unknown_to_the_retry() {
    for path in ["hang", "drop"] {
        let server = Server::start().await;
        let rig = rig(&server).await;
        let plugin = rig.load(&guest(&format!("{}/{path}", server.origin))).await;
        let first = deliver(&plugin).await;
        let again = deliver(&plugin).await;
        assert!(
            last_line(&again).contains("whose answer was lost"),
            "{path}: {again:?}"
        );
        assert_eq!(server.seen.lock().len(), 1, "{path}");
        let unknown = [&first, &again].map(|it| it.stats.effects_unknown);
        assert_eq!(unknown, [1, 1], "{path}");
    }
}

#[tokio::test]
async fn an_effect_that_certainly_did_not_happen_is_retried() {
    let server = Server::start().await;
    for url in [
        format!("{}/status/404", server.origin),
        format!("{}/status/500", server.origin),
        format!("{}/status/503", server.origin),
        "http://127.0.0.1:1/x".to_owned(),
    ] {
        let mut rig = rig(&server).await;
        rig.base = url.clone();
        let plugin = rig.load(&guest(&url)).await;
        let result = deliver(&plugin).await;
        assert_eq!(result.stats.effects_unknown, 0, "{url}");
        assert!(rig.services.effects.lock().is_empty(), "{url}");
    }
}

#[tokio::test]
async fn an_effect_with_an_ambiguous_response_is_unknown_to_the_retry() {
    for path in [
        "status/502",
        "status/504",
        "status/524",
        "to?/status/404",
        "to?http://evil.example/",
    ] {
        let server = Server::start().await;
        let rig = rig(&server).await;
        let plugin = rig.load(&guest(&format!("{}/{path}", server.origin))).await;
        let _ = deliver(&plugin).await;
        let seen = server.seen.lock().len();
        let again = deliver(&plugin).await;
        assert!(
            last_line(&again).contains("whose answer was lost"),
            "{path}: {again:?}"
        );
        assert_eq!(server.seen.lock().len(), seen, "{path}");
    }
}

#[tokio::test]
async fn the_started_mark_is_stored_before_the_request_is_sent() {
    let server = Server::start().await;
    let rig = rig(&server).await;
    let plugin = rig.load(&guest(&format!("{}/hang", server.origin))).await;
    let (services, seen) = (rig.services.clone(), server.seen.clone());
    let watch = tokio::spawn(async move {
        while seen.lock().is_empty() {
            tokio::task::yield_now().await;
        }
        let effects = services.effects.lock();
        effects.values().next().cloned()
    });
    let _ = deliver(&plugin).await;
    assert_eq!(watch.await.unwrap(), Some(EffectState::Started));
}

#[tokio::test]
async fn a_response_is_stored_without_the_secrets_in_it() {
    let server = Server::start().await;
    let rig = rig(&server).await;
    let url = format!("{}/leak", server.origin);
    let request = Request {
        method: "POST",
        url: &url,
        auth: Some("api"),
        once: Some("x"),
        ..Request::default()
    };
    let plugin = rig.load(&Guest::default().sends(&request)).await;
    let _ = deliver(&plugin).await;
    let again = deliver(&plugin).await;
    assert_eq!(again.stats.effects_replayed, 1);
    assert!(last_line(&again).contains("[secret:token]"));
}

/// Sends `signal("{}")` twice, then runs `then`.
fn signals(then: &str) -> Guest {
    let mut guest = Guest::on_event(&format!(
        "(call $commands_signal (i32.const 900) (i32.const 2) (i32.const 1536))
         (call $commands_signal (i32.const 900) (i32.const 2) (i32.const 1536)) {then}"
    ));
    guest.put(900, b"{}");
    guest
}

#[tokio::test]
async fn a_retried_call_repeats_the_keys_of_its_commands() {
    let rig = Rig::new();
    let plugin = rig.load(&signals("")).await;
    let _ = deliver(&plugin).await;
    let _ = deliver(&plugin).await;
    let _ = plugin.deliver(event("e2"), delivery()).await;
    let signals = rig.services.signals.lock();
    let keys: Vec<_> = signals
        .iter()
        .map(|(caller, _)| caller.key.as_str())
        .collect();
    assert_eq!(keys[..2], keys[2..4]);
    assert_ne!(
        keys[0], keys[1],
        "two equal commands in one call are two commands"
    );
    assert!(
        !keys[..4].contains(&keys[4]),
        "another delivery has other keys"
    );
    assert_eq!(signals[0].1, "{}");
}

#[tokio::test]
async fn a_command_that_is_not_granted_never_reaches_the_daemon() {
    let mut rig = Rig::new();
    rig.grant = rig.grant.replace("commands = [\"*\"], ", "");
    let plugin = rig.load(&signals("")).await;
    let result = deliver(&plugin).await;
    assert!(rig.services.signals.lock().is_empty());
    assert!(
        result.denials[0].remedy.contains("commands = [\"signal\"]"),
        "{result:?}"
    );
}

/// Enqueues a job, then runs `then`.
fn enqueues(then: &str) -> Guest {
    let mut guest = Guest::on_event(&format!(
        "(call $jobs_enqueue (i32.const 904) (i32.const 3) (i32.const 900) (i32.const 2)
           (i64.const 5000) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1536)) {then}"
    ));
    guest.put(900, b"{}");
    guest.put(904, b"top");
    guest
}

#[tokio::test]
async fn jobs_are_returned_only_if_the_call_succeeds() {
    let rig = Rig::new();
    let plugin = rig.load(&enqueues("")).await;
    let (first, again) = (deliver(&plugin).await, deliver(&plugin).await);
    assert_eq!(first.jobs.len(), 1, "{first:?}");
    assert_eq!(
        (first.jobs[0].topic.as_str(), first.jobs[0].delay_ms),
        ("top", 5_000)
    );
    assert_eq!(first.jobs, again.jobs, "a retry enqueues the same job");
    for then in ["unreachable", SPIN] {
        let plugin = rig.load(&enqueues(then)).await;
        let result = deliver(&plugin).await;
        assert!(matches!(
            result.outcome,
            Err(Failure::Trapped { .. } | Failure::LimitReached { .. })
        ));
        assert!(result.jobs.is_empty());
    }
}

#[tokio::test]
async fn jobs_that_enqueue_jobs_hit_a_limit_with_a_remedy() {
    use crate::capability::jobs::JOBS_WAITING_MAX;
    use std::sync::atomic::Ordering;
    let rig = Rig::new();
    // On an error its text is at 1540 and 1544.
    let guest = enqueues(
        "(if (i32.load8_u (i32.const 1536)) (then (call $log_write (i32.const 3)
           (i32.load (i32.const 1540)) (i32.load (i32.const 1544)) (i32.const 0) (i32.const 0))))",
    );
    let plugin = rig.load(&guest).await;
    for (waiting, jobs) in [(JOBS_WAITING_MAX - 1, 1), (JOBS_WAITING_MAX, 0)] {
        rig.services.jobs_waiting.store(waiting, Ordering::Relaxed);
        let result = deliver(&plugin).await;
        assert_eq!(result.jobs.len(), jobs, "{waiting}: {result:?}");
        let line = last_line(&result);
        assert_eq!(line.contains("let them finish first"), jobs == 0, "{line}");
    }
}

#[tokio::test]
async fn a_forgotten_effect_is_sent_again() {
    let server = Server::start().await;
    let rig = rig(&server).await;
    let mut guest = guest(&format!("{}/echo", server.origin));
    guest.put(900, b"post");
    guest.on_event = format!(
        "(call $http_forget (i32.const 900) (i32.const 4)) {}",
        guest.on_event
    );
    let plugin = rig.load(&guest).await;
    let _ = deliver(&plugin).await;
    let again = deliver(&plugin).await;
    assert_eq!(
        (server.seen.lock().len(), again.stats.effects_replayed),
        (2, 0)
    );
}
