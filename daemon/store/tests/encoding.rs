//! Events that a released version wrote stay readable, word for word.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::Value;
use tocsin_core::event::Event;
use tocsin_store::encoding::{EVENT_VERSION, EncodingError, decode, encode};

/// One event of every kind as version 1 writes it. Lines are added; none is ever changed.
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

/// The kind of an event; a new case fails to compile here until the golden file has its line.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Opened(_) => "opened",
        Event::Tallied { .. } => "tallied",
        Event::Graded { .. } => "graded",
        Event::GradeProposed { .. } => "grade-proposed",
        Event::Planned { .. } => "planned",
        Event::Escalated { .. } => "escalated",
        Event::Paged { .. } => "paged",
        Event::PageRedirected { .. } => "page-redirected",
        Event::PageRebased { .. } => "page-rebased",
        Event::PageTaken { .. } => "page-taken",
        Event::PageOutcomeUnknown { .. } => "page-outcome-unknown",
        Event::PageExhausted { .. } => "page-exhausted",
        Event::Acknowledged { .. } => "acknowledged",
        Event::OperatorAssigned { .. } => "operator-assigned",
        Event::Logged { .. } => "logged",
        Event::Linked(_) => "linked",
        Event::Mitigated { .. } => "mitigated",
        Event::Resolved { .. } => "resolved",
        Event::Reopened { .. } => "reopened",
        Event::Closed {} => "closed",
    }
}

#[test]
fn the_golden_file_has_every_kind_of_event() {
    let kinds: Vec<_> = golden()
        .iter()
        .map(|it| kind(&decode(it).unwrap().event))
        .collect();
    assert_eq!(kinds.len(), 20, "{kinds:?}");
    for (line, kind) in golden().iter().zip(&kinds) {
        assert_eq!(line["type"], *kind);
    }
    let mut distinct = kinds.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), kinds.len(), "{kinds:?}");
}

#[test]
fn a_field_of_a_later_release_is_passed_over_and_a_later_version_is_refused() {
    let mut envelope = golden().remove(0);
    envelope["data"]["colour"] = "red".into();
    assert!(decode(&envelope).is_ok());
    envelope["v"] = (EVENT_VERSION + 1).into();
    assert!(matches!(
        decode(&envelope),
        Err(EncodingError::TooNew { found: 2 })
    ));
}
