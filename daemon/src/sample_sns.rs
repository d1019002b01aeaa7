//! Messages of Amazon SNS, signed with a key that only the tests have.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

const KEY: &[u8] = include_bytes!("../tests/fixtures/ingest/cloudwatch/key.pem");
pub(crate) const CERTIFICATE: &[u8] =
    include_bytes!("../tests/fixtures/ingest/cloudwatch/certificate.pem");
pub(crate) const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:alarms";
pub(crate) const URL: &str =
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem";

/// A message, signed as SNS documents it.
pub(crate) fn signed(mut message: Value) -> Value {
    let text: String = [
        "Message",
        "MessageId",
        "Subject",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ]
    .iter()
    .filter_map(|name| Some(format!("{name}\n{}\n", message[name].as_str()?)))
    .collect();
    let key = PrivatePkcs8KeyDer::from_pem_slice(KEY).unwrap();
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    let random = SystemRandom::new();
    key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature)
        .unwrap();
    message["Signature"] = STANDARD.encode(signature).into();
    message
}

pub(crate) fn notification(message: &str) -> Value {
    json!({
        "Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC, "Subject": "ALARM: \"checkout-errors\" in EU (Frankfurt)",
        "Message": message, "Timestamp": "2026-01-31T12:09:00.000Z", "SignatureVersion": "2",
        "SigningCertURL": URL,
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
    })
}

pub(crate) fn confirmation(subscribe: &str) -> Value {
    json!({
        "Type": "SubscriptionConfirmation", "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": "2336412f37", "TopicArn": TOPIC, "Message": "You have chosen to subscribe",
        "SubscribeURL": subscribe, "Timestamp": "2026-01-31T12:09:00.000Z",
        "SignatureVersion": "2", "SigningCertURL": URL,
    })
}

pub(crate) fn alarm(state: &str) -> Value {
    json!({
        "AlarmName": "checkout errors", "AlarmDescription": "5xx of the load balancer",
        "AWSAccountId": "123456789012", "AlarmConfigurationUpdatedTimestamp":
        "2026-01-30T10:00:00.000+0000", "NewStateValue": state,
        "NewStateReason": "Threshold Crossed: 1 datapoint [40.0] was greater than 5.0.",
        "StateChangeTime": "2026-01-31T12:08:43.127+0000", "Region": "EU (Frankfurt)",
        "AlarmArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:checkout errors",
        "OldStateValue": "OK", "OKActions": [], "AlarmActions": [TOPIC],
        "Trigger": {
            "MetricName": "HTTPCode_Target_5XX_Count", "Namespace": "AWS/ApplicationELB",
            "StatisticType": "Statistic", "Statistic": "SUM", "Unit": null,
            "Dimensions": [{"value": "app/checkout", "name": "LoadBalancer"}], "Period": 60,
            "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 5.0, "TreatMissingData": "missing",
        },
    })
}
