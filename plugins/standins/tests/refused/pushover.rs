//! Pushover.

use crate::{changed, expect, form};
use tocsin_standins::pushover::{Pushover, TOKEN, USERS};
use tocsin_standins::{Asked, Service as _};

const MESSAGES: &str = "https://api.pushover.example/1/messages.json";
const FIELDS: [(&str, &str); 7] = [
    ("token", TOKEN),
    ("user", USERS[0]),
    ("title", "t"),
    ("message", "m"),
    ("priority", "2"),
    ("retry", "30"),
    ("expire", "10800"),
];

#[test]
fn pushover_refuses_wrong_fields_and_what_is_too_long() {
    let long = |chars: usize| "x".repeat(chars);
    let cases = [
        ("token", "azGDORePK8gMaC0QOYAMyEEuzJnyUx".into(), "token"),
        ("token", String::new(), "token"),
        ("user", "uUnknownpo4DXghDmr9QzzfQu27cmV".into(), "user"),
        ("user", String::new(), "user"),
        ("message", String::new(), "blank"),
        ("message", long(1025), "too long"),
        ("title", long(251), "too long"),
        ("url", long(513), "too long"),
        ("url_title", long(101), "too long"),
        ("priority", "3".into(), "priority"),
        ("priority", "high".into(), "priority"),
        ("retry", "29".into(), "retry"),
        ("retry", String::new(), "retry"),
        ("expire", "10801".into(), "expire"),
        ("expire", String::new(), "expire"),
    ];
    let mut pushover = Pushover::default();
    for (name, value, word) in &cases {
        let fields = changed(&FIELDS, (name, value));
        expect(&mut pushover, &form(MESSAGES, &fields), (400, word), name);
    }
    assert!(pushover.messages.is_empty());
    expect(
        &mut pushover,
        &form(MESSAGES, &FIELDS),
        (200, "receipt"),
        "accepted",
    );
}

#[test]
fn pushover_refuses_more_than_a_month_has_and_receipts_read_too_often() {
    let mut pushover = Pushover {
        left: 1,
        ..Pushover::default()
    };
    expect(
        &mut pushover,
        &form(MESSAGES, &FIELDS),
        (200, "receipt"),
        "the last",
    );
    expect(
        &mut pushover,
        &form(MESSAGES, &FIELDS),
        (429, "limit"),
        "one more",
    );

    let receipt = pushover.receipts.keys().next().unwrap().clone();
    let url = format!("https://api.pushover.example/1/receipts/{receipt}.json?token={TOKEN}");
    let read = Asked::new("GET", &url);
    for (now_s, want) in [
        (100, (200, "acknowledged")),
        (104, (429, "5 seconds")),
        (109, (200, "")),
    ] {
        pushover.set_time(now_s);
        expect(&mut pushover, &read, want, &format!("at {now_s}"));
    }
    let unknown = format!("https://api.pushover.example/1/receipts/r.json?token={TOKEN}");
    expect(
        &mut pushover,
        &Asked::new("GET", &unknown),
        (400, "not found"),
        "unknown",
    );
    let cancel = "https://api.pushover.example/1/receipts/r/cancel.json";
    expect(
        &mut pushover,
        &form(cancel, &FIELDS[..1]),
        (400, "not found"),
        "unknown",
    );
    expect(
        &mut pushover,
        &form(cancel, &[]),
        (400, "token"),
        "no token",
    );
}
