//! The fuzz targets. A target also checks a property of what it parsed, so that wrong results are
//! found and not only panics.

use std::path::Path;
use std::str::FromStr as _;

use tocsin::auth::{AckKey, Carried, Token, carried};
use tocsin::config::{self, Moment, Span, Zone};
use tocsin::ingest::parsers::{PARSERS, Parser};
use tocsin_core::{PageTarget, Step, Timestamp};
use tocsin_plugin_host::Schedule;
use tocsin_plugin_host::manifest::{HmacHash, Manifest, Scheme, Signed, VerifyAsk};
use tocsin_plugin_host::{Received, verify};
use tocsin_store::{chunk, encoding};

/// A target: its name and function.
pub type Target = Parser;

/// The targets besides the parsers of [`PARSERS`].
const OTHERS: &[Target] = &[
    ("chunk", chunk_of_events),
    ("config", config_file),
    ("cron", cron),
    ("event", event),
    ("manifest", manifest),
    ("signature", signature),
    ("spans", spans),
    ("token", token),
];

pub const TARGETS: [&[Target]; 2] = [PARSERS, OTHERS];

/// The current time of the targets, in milliseconds since the Unix epoch.
const NOW_MS: u64 = 1_700_000_000_000;
/// Times for which schedules and rotations are evaluated, in days from [`NOW_MS`].
const DAYS: [u64; 4] = [0, 29, 120, 2_000];
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Signatures are checked within this many seconds.
const TOLERANCE_S: u64 = 300;

#[must_use]
pub fn target(name: &str) -> Option<fn(&[u8])> {
    let mut all = TARGETS.into_iter().flatten();
    all.find(|it| it.0 == name).map(|it| it.1)
}

fn now() -> Timestamp {
    Timestamp(i64::try_from(NOW_MS).unwrap_or(i64::MAX))
}

/// A value of a packed stream. If it can be read, packing and reading it again gives the same
/// events, each of which is also checked as an event.
fn chunk_of_events(bytes: &[u8]) {
    let Ok(events) = chunk::unpack(bytes) else {
        return;
    };
    events.iter().for_each(|it| event(it));
    let is_json = |it: &Vec<u8>| {
        !it.contains(&b'\n') && serde_json::from_slice::<serde_json::Value>(it).is_ok()
    };
    if !events.iter().all(is_json) {
        return;
    }
    let mut again = Vec::new();
    for packed in chunk::pack(&events) {
        match chunk::unpack(&packed.value) {
            Ok(some) => again.extend(some),
            Err(why) => panic!("a packed value cannot be read: {why}"),
        }
    }
    assert!(again == events, "packing changes the events");
}

/// A configuration; if it is valid, its rotations are evaluated.
fn config_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = config::parse(&text, "fuzz.toml", Path::new("/nonexistent"));
    let Ok(loaded) = read.map_err(|faults| assert!(!faults.to_string().is_empty())) else {
        return;
    };
    let roster = loaded.config.roster();
    for day in DAYS {
        let at = now().plus_ms(day * DAY_MS);
        for team in roster.teams.keys() {
            drop(roster.resolve(&PageTarget::Team(team.clone()), at));
        }
        let step = Step {
            at: None,
            page: roster.fallback.clone(),
            wait_ms: 1_000,
        };
        drop(roster.choose(&step, at, &|_| true));
    }
}

/// A cron expression, and its time zone on a second line. The next time is never in the past.
fn cron(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (expression, zone) = text.split_once('\n').unwrap_or((&text, "Europe/Berlin"));
    let Ok(schedule) = Schedule::parse(expression, zone.trim()) else {
        return;
    };
    for day in DAYS {
        let after = NOW_MS + day * DAY_MS;
        let due = schedule.next_after(after);
        assert!(
            due.is_none_or(|due| due > after),
            "the next time is in the past"
        );
    }
}

/// An event in its envelope. If it can be read, writing and reading it again gives the same event.
fn event(bytes: &[u8]) {
    let Ok(envelope) = serde_json::from_slice(bytes) else {
        return;
    };
    let Ok(recorded) = encoding::decode(&envelope) else {
        return;
    };
    let again = encoding::encode(&recorded).map(|it| encoding::decode(&it));
    match again {
        Ok(Ok(again)) => assert_eq!(again, recorded, "encoding changes the event"),
        other => panic!("the event cannot be written and read again: {other:?}"),
    }
}

/// A plugin's manifest.
fn manifest(bytes: &[u8]) {
    let read = Manifest::parse(&String::from_utf8_lossy(bytes));
    drop(read.map_err(|faults| assert!(!faults.to_string().is_empty())));
}

/// A webhook under every scheme: one line per header value, then the body. Without a valid
/// signature it is never accepted.
fn signature(bytes: &[u8]) {
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default().to_vec();
    let (first, second, third) = (next(), next(), next());
    let body = next();
    let named = |names: [&str; 3]| {
        let values = [first.clone(), second.clone(), third.clone()];
        names.map(str::to_owned).into_iter().zip(values).collect()
    };
    let hub = "x-hub-signature-256";
    let hmac = |hash, signed| Scheme::Hmac {
        hash,
        signed,
        header: hub.to_owned(),
    };
    let token = Scheme::Token {
        header: "x-gitlab-token".to_owned(),
    };
    let schemes = [
        (
            Scheme::SlackV0,
            ["x-slack-signature", "x-slack-request-timestamp", "x-other"],
        ),
        (token, ["x-gitlab-token", "x-a", "x-b"]),
        (Scheme::Twilio, ["x-twilio-signature", "x-a", "x-b"]),
        (
            hmac(HmacHash::Sha1, Signed::UrlAndBody),
            [hub, "x-a", "x-b"],
        ),
        (
            Scheme::StandardWebhooks,
            ["webhook-signature", "webhook-timestamp", "webhook-id"],
        ),
        (Scheme::Bearer, ["authorization", "x-a", "x-b"]),
        (Scheme::Basic, ["authorization", "x-a", "x-b"]),
        (hmac(HmacHash::Sha256, Signed::Body), [hub, "x-a", "x-b"]),
    ];
    for (scheme, names) in schemes {
        let headers: Vec<(String, Vec<u8>)> = named(names);
        let ask = VerifyAsk {
            scheme,
            secret: "signing".to_owned(),
            tolerance_s: TOLERANCE_S,
            id_headers: Vec::new(),
        };
        let secret = "whsec_dG9jc2luLWZ1enotdGFyZ2V0LXNlY3JldC0wMQ==";
        let received = Received {
            url: "https://tocsin.example/hooks/probe/in",
            headers: &headers,
            body: &body,
            now_ms: NOW_MS,
        };
        let believed = verify(&ask, secret, received);
        assert!(believed.is_err(), "a forgery is accepted: {:?}", ask.scheme);
    }
}

/// Short texts of a configuration: spans, times and zones.
fn spans(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(span) = Span::from_str(&text) {
        assert!(
            span.as_ms() <= config::SPAN_MS_MAX,
            "a span exceeds its limit"
        );
    }
    drop(Moment::from_str(&text));
    drop(Zone::from_str(&text));
}

/// The token of a request, one line per place, and acknowledge links.
fn token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let places = Carried {
        authorization: lines.next(),
        tocsin_key: lines.next(),
        query: lines.next(),
    };
    drop(carried(places));
    drop(Token::parse(&text));
    let link = AckKey::new([7; 32]).verify(&text, now());
    assert!(link.is_err(), "a forged link is accepted");
}
