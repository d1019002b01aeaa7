//! A channel that is down: the next rung follows, in the order of the log.

use crate::by_twilio::{ByTwilio, Kind};
use crate::night::{Night, Shown};
use crate::way::{self, Make, Press, Way};
use tocsin_tests::support::free_port;

/// How long a channel may take to accept a page, here.
const CONTACT_WAIT: &str = "escalation.contact-wait = \"2s\"";

/// How a channel is down.
#[derive(Clone, Copy, Debug)]
enum Down {
    /// Its connections are refused.
    Unreachable,
    /// It answers with this status: of a fault that may pass, or that will not.
    Answers(u16),
}

const DOWNS: [Down; 3] = [Down::Unreachable, Down::Answers(503), Down::Answers(403)];

async fn next_rung_follows(make: Make, next: Make) {
    let downs = DOWNS.map(|down| next_rung_follows_when(make, next, down));
    let [first, second, third] = downs;
    tokio::join!(first, second, third);
}

async fn next_rung_follows_when(make: Make, next: Make, down: Down) {
    let (way, next) = (make(), next());
    let mut service = way.url().to_owned();
    match down {
        Down::Unreachable => service = format!("http://127.0.0.1:{}", free_port().unwrap()),
        Down::Answers(status) => way.fail(status),
    }
    let ways: [(&dyn Way, &str); 2] = [(&*way, &service), (&*next, next.url())];
    let name = format!("{} {down:?}", way.kind());
    let Some(night) = Night::start(&name, &ways, CONTACT_WAIT).await else {
        return;
    };
    night.fire().await;
    let shown = reaches_the_next(&night, &*way, &*next).await;
    assert_eq!(
        way.shown_at(way.addresses()[0]),
        0,
        "{down:?}: {:#?}",
        shown.log
    );
}

/// Checks that the second channel is tried after the first, and acknowledges there.
async fn reaches_the_next(night: &Night, way: &dyn Way, next: &dyn Way) -> Shown {
    let address = next.addresses()[0];
    night
        .until_shown("the next channel to accept it", Shown::is_accepted)
        .await;
    if let Press::Request(press) = next.press(address) {
        assert!(night.post(&press).await);
    }
    let is_acknowledged = |it: &Shown| !it.acknowledged().is_empty();
    let shown = night
        .until_shown("an acknowledgement", is_acknowledged)
        .await;
    let (first, second) = (way.kind(), next.kind());
    shown.assert_in_order(&[
        format!("paged ada by {first}"),
        format!("paged ada again by {second}: "),
        format!("the page to ada was sent by {second}"),
        format!("ada acknowledged through {second}"),
    ]);
    assert_eq!(shown.attempts, ["failed", "pressed"], "{:#?}", shown.log);
    let sent = format!("the page to ada was sent by {first}");
    assert!(
        !shown.log.iter().any(|it| it.starts_with(&sent)),
        "{:#?}",
        shown.log
    );
    shown
}

#[tokio::test]
async fn after_ntfy() {
    next_rung_follows(way::NTFY_BUTTON, way::WEBHOOK).await;
}

#[tokio::test]
async fn after_ntfy_with_an_answer_topic() {
    next_rung_follows(way::NTFY_TOPIC, way::WEBHOOK).await;
}

#[tokio::test]
async fn after_pushover() {
    next_rung_follows(way::PUSHOVER, way::NTFY_BUTTON).await;
}

#[tokio::test]
async fn after_a_call() {
    next_rung_follows(way::CALL, way::NTFY_BUTTON).await;
}

#[tokio::test]
async fn after_a_text() {
    next_rung_follows(way::SMS, way::NTFY_BUTTON).await;
}

#[tokio::test]
async fn after_a_webhook() {
    next_rung_follows(way::WEBHOOK, way::NTFY_BUTTON).await;
}

#[tokio::test]
async fn after_a_phone_that_is_busy() {
    let (way, next) = (ByTwilio::start(Kind::Call), way::NTFY_BUTTON());
    let ways: [(&dyn Way, &str); 2] = [(&way, way.url()), (&*next, next.url())];
    // Longer than the test: that it is busy is what matters.
    let wait = "escalation.contact-wait = \"10m\"";
    let Some(night) = Night::start("phone busy", &ways, wait).await else {
        return;
    };
    night.fire().await;
    let [number, _] = way.addresses();
    let called = async || (way.shown_at(number) > 0).then_some(());
    night.until("a call", called).await;
    way.becomes("busy");
    let shown = reaches_the_next(&night, &way, &*next).await;
    let is_why = |it: &String| it.ends_with("the call to ada was not answered: busy");
    assert!(shown.log.iter().any(is_why), "{:#?}", shown.log);
}
