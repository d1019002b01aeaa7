//! Webhooks are checked before a guest sees them.

use super::rig::{Rig, signed};
use crate::guests::Guest;
use crate::{Failure, WebhookCall};

async fn status(rig: &Rig, request: WebhookCall) -> u16 {
    let plugin = rig.load(&Guest::default()).await;
    match plugin.webhook(request).await.outcome {
        Ok(answer) => answer.status,
        Err(Failure::Refused { status, .. }) => status,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_signed_request_reaches_the_guest() {
    assert_eq!(status(&Rig::new(), signed("payload=1")).await, 200);
}

#[tokio::test]
async fn a_request_that_fails_a_check_is_refused_with_its_status() {
    let with = |change: fn(&mut WebhookCall)| {
        let mut request = signed("a");
        change(&mut request);
        request
    };
    let cases = [
        (401, with(|request| request.body = b"b".to_vec())),
        (401, with(|request| request.headers.clear())),
        (404, with(|request| request.route = "out".into())),
        (405, with(|request| request.method = "GET".into())),
        (413, with(|request| request.body = vec![0; 1025])),
    ];
    for (want, request) in cases {
        assert_eq!(
            status(&Rig::new(), request.clone()).await,
            want,
            "{request:?}"
        );
    }
}

/// Sends requests to a plugin that sends a signal for each; returns the signals' keys.
async fn keys(rig: &Rig, requests: Vec<WebhookCall>) -> Vec<String> {
    let mut guest = Guest::default();
    guest.on_webhook = format!(
        "(call $commands_signal (i32.const 900) (i32.const 2) (i32.const 1536)) {}",
        guest.on_webhook
    );
    guest.put(900, b"{}");
    let plugin = rig.load(&guest).await;
    for request in requests {
        assert!(plugin.webhook(request).await.outcome.is_ok());
    }
    let signals = rig.services.signals.lock();
    signals.iter().map(|it| it.0.key.clone()).collect()
}

#[tokio::test]
async fn a_replayed_request_has_the_key_of_the_first_whatever_other_headers_it_has() {
    let mut replayed = signed("a");
    for name in ["idempotency-key", "webhook-id", "x-github-delivery"] {
        replayed.headers.push((name.into(), b"new".to_vec()));
    }
    let keys = keys(&Rig::new(), vec![signed("a"), replayed, signed("b")]).await;
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[0], keys[2]);
}

#[tokio::test]
async fn equal_requests_of_a_sender_that_signs_no_time_are_one_only_if_their_id_says_so() {
    let with = |id: Option<&str>| {
        let mut headers = vec![("x-token".to_owned(), super::rig::SECRET.as_bytes().to_vec())];
        headers.extend(id.map(|id| ("X-Request-Id".to_owned(), id.as_bytes().to_vec())));
        WebhookCall {
            headers,
            ..signed("a")
        }
    };
    let mut rig = Rig::new();
    let scheme = r#""token", header = "X-Token", id-header = "X-Request-ID""#;
    rig.manifest = rig.manifest.replace(r#""slack-v0""#, scheme);
    let ids = [Some("1"), Some("1"), Some("2"), None, None];
    let keys = keys(&rig, ids.map(with).to_vec()).await;
    assert_eq!(keys[0], keys[1]);
    let mut others = keys[1..].to_vec();
    others.sort();
    others.dedup();
    assert_eq!(others.len(), 4, "{keys:?}");
}

#[tokio::test]
async fn a_route_that_is_not_granted_does_not_exist() {
    let mut rig = Rig::new();
    rig.grant = rig.grant.replace("webhook = [\"*\"], ", "");
    assert_eq!(status(&rig, signed("a")).await, 404);
}

#[tokio::test]
async fn signatures_and_credentials_are_not_passed_on() {
    // `on-webhook`: headers are parameters 8 and 9, `verified` is 12.
    let rig = Rig::new();
    let checks = "
        (if (i32.ne (local.get 9) (i32.const 1)) (then unreachable))
        (if (i32.ne (local.get 12) (i32.const 1)) (then unreachable))
        (i32.const 640)";
    let guest = Guest {
        on_webhook: checks.into(),
        ..Guest::default()
    };
    let plugin = rig.load(&guest).await;
    let mut request = signed("a");
    for name in ["Authorization", "Cookie"] {
        request.headers.push((name.into(), b"x".to_vec()));
    }
    // Of four headers only Slack's timestamp is left, and the request is verified.
    assert_eq!(plugin.webhook(request).await.outcome.unwrap().status, 200);
}

#[tokio::test]
async fn twilios_signature_is_over_the_public_url_of_the_route() {
    use base64::Engine as _;
    use hmac::{KeyInit as _, Mac as _};
    let mut rig = Rig::new();
    rig.manifest = rig.manifest.replace("slack-v0", "twilio");
    let url = "https://tocsin.example/hooks/probe/in?page=p1";
    let mut mac = hmac::Hmac::<sha1::Sha1>::new_from_slice(super::rig::SECRET.as_bytes()).unwrap();
    mac.update(format!("{url}CallSidCA1Digits1").as_bytes());
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    let call = |url: &str| WebhookCall {
        url: url.into(),
        headers: vec![("X-Twilio-Signature".into(), signature.clone().into_bytes())],
        ..signed("Digits=1&CallSid=CA1")
    };
    assert_eq!(status(&rig, call(url)).await, 200);
    assert_eq!(status(&rig, call(&url.replace("p1", "p2"))).await, 401);
}
