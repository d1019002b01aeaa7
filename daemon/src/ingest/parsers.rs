//! Every parser as a function of bytes, for fuzzing: no input may make one panic, hang or use
//! unbounded memory.

use tocsin_core::Timestamp;

use super::alertmanager_api::AlertQuery;
use super::pagerduty::{ChangeEvent, Event};
use super::sns::Envelope;
use super::{
    Received, alertmanager, alertmanager_api, cloudwatch, generic, grafana, sentry, uptime_kuma,
};
use crate::config::Mapping;
use crate::silence;
use crate::time::parse_time;

/// A parser and its name.
pub type Parser = (&'static str, fn(&[u8]));

/// Every parser of untrusted bytes.
pub const PARSERS: &[Parser] = &[
    ("alertmanager", |bytes| {
        drop(alertmanager::parse(bytes, &received()))
    }),
    ("alertmanager-api", |bytes| {
        drop(alertmanager_api::parse(bytes, &received()))
    }),
    ("grafana", |bytes| drop(grafana::parse(bytes, &received()))),
    ("generic", |bytes| {
        drop(generic::parse(bytes, &Mapping::default(), &received()))
    }),
    ("sentry", |bytes| {
        drop(sentry::parse(bytes, &received()));
    }),
    ("cloudwatch", |bytes| {
        drop(cloudwatch::parse(bytes, &received()));
        let now = received().received_at;
        if let Ok(message) = Envelope::read(bytes) {
            drop(message.check(&[message.topic().to_owned()], now));
            drop(message.verify(bytes));
            drop(cloudwatch::parse(message.message().as_bytes(), &received()));
        }
    }),
    ("uptime-kuma", |bytes| {
        drop(uptime_kuma::parse(bytes, &received()));
    }),
    ("pagerduty-event", |bytes| {
        drop(Event::read(bytes).map(|event| event.into_parsed(&received())));
    }),
    ("pagerduty-change", |bytes| {
        drop(ChangeEvent::read(bytes).map(|(_, event)| event.into_change(&received())));
        drop(ChangeEvent::read_from_plugin(bytes).map(|event| event.into_change(&received())));
    }),
    ("silence", |bytes| {
        let now = received().received_at;
        drop(silence::read_postable(bytes).and_then(|silence| silence.into_silence("new", now)));
    }),
    ("matchers", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        drop(silence::parse_matcher(&text));
        drop(silence::parse_matchers(&text));
        drop(AlertQuery::read([("filter", &*text), ("receiver", &*text)]));
    }),
    ("time", |bytes| {
        let _ = parse_time(&String::from_utf8_lossy(bytes));
    }),
];

/// A request at a fixed time.
fn received() -> Received {
    Received::new("fuzz", Timestamp(1_700_000_000_000), "request-1")
}
