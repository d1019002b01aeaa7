//! Tests of each adapter with real and with bad payloads.

mod alertmanager;
mod alertmanager_api;
mod cloudwatch;
mod generic;
mod grafana;
mod hostile;
mod identity;
mod pagerduty;
mod sentry;
mod uptime_kuma;

use tocsin_core::{Labels, Timestamp};

use super::*;
use crate::time::parse_time;

/// 2026-01-31T12:10:00Z.
const NOW: Timestamp = Timestamp(1_769_861_400_000);

fn ctx() -> Received {
    Received::new("it", NOW, "request-1")
}

fn at(text: &str) -> Timestamp {
    parse_time(text).flatten().unwrap()
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn only(parsed: Parsed) -> Signal {
    assert_eq!(parsed.rejected, [], "nothing is refused");
    let [signal] = <[Signal; 1]>::try_from(parsed.signals).unwrap();
    signal
}

fn pointers(parsed: &Parsed) -> Vec<(usize, &str)> {
    parsed
        .rejected
        .iter()
        .map(|r| (r.index, r.pointer.as_str()))
        .collect()
}
