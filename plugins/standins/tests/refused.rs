//! What each service refuses, its stand-in refuses: wrong credentials and fields, too long texts,
//! more than the service takes. Each case changes one thing of a request that is accepted.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod refused {
    mod chat;
    mod gitlab;
    mod ntfy;
    mod pushover;
    mod statuspage;
    mod twilio;
}

use tocsin_standins::{Answered, Asked, Service};

/// Fails unless the service answers a request with a status, and an error that contains a word.
fn expect(service: &mut impl Service, asked: &Asked, (status, word): (u16, &str), case: &str) {
    let Answered {
        status: got, body, ..
    } = service.answer(asked);
    assert_eq!(got, status, "{case}: {body}");
    assert!(body.contains(word), "{case}: {body}");
}

/// A request with a form-encoded body.
fn form(url: &str, fields: &[(&str, &str)]) -> Asked {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    let mut asked = Asked::new("POST", url);
    asked.set_header("content-type", "application/x-www-form-urlencoded");
    asked.body = body.finish().into();
    asked
}

/// Fields with one of them changed, or left out if the new value is empty.
fn changed<'a>(
    fields: &[(&'a str, &'a str)],
    change: (&'a str, &'a str),
) -> Vec<(&'a str, &'a str)> {
    let others = fields.iter().copied().filter(|it| it.0 != change.0);
    let change = Some(change).filter(|it| !it.1.is_empty());
    others.chain(change).collect()
}
