//! Senders that sign their requests.

use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use tocsin_core::time::MINUTE_MS;

use super::rig::{Answer, NOW, Rig, request};
use crate::sample_sns::{alarm, confirmation, notification, signed};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ingest");
const CONFIG: &str = r#"
policy.path = "no-such-folder"
escalation.fallback = ["person:ada"]

[people.ada]
name = "Ada"
contacts = [{ kind = "slack", address = "U1" }]

[integrations.aws]
kind = "cloudwatch"
topics = ["arn:aws:sns:eu-central-1:123456789012:alarms"]
certificate = "cloudwatch/certificate.pem"

[integrations.sentry]
kind = "sentry"
secret = { file = "sentry/client-secret" }
"#;

async fn rig() -> Rig {
    Rig::new(CONFIG, Path::new(FIXTURES)).await
}

/// Posts a body as Sentry does, signed with a secret.
async fn sentry(rig: &Rig, body: &Value, secret: Option<&str>) -> Answer {
    let token = rig.sender("sentry").await;
    let body = body.to_string();
    let path = format!("/ingest/sentry?key={token}");
    let mut asked = request("POST", &path, "", body.clone().into_bytes());
    if let Some(secret) = secret {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let headers = asked.headers_mut();
        headers.insert("sentry-hook-signature", signature.parse().unwrap());
    }
    rig.ask(asked).await
}

fn issue() -> Value {
    let event = json!({"issue_id": "7", "title": "ReferenceError", "level": "error"});
    json!({"action": "triggered", "data": {"event": event, "triggered_rule": "errors"}})
}

#[tokio::test]
async fn what_sentry_signed_counts_and_two_equal_bodies_are_two() {
    let rig = rig().await;
    for (secret, says) in [(None, "is missing"), (Some("wrong"), "does not match")] {
        let refused = sentry(&rig, &issue(), secret).await.is(403);
        assert!(refused.text.contains(says), "{}", refused.text);
    }
    assert_eq!(rig.open_incidents(), 0);
    let secret = Some("the-client-secret");
    for opened in [json!([1]), json!([])] {
        let taken = sentry(&rig, &issue(), secret).await.is(202).json();
        assert_eq!((&taken["signals"], &taken["opened"]), (&json!(1), &opened));
    }
}

async fn sns(rig: &Rig, message: &Value) -> Answer {
    let token = rig.sender("aws").await;
    let path = format!("/ingest/aws?key={token}");
    let mut asked = request("POST", &path, "", message.to_string().into_bytes());
    let text = "text/plain; charset=UTF-8".parse().unwrap();
    asked.headers_mut().insert("content-type", text);
    rig.ask(asked).await
}

#[tokio::test]
async fn an_alarm_opens_an_incident_and_its_replay_says_nothing_new() {
    let rig = rig().await;
    let message = |state: &str, id: &str| {
        let mut message = notification(&alarm(state).to_string());
        message["MessageId"] = id.into();
        signed(message)
    };
    let mut forged = message("ALARM", "1");
    forged["Message"] = alarm("OK").to_string().into();
    let refused = sns(&rig, &forged).await.is(403);
    assert!(refused.text.contains("does not match"), "{}", refused.text);
    let fired = message("ALARM", "1");
    let taken = sns(&rig, &fired).await.is(202).json();
    assert_eq!(taken["opened"], json!([1]), "{taken}");
    let over = sns(&rig, &message("OK", "2")).await.is(202).json();
    assert_eq!(over["signals"], 1, "{over}");
    let replay = sns(&rig, &fired).await.is(202).json();
    assert_eq!(
        (
            &replay["signals"],
            replay["notes"].as_array().unwrap().len()
        ),
        (&json!(0), 1)
    );
    rig.clock.set(NOW.plus_ms(51 * MINUTE_MS));
    let stale = sns(&rig, &fired).await.is(403);
    assert!(stale.text.contains("it is a replay"), "{}", stale.text);
}

#[tokio::test]
async fn a_subscription_is_confirmed_at_no_foreign_address() {
    let rig = rig().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let foreign = format!(
        "http://{}/?Action=ConfirmSubscription",
        listener.local_addr().unwrap()
    );
    let refused = sns(&rig, &signed(confirmation(&foreign))).await.is(403);
    assert!(
        refused.text.contains("not an address of Amazon SNS"),
        "{}",
        refused.text
    );
    assert!(listener.accept().is_err(), "nobody is called");
    let mut other = confirmation("https://sns.eu-central-1.amazonaws.com/?Token=1");
    other["TopicArn"] = "arn:aws:sns:eu-central-1:123456789012:other".into();
    let refused = sns(&rig, &signed(other)).await.is(403);
    assert!(
        refused.text.contains("not one of `topics`"),
        "{}",
        refused.text
    );
    sns(&rig, &json!({"Type": "Notification"})).await.is(400);
    let mut unknown = notification("text");
    unknown["Type"] = "Greeting".into();
    let taken = sns(&rig, &signed(unknown)).await.is(202).json();
    assert_eq!(taken["signals"], 0);
}
