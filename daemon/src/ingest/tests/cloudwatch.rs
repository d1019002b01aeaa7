use super::*;
use crate::ingest::cloudwatch;
use crate::ingest::sns::{Envelope, MessageKind, NotGenuine};
use crate::sample_sns::{CERTIFICATE, TOPIC, URL, alarm, confirmation, notification, signed};
use serde_json::{Value, json};
use tocsin_core::SignalStatus;

/// Everything that is checked before a message counts.
fn genuine(message: &Value) -> Result<(), NotGenuine> {
    let message = Envelope::read(message.to_string().as_bytes()).unwrap();
    message.check(&[TOPIC.to_owned()], NOW)?;
    message.verify(CERTIFICATE)
}

#[test]
fn a_message_counts_only_if_amazon_signed_it_recently_for_a_topic_of_ours() {
    let good = signed(notification("text"));
    assert_eq!(genuine(&good), Ok(()));
    assert_eq!(genuine(&signed(confirmation(URL))), Ok(()));
    for field in ["Message", "MessageId", "Subject", "Timestamp"] {
        let mut forged = good.clone();
        forged[field] = match field {
            "Timestamp" => "2026-01-31T12:09:01.000Z".into(),
            _ => "other".into(),
        };
        assert_eq!(genuine(&forged), Err(NotGenuine::Signature), "{field}");
    }
    let mut other = confirmation(URL);
    other["TopicArn"] = "arn:aws:sns:eu-central-1:123456789012:other".into();
    assert!(matches!(genuine(&signed(other)), Err(NotGenuine::Topic(_))));
    for (version, at, off_s) in [
        ("1", "2026-01-31T12:09:00.000Z", None),
        ("2", "2026-01-31T11:19:59.000Z", Some(3_001)),
        ("2", "2026-01-31T12:15:01.000Z", Some(301)),
    ] {
        let mut message = notification("text");
        message["SignatureVersion"] = version.into();
        message["Timestamp"] = at.into();
        match genuine(&signed(message)).unwrap_err() {
            NotGenuine::Version(named) => assert_eq!((named.as_str(), off_s), ("1", None)),
            NotGenuine::Stale { off_s: found, .. } => assert_eq!(Some(found), off_s),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn only_addresses_of_sns_are_ever_called() {
    for url in [
        "https://sns.eu-central-1.amazonaws.com.evil.example/a.pem",
        "https://sns.evil.example/a.pem",
        "https://evil.example/sns.eu-central-1.amazonaws.com/a.pem",
        "http://sns.eu-central-1.amazonaws.com/a.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/a.pem",
        "https://user@sns.eu-central-1.amazonaws.com/a.pem",
        "https://sns.a.b.amazonaws.com/a.pem",
        "https://sns..amazonaws.com/a.pem",
        "https://127.0.0.1/a.pem",
        "file:///etc/passwd",
        "",
    ] {
        let mut message = notification("text");
        message["SigningCertURL"] = url.into();
        let refused = genuine(&signed(message)).unwrap_err();
        assert!(
            matches!(refused, NotGenuine::Url { .. }),
            "{url}: {refused}"
        );
        let confirm = Envelope::read(signed(confirmation(url)).to_string().as_bytes()).unwrap();
        assert!(
            matches!(confirm.confirmation(), Err(NotGenuine::Url { .. })),
            "{url}"
        );
    }
    let china = "https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription&Token=1";
    let confirm = Envelope::read(confirmation(china).to_string().as_bytes()).unwrap();
    assert_eq!(confirm.confirmation().unwrap().as_str(), china);
    assert_eq!(confirm.kind(), Some(MessageKind::SubscriptionConfirmation));
}

fn read(message: &Value) -> Parsed {
    cloudwatch::parse(
        message.to_string().as_bytes(),
        &Received::new("aws", NOW, "r1"),
    )
}

#[test]
fn an_alarm_fires_and_ends_under_one_fingerprint() {
    let fired = read(&alarm("ALARM")).signals.remove(0);
    assert_eq!(fired.status, SignalStatus::Firing);
    assert_eq!(fired.title, "checkout errors");
    assert_eq!(fired.starts_at, Timestamp(1_769_861_323_127));
    assert!(
        fired.summary.starts_with("Threshold Crossed"),
        "{}",
        fired.summary
    );
    let wanted = [
        ("LoadBalancer", "app/checkout"),
        ("account", "123456789012"),
        ("alertname", "checkout errors"),
        ("metric", "HTTPCode_Target_5XX_Count"),
        ("namespace", "AWS/ApplicationELB"),
        ("region", "eu-central-1"),
        ("state", "ALARM"),
    ];
    let labels = fired
        .labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    assert_eq!(labels.collect::<Vec<_>>(), wanted);
    let link = "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1\
                #alarmsV2:alarm/checkout%20errors";
    assert_eq!(fired.link.as_deref(), Some(link));
    let over = read(&alarm("OK")).signals.remove(0);
    assert_eq!(
        (over.status, &over.fingerprint),
        (SignalStatus::Resolved, &fired.fingerprint)
    );
    assert_eq!(over.ends_at, Some(Timestamp(1_769_861_323_127)));
    let blind = read(&alarm("INSUFFICIENT_DATA")).signals.remove(0);
    assert_eq!(blind.title, "checkout errors has no data");
    assert_eq!(blind.status, SignalStatus::Firing);
}

#[test]
fn a_composite_alarm_needs_no_metric() {
    let mut composite = alarm("ALARM");
    composite.as_object_mut().unwrap().remove("Trigger");
    composite["AlarmRule"] = "ALARM(a) OR ALARM(b)".into();
    let fired = read(&composite).signals.remove(0);
    assert_eq!(fired.labels.get("metric"), None);
    assert_eq!(fired.labels["alertname"], "checkout errors");
}

#[test]
fn what_is_no_alarm_is_noted_and_what_is_broken_is_rejected() {
    for other in [json!("hello"), json!({"source": "aws.health"}), json!(null)] {
        let parsed = read(&other);
        assert_eq!(
            (parsed.signals.len(), parsed.rejected.len()),
            (0, 0),
            "{other}"
        );
        assert_eq!(parsed.notes[0].pointer, "/Message", "{other}");
    }
    for (field, pointer) in [
        ("NewStateValue", "/NewStateValue"),
        ("AlarmName", "/AlarmName"),
    ] {
        let mut broken = alarm("ALARM");
        broken[field] = json!(7);
        let parsed = read(&broken);
        assert_eq!(parsed.rejected[0].pointer, format!("/Message{pointer}"));
    }
}
