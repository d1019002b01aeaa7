use serde_json::json;
use tocsin_core::limits::{LABEL_VALUE_BYTES_MAX, LABELS_MAX, NAME_BYTES_MAX, TITLE_BYTES_MAX};

use super::super::{alertmanager, alertmanager_api, generic};
use super::*;
use crate::config::Mapping;
use crate::time::{format_time, parse_local_time, parse_time};

#[test]
fn a_fingerprint_is_the_one_that_prometheus_computes() {
    // The first two are from the tests of github.com/prometheus/common.
    let cases: [(&[(&str, &str)], u64); 3] = [
        (&[], 14_695_981_039_346_656_037),
        (
            &[("name", "garland, briggs"), ("fear", "love is not enough")],
            5_799_056_148_416_392_346,
        ),
        (
            &[("alertname", "InstanceDown"), ("zone", "é")],
            0x2402_cc38_e93b_bfad,
        ),
    ];
    for (pairs, wanted) in cases {
        assert_eq!(
            label_fingerprint(&labels(pairs)).as_str(),
            format!("{wanted:016x}")
        );
    }
}

#[test]
fn truncating_a_label_does_not_change_the_identity() {
    let long = |end: &str| "x".repeat(LABEL_VALUE_BYTES_MAX) + end;
    let alert = |end: &str| {
        let body = json!([{"labels": {"alertname": "A", "path": long(end)}}]).to_string();
        only(alertmanager_api::parse(body.as_bytes(), &ctx()).unwrap())
    };
    let (a, b) = (alert("a"), alert("b"));
    assert_eq!(a.labels, b.labels);
    assert!(a.labels["path"].len() <= LABEL_VALUE_BYTES_MAX);
    assert_ne!(a.fingerprint, b.fingerprint);
    let whole = labels(&[("alertname", "A"), ("path", &long("a"))]);
    assert_eq!(a.fingerprint, label_fingerprint(&whole));
}

#[test]
fn of_too_many_labels_those_for_policies_are_kept() {
    let mut many: Labels = (0..100)
        .map(|n| (format!("a{n:03}"), "x".to_owned()))
        .collect();
    many.extend(labels(&[
        ("team", "db"),
        ("severity", "critical"),
        ("zzz", "last"),
    ]));
    let body = json!([{ "labels": many }]).to_string();
    let parsed = alertmanager_api::parse(body.as_bytes(), &ctx()).unwrap();
    assert!(
        parsed.notes[0].message.contains("39 labels beyond 64"),
        "{:?}",
        parsed.notes
    );
    let signal = only(parsed);
    assert_eq!(signal.labels.len(), LABELS_MAX);
    assert_eq!(signal.labels["team"], "db");
    assert_eq!(signal.labels["severity"], "critical");
    assert_eq!(signal.fingerprint, label_fingerprint(&many));
}

#[test]
fn a_senders_long_fingerprints_become_distinct_hashes() {
    let alert = |fingerprint: String| {
        let body = json!({"alerts": [{"fingerprint": fingerprint}]}).to_string();
        only(alertmanager::parse(body.as_bytes(), &ctx()).unwrap()).fingerprint
    };
    let long = "f".repeat(NAME_BYTES_MAX);
    assert_eq!(alert(long.clone()).as_str(), long);
    let (a, b) = (alert(long.clone() + "a"), alert(long + "b"));
    assert!(a.as_str().len() <= NAME_BYTES_MAX);
    assert_ne!(a, b);
    assert!(!alert("a\u{0}b".to_owned()).as_str().contains('\u{0}'));
}

#[test]
fn a_title_is_one_line_and_is_truncated_between_characters() {
    let title = "a\n\u{202e}b\t ".to_owned() + &"é".repeat(TITLE_BYTES_MAX);
    let body = json!({ "title": title }).to_string();
    let mapping = Mapping::default();
    let parsed = generic::parse(body.as_bytes(), &mapping, &ctx()).unwrap();
    assert_eq!(parsed.notes.len(), 1);
    let signal = only(parsed);
    assert!(
        signal.title.starts_with("a b éé") && signal.title.ends_with('…'),
        "{}",
        signal.title
    );
    assert!(signal.title.len() <= TITLE_BYTES_MAX);
}

#[test]
fn times_are_parsed_in_the_formats_of_senders() {
    let cases = [
        ("2026-01-31T12:10:00Z", Some(Some(NOW))),
        ("2026-01-31T14:10:00.000+02:00", Some(Some(NOW))),
        ("2026-01-31T12:10:00.000+0000", Some(Some(NOW))),
        ("0001-01-01T00:00:00Z", Some(None)),
        ("2026-01-31 12:10:00", None),
        ("", None),
    ];
    for (text, wanted) in cases {
        assert_eq!(parse_time(text), wanted, "{text}");
    }
    assert_eq!(format_time(NOW), "2026-01-31T12:10:00.000Z");
    assert_eq!(format_time(Timestamp(i64::MAX)), "9999-12-31T23:59:59.999Z");
}

#[test]
fn a_time_without_an_offset_is_one_of_its_zone() {
    let berlin: chrono_tz::Tz = "Europe/Berlin".parse().unwrap();
    let cases = [
        ("2026-01-31 13:10:00", Some("2026-01-31T12:10:00Z")),
        ("2026.01.31 13:10:00", Some("2026-01-31T12:10:00Z")),
        (
            " 2026-07-31 14:10:00.250 ",
            Some("2026-07-31T12:10:00.250Z"),
        ),
        // The hour that is repeated, and the one that is skipped.
        ("2026-10-25 02:30:00", Some("2026-10-25T00:30:00Z")),
        ("2026-03-29 02:30:00", Some("2026-03-29T01:00:00Z")),
        ("1969-12-31 12:00:00", None),
        ("262142-12-31 23:59:59", None),
        ("2026-01-31", None),
        ("", None),
    ];
    for (text, wanted) in cases {
        assert_eq!(parse_local_time(berlin, text), wanted.map(at), "{text}");
    }
}
