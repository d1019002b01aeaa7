use serde_json::json;
use tocsin_core::SignalStatus;

use super::super::alertmanager_api::{
    AlertQuery, AlertRecord, GroupQuery, StatusView, error_body, parse, refusal,
};
use super::*;

#[test]
fn a_posted_end_is_a_lease_and_a_past_end_resolves() {
    let body = include_bytes!("../../../tests/fixtures/ingest/alertmanager-api/prometheus.json");
    let parsed = parse(body, &ctx()).unwrap();
    assert_eq!(pointers(&parsed), [(3, "/3/labels"), (4, "/4/endsAt")]);
    let told = refusal(&parsed).unwrap();
    assert!(told.contains("at least one label pair required"), "{told}");
    let [firing, resolved, bare] = <[Signal; 3]>::try_from(parsed.signals).unwrap();
    assert_eq!(firing.status, SignalStatus::Firing);
    assert_eq!(firing.title, "db-1 is down");
    assert_eq!(firing.summary, "up is 0");
    assert_eq!(firing.ends_at, Some(at("2026-01-31T12:14:00Z")));
    assert!(
        !firing.labels.contains_key("empty"),
        "an empty label is no label"
    );
    assert_eq!(firing.fingerprint, label_fingerprint(&firing.labels));
    assert_eq!(resolved.status, SignalStatus::Resolved);
    assert_eq!(bare.status, SignalStatus::Firing);
    assert_eq!(
        (bare.starts_at, bare.ends_at),
        (NOW, Some(NOW.plus_ms(RESOLVE_TIMEOUT_MS)))
    );
}

#[test]
fn a_body_that_is_not_an_array_is_refused() {
    for body in ["", "{}", "null", "[{]"] {
        assert!(parse(body.as_bytes(), &ctx()).is_err(), "{body}");
    }
}

#[test]
fn an_error_is_a_json_string() {
    assert_eq!(error_body("bad \"x\""), r#""bad \"x\"""#);
}

fn record(name: &str) -> AlertRecord {
    AlertRecord {
        fingerprint: format!("fp-{name}"),
        labels: labels(&[("alertname", name), ("severity", "critical")]),
        starts_at: NOW.minus_ms(1_000),
        updated_at: NOW,
        receivers: vec!["default".into()],
        group: labels(&[("alertname", name)]),
        processed: true,
        ..AlertRecord::default()
    }
}

fn records() -> Vec<AlertRecord> {
    vec![
        AlertRecord {
            silenced_by: vec!["s1".into()],
            ..record("silenced")
        },
        AlertRecord {
            inhibited_by: vec!["fp".into()],
            ..record("inhibited")
        },
        AlertRecord {
            processed: false,
            ..record("new")
        },
        AlertRecord {
            ends_at: Some(NOW.minus_ms(1)),
            ..record("ended")
        },
        AlertRecord {
            receivers: vec!["default".into(), "db".into()],
            ..record("active")
        },
    ]
}

#[test]
fn a_query_lists_what_its_parameters_select() {
    type Pairs = &'static [(&'static str, &'static str)];
    let cases: &[(Pairs, &[&str])] = &[
        (&[], &["active", "inhibited", "new", "silenced"]),
        (&[("active", "false")], &["inhibited", "silenced"]),
        (&[("silenced", "false")], &["active", "inhibited", "new"]),
        (&[("inhibited", "false")], &["active", "new", "silenced"]),
        (
            &[("unprocessed", "false")],
            &["active", "inhibited", "silenced"],
        ),
        (&[("filter", "alertname=~\"a.+\"")], &["active"]),
        (
            &[
                ("filter", "severity=critical"),
                ("filter", "alertname!=new"),
                ("active", "false"),
            ],
            &["inhibited", "silenced"],
        ),
        (
            &[("filter", "absent=\"\""), ("receiver", "d.")],
            &["active"],
        ),
        (&[("receiver", "d")], &[]),
        (&[("receiver_matchers", "owner=me")], &[]),
        (
            &[("unheard", "of")],
            &["active", "inhibited", "new", "silenced"],
        ),
    ];
    for (pairs, wanted) in cases {
        let query = AlertQuery::read(pairs.iter().copied()).unwrap();
        let found = query.list(&records(), NOW);
        let names: Vec<_> = found
            .iter()
            .map(|a| a.labels["alertname"].as_str())
            .collect();
        assert_eq!(&names, wanted, "{pairs:?}");
    }
}

#[test]
fn a_query_with_a_broken_parameter_is_refused_with_a_reason() {
    for (name, value, wanted) in [
        ("active", "perhaps", "must be true or false"),
        ("filter", "nonsense", "bad matcher format"),
        ("filter", "a=~\"(\"", "which is not a regular expression"),
        ("receiver", "(", "which is not a regular expression"),
    ] {
        let fault = AlertQuery::read([(name, value)]).unwrap_err().to_string();
        assert!(fault.contains(wanted), "{fault}");
    }
}

#[test]
fn groups_are_by_receiver_and_labels_and_muted_ones_can_be_left_out() {
    let all = GroupQuery::read([]).unwrap().list(&records(), NOW);
    let names: Vec<_> = all
        .iter()
        .map(|g| (g.receiver.name.as_str(), g.labels["alertname"].as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("db", "active"),
            ("default", "active"),
            ("default", "inhibited"),
            ("default", "new"),
            ("default", "silenced"),
        ]
    );
    let loud = GroupQuery::read([("muted", "false")])
        .unwrap()
        .list(&records(), NOW);
    assert_eq!(loud.len(), 3);
}

#[test]
fn an_alert_is_shown_with_every_required_field() {
    let found = AlertQuery::default().list(&[record("a")], NOW);
    let shown = serde_json::to_value(&found[0]).unwrap();
    assert_eq!(
        shown,
        json!({
            "annotations": {},
            "endsAt": "2026-02-01T12:10:00.000Z",
            "fingerprint": "fp-a",
            "receivers": [{"name": "default"}],
            "startsAt": "2026-01-31T12:09:59.000Z",
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
            "updatedAt": "2026-01-31T12:10:00.000Z",
            "labels": {"alertname": "a", "severity": "critical"},
        })
    );
}

#[test]
fn the_status_has_every_required_field() {
    let shown = serde_json::to_value(StatusView::alone("0.1.0", "[server]", NOW)).unwrap();
    assert_eq!(shown["cluster"], json!({"status": "disabled", "peers": []}));
    assert_eq!(shown["config"]["original"], "[server]");
    assert_eq!(shown["uptime"], "2026-01-31T12:10:00.000Z");
    let version = shown["versionInfo"].as_object().unwrap();
    let fields: Vec<_> = version.keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "branch",
            "buildDate",
            "buildUser",
            "goVersion",
            "revision",
            "version"
        ]
    );
}
