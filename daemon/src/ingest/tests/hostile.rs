//! Malicious input.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::parsers::PARSERS;
use super::super::{alertmanager, alertmanager_api, generic};
use super::*;
use crate::config::Mapping;
use crate::time::{format_time, parse_time};

#[test]
fn a_deeply_nested_body_is_malformed_and_not_a_crash() {
    let deep = "[".repeat(200_000);
    assert!(alertmanager_api::parse(deep.as_bytes(), &ctx()).is_err());
    for (_, parse) in PARSERS {
        parse(deep.as_bytes());
        parse("{\"alerts\":".repeat(200_000).as_bytes());
    }
}

#[test]
fn of_a_batch_over_the_limit_the_first_alerts_are_read_and_the_rest_is_noted() {
    let batch = |count: usize| {
        let alerts = vec![json!({"labels": {"a": "b"}}); count];
        (
            json!(alerts).to_string(),
            json!({ "alerts": alerts }).to_string(),
        )
    };
    let (list, group) = batch(ALERTS_PER_REQUEST_MAX + 7);
    let mapping = Mapping::default();
    for parsed in [
        alertmanager_api::parse(list.as_bytes(), &ctx()).unwrap(),
        alertmanager::parse(group.as_bytes(), &ctx()).unwrap(),
        generic::parse(list.as_bytes(), &mapping, &ctx()).unwrap(),
    ] {
        let read = parsed.signals.len() + parsed.rejected.len();
        assert_eq!(read, ALERTS_PER_REQUEST_MAX);
        let note = &parsed.notes[0];
        assert_eq!(note.index, None);
        assert!(note.message.starts_with("7 alerts beyond"), "{note:?}");
    }
    let (list, _) = batch(ALERTS_PER_REQUEST_MAX);
    let parsed = alertmanager_api::parse(list.as_bytes(), &ctx()).unwrap();
    assert_eq!(parsed.signals.len(), ALERTS_PER_REQUEST_MAX);
    assert_eq!(parsed.notes, []);
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_parsed() {
    let body = vec![b'{'; BODY_BYTES_MAX + 1];
    let fault = alertmanager::parse(&body, &ctx()).unwrap_err();
    assert_eq!(fault.title, "The body is too large");
}

#[test]
fn the_last_of_too_many_notes_says_that_more_were_left_out() {
    let alerts = vec![json!({"labels": {"a": "b"}, "generatorURL": "nowhere"}); 1_000];
    let parsed = alertmanager_api::parse(json!(alerts).to_string().as_bytes(), &ctx()).unwrap();
    assert_eq!(parsed.signals.len(), 1_000);
    assert_eq!(parsed.notes.len(), NOTES_MAX);
    assert_eq!(
        parsed.notes[NOTES_MAX - 1].message,
        "notes after the first 99 were left out"
    );
}

/// JSON with likely field names of the adapters.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        proptest::sample::select(vec![
            "firing",
            "resolved",
            "trigger",
            "2026-01-31T12:00:00Z"
        ])
        .prop_map(Value::from),
    ];
    let names = vec![
        "alerts",
        "labels",
        "annotations",
        "status",
        "startsAt",
        "endsAt",
        "fingerprint",
        "title",
        "payload",
        "severity",
        "summary",
        "source",
        "event_action",
        "routing_key",
        "dedup_key",
        "custom_details",
        "links",
        "matchers",
        "values",
        "groupKey",
        "commonLabels",
        "starts_at",
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        let name = prop_oneof![
            4 => proptest::sample::select(names.clone()).prop_map(str::to_owned),
            1 => ".{0,8}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        for (_, parse) in PARSERS {
            parse(&bytes);
        }
    }

    #[test]
    fn no_json_causes_a_panic(value in json_value()) {
        let body = value.to_string();
        for (_, parse) in PARSERS {
            parse(body.as_bytes());
        }
    }

    #[test]
    fn every_alert_of_a_batch_is_either_accepted_or_rejected(
        alerts in prop::collection::vec(json_value(), 0..8),
    ) {
        let body = json!({ "alerts": alerts }).to_string();
        let parsed = alertmanager::parse(body.as_bytes(), &ctx()).unwrap();
        prop_assert_eq!(parsed.signals.len() + parsed.rejected.len(), alerts.len());
        for signal in &parsed.signals {
            prop_assert!(signal.fingerprint.as_str().len() <= tocsin_core::limits::NAME_BYTES_MAX);
            prop_assert!(signal.title.len() <= tocsin_core::limits::TITLE_BYTES_MAX);
            prop_assert!(!signal.title.contains('\n'));
        }
    }

    #[test]
    fn a_formatted_time_is_parsed_back(ms in 1_i64..253_402_300_799_999) {
        prop_assert_eq!(parse_time(&format_time(Timestamp(ms))), Some(Some(Timestamp(ms))));
    }
}
