//! Events of every released version stay readable.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;

use serde_json::Value;
use tocsin_store::encoding::{EVENT_VERSION, EncodingError, decode, encode};

/// One event of every kind in version 1. Lines are only added, never changed.
const GOLDEN_V1: &str = include_str!("golden/events-v1.jsonl");

fn golden() -> Vec<Value> {
    GOLDEN_V1
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_event_of_version_1_is_read_and_written_back_the_same() {
    for envelope in golden() {
        let event = decode(&envelope).unwrap_or_else(|error| panic!("{envelope}: {error}"));
        assert_eq!(encode(&event).unwrap(), envelope);
    }
}

/// Every kind of event, from the decoder's error for an unknown one.
fn every_kind() -> Vec<String> {
    let mut envelope = golden().remove(0);
    envelope["type"] = "no-such-kind".into();
    let said = decode(&envelope).unwrap_err().to_string();
    let (_, kinds) = said.split_once("expected one of").unwrap();
    let quoted = kinds.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

#[test]
fn the_golden_file_has_every_kind_of_event() {
    let kinds: Vec<_> = golden()
        .iter()
        .map(|it| decode(it).unwrap().event.traits().name)
        .collect();
    for (line, kind) in golden().iter().zip(&kinds) {
        assert_eq!(line["type"], *kind);
    }
    // An event that has got another form has a line for each.
    let distinct: BTreeSet<_> = kinds.iter().copied().collect();
    assert_eq!(distinct.len(), every_kind().len(), "{kinds:?}");
    for kind in every_kind() {
        assert!(kinds.contains(&kind.as_str()), "no line for {kind}");
    }
}

#[test]
fn a_field_of_a_later_release_is_ignored_and_a_later_version_is_rejected() {
    let mut envelope = golden().remove(0);
    envelope["data"]["colour"] = "red".into();
    assert!(decode(&envelope).is_ok());
    envelope["v"] = (EVENT_VERSION + 1).into();
    assert!(matches!(
        decode(&envelope),
        Err(EncodingError::TooNew { found: 2 })
    ));
}
