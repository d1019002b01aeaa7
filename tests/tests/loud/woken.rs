//! Each channel wakes: queued, accepted, seen where the channel tells, pressed, acknowledged, and
//! taken back where the service can.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tocsin_standins::{Fate, Moment};

use crate::night::{Night, Shown, WITHIN};
use crate::way::{self, Make, Press, Purpose, Request, Way};

async fn wakes(make: Make) {
    let way = make();
    let name = format!("{} wakes", way.kind());
    let Some(night) = Night::start(&name, &[(&*way, way.url())], "").await else {
        return;
    };
    let [address, second] = way.addresses();
    let (arrived, go_on) = hold(&way);
    night.fire().await;
    night
        .until("a request", async || arrived.try_recv().ok())
        .await;
    assert_eq!(night.shown().await.unwrap().attempts, ["queued"]);
    go_on.send(()).unwrap();

    // A call is accepted when somebody picks it up.
    let accepted = async || {
        way.notice();
        night.shown().await.filter(|it| it.attempts != ["queued"])
    };
    night.until("the page to be accepted", accepted).await;
    let known = if way.tells_seen() { "seen" } else { "accepted" };
    let told = async || {
        // It may have been accepted just after nobody took notice of it.
        way.notice();
        night.shown().await.filter(|it| it.attempts == [known])
    };
    night.until("what the channel tells", told).await;
    if let Press::Request(press) = way.press(address) {
        if !way.is_polled() {
            assert!(!night.post(&forged(&press)).await);
            let shown = night.shown().await.unwrap();
            assert!(shown.acknowledged().is_empty(), "{:#?}", shown.log);
        }
        assert!(night.post(&press).await);
    }
    let is_acknowledged = |it: &Shown| !it.acknowledged().is_empty();
    let shown = night
        .until_shown("an acknowledgement", is_acknowledged)
        .await;
    let kind = way.kind();
    assert_eq!(
        shown.acknowledged(),
        [format!("ada acknowledged through {kind}")]
    );
    let taken_back = async || way.is_taken_back().then_some(());
    night.until("the page to be taken back", taken_back).await;

    let shown = night.shown().await.unwrap();
    assert_eq!(shown.attempts, ["pressed"], "{:#?}", shown.log);
    let mut log = vec![format!("paged ada by {kind}")];
    log.push(format!("the page to ada was sent by {kind}"));
    if way.tells_seen() {
        log.push(format!("the page was shown to ada by {kind}"));
    }
    log.push(format!("ada acknowledged through {kind}"));
    shown.assert_in_order(&log);
    assert_eq!((way.shown_at(address), way.shown_at(second)), (1, 0));
}

/// A request with another signature: in a header, or at the end of a link.
fn forged(press: &Request) -> Request {
    let mut forged = press.clone();
    let signed = match forged.headers.first_mut() {
        Some((_, signature)) => signature,
        None => &mut forged.url,
    };
    let place = signed.len() - 6;
    let other = if signed[place..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    signed.replace_range(place..=place, other);
    forged
}

/// Holds the first page up as it arrives, so that it is queued and not accepted, until told to go
/// on.
fn hold(way: &Arc<dyn Way>) -> (Receiver<()>, Sender<()>) {
    let ((arrives, arrived), (go_on, goes_on)) = (channel(), channel());
    let watching = Arc::downgrade(way);
    way.watch(Box::new(move |moment, asked| {
        let purpose = watching.upgrade().map(|it| it.purpose(asked));
        if moment == Moment::Arrived && purpose == Some(Purpose::Page) {
            // Both fail only if the test has failed.
            let _told = arrives.send(());
            let _told = goes_on.recv_timeout(WITHIN);
        }
        Fate::GoesOn
    }));
    (arrived, go_on)
}

#[tokio::test]
async fn a_press_that_reaches_the_daemon_acknowledges() {
    let (button, key) = (wakes(way::NTFY_BUTTON), wakes(way::CALL));
    tokio::join!(button, key, wakes(way::WEBHOOK));
}

/// At the same time, as each is read every ten seconds.
#[tokio::test]
async fn an_answer_that_the_daemon_reads_acknowledges() {
    let (topic, app) = (wakes(way::NTFY_TOPIC), wakes(way::PUSHOVER));
    tokio::join!(topic, app, wakes(way::SMS));
}
