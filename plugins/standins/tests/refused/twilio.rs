//! Twilio.

use crate::{changed, expect, form};
use tocsin_standins::twilio::{self, ACCOUNT, FROM, TOKEN, Twilio};
use tocsin_standins::{Asked, Service as _};

const TO: &str = "+15557654321";
const TWIML: &str = "<Response><Gather numDigits=\"1\"><Say>a &amp; b</Say></Gather></Response>";
const CALL: [(&str, &str); 4] = [
    ("To", TO),
    ("From", FROM),
    ("Twiml", TWIML),
    ("Timeout", "30"),
];
const TEXT: [(&str, &str); 3] = [("To", TO), ("From", FROM), ("Body", "b")];

/// A request of the account.
fn post(what: &str, fields: &[(&str, &str)]) -> Asked {
    let url = format!("https://api.twilio.example/2010-04-01/Accounts/{ACCOUNT}/{what}.json");
    let mut asked = form(&url, fields);
    asked.set_basic(&format!("{ACCOUNT}:{TOKEN}"));
    asked
}

#[test]
fn twilio_refuses_wrong_fields_and_what_is_too_long() {
    let said = |chars: usize| format!("<Response><Say>{}</Say></Response>", "x".repeat(chars));
    let calls = [
        ("To", String::new(), "21201"),
        ("To", "5557654321".into(), "21211"),
        ("To", "+1555765432a".into(), "21211"),
        ("To", "+15550002222".into(), "21215"),
        ("From", "+15550000000".into(), "21210"),
        ("Twiml", String::new(), "21205"),
        ("Twiml", said(4000), "21617"),
        (
            "Twiml",
            "<Response><Shout>a</Shout></Response>".into(),
            "unknown element",
        ),
        (
            "Twiml",
            "<Response><Say>a</Response></Say>".into(),
            "wrong order",
        ),
        ("Twiml", "<Response><Say>a</Say>".into(), "not closed"),
        (
            "Twiml",
            "<Response><Say>a & b</Say></Response>".into(),
            "ampersand",
        ),
        (
            "Twiml",
            "<Response><Say>a\u{7}</Say></Response>".into(),
            "XML",
        ),
        ("Timeout", "601".into(), "13221"),
        ("Timeout", "long".into(), "13221"),
    ];
    let texts = [
        ("To", String::new(), "21604"),
        ("To", "ada".into(), "21211"),
        ("From", "tocsin".into(), "21210"),
        ("Body", String::new(), "21602"),
        ("Body", "x".repeat(1601), "21617"),
        ("To", "+15550001111".into(), "21614"),
    ];
    let mut twilio = Twilio {
        landlines: vec!["+15550001111".into()],
        barred: vec!["+15550002222".into()],
        ..Twilio::default()
    };
    for (name, value, word) in &calls {
        let asked = post("Calls", &changed(&CALL, (name, value)));
        expect(&mut twilio, &asked, (400, word), name);
    }
    for (name, value, word) in &texts {
        let asked = post("Messages", &changed(&TEXT, (name, value)));
        expect(&mut twilio, &asked, (400, word), name);
    }
    assert!(twilio.calls.is_empty() && twilio.messages.is_empty());
    expect(
        &mut twilio,
        &post("Calls", &CALL),
        (201, "queued"),
        "accepted",
    );
    expect(
        &mut twilio,
        &post("Messages", &TEXT),
        (201, "queued"),
        "accepted",
    );
}

#[test]
fn twilio_refuses_wrong_credentials_and_calls_that_are_over() {
    let mut twilio = Twilio::default();
    let mut forged = post("Calls", &CALL);
    forged.set_basic(&format!("{ACCOUNT}:wrong"));
    expect(&mut twilio, &forged, (401, "20003"), "wrong token");
    let mut other = post("Calls", &CALL);
    other.path = other
        .path
        .replace(ACCOUNT, "AC00000000000000000000000000000000");
    expect(&mut twilio, &other, (404, "20404"), "another account");

    twilio.answer(&post("Calls", &CALL));
    let call = format!("Calls/{}", twilio.calls[0].sid);
    expect(
        &mut twilio,
        &post(&call, &[("Status", "paused")]),
        (400, "21218"),
        "no such status",
    );
    expect(
        &mut twilio,
        &post(&call, &[("Status", "completed")]),
        (200, "completed"),
        "ends it",
    );
    expect(
        &mut twilio,
        &post(&call, &[("Status", "completed")]),
        (400, "21220"),
        "is over",
    );
    expect(
        &mut twilio,
        &post("Calls/CA0", &[("Status", "completed")]),
        (404, "20404"),
        "unknown",
    );
}

#[test]
fn twilio_signs_the_url_and_each_field_in_the_order_of_their_names() {
    let url = "https://tocsin.example/hooks/twilio/gather?page=p1";
    let signed = |url: &str, fields: &[(&str, &str)]| {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        twilio::signature(url, &fields.collect())
    };
    let right = signed(url, &[("Digits", "1"), ("CallSid", "CA0")]);
    assert_eq!(right, signed(url, &[("CallSid", "CA0"), ("Digits", "1")]));
    for (url, digits) in [
        (url, "2"),
        ("https://tocsin.example/hooks/twilio/gather?page=p2", "1"),
    ] {
        assert_ne!(
            right,
            signed(url, &[("CallSid", "CA0"), ("Digits", digits)])
        );
    }
}
