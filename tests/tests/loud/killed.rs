//! The program is killed at each point of a page's way, and started again on the same data: the
//! page is neither lost nor doubled without a word, and the acknowledgement gets through.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tocsin_standins::{Fate, Moment};
use tocsin_tests::support::Lives;
use tokio::task::{JoinSet, LocalSet};

use crate::night::{Night, Shown};
use crate::way::{self, Make, Press, Purpose, Way};

/// That the channel is slow does not matter here, only that requests are cut off.
const CONTACT_WAIT: &str = "escalation.contact-wait = \"10m\"";

/// When the program is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kill {
    /// As soon as the alert is accepted.
    Queued,
    /// At a moment of a request that pages.
    Page(Moment),
    /// As soon as the page counts as accepted.
    Accepted,
    /// Once a press was sent, or read, and before it can be committed.
    Pressing,
    /// As soon as a press is answered, or its reading is.
    Pressed,
    /// At a moment of the request that takes the page back.
    TakeBack(Moment),
}

const PAGING: [Kill; 5] = [
    Kill::Queued,
    Kill::Page(Moment::Arrived),
    Kill::Page(Moment::Taken),
    Kill::Page(Moment::Answered),
    Kill::Accepted,
];
const ANSWERING: [Kill; 2] = [Kill::Pressing, Kill::Pressed];
const TAKING_BACK: [Kill; 2] = [
    Kill::TakeBack(Moment::Arrived),
    Kill::TakeBack(Moment::Taken),
];

impl Kill {
    /// The request and its moment, if it is at one of the plugin's.
    fn during(self, way: &dyn Way) -> Option<(Purpose, Moment)> {
        match self {
            Self::Page(moment) => Some((Purpose::Page, moment)),
            Self::TakeBack(moment) => Some((Purpose::TakeBack, moment)),
            Self::Pressing if way.is_polled() => Some((Purpose::Answer, Moment::Taken)),
            Self::Pressed if way.is_polled() => Some((Purpose::Answer, Moment::Answered)),
            _ => None,
        }
    }

    /// Whether no request that pages is cut off by it.
    fn spares_the_page(self) -> bool {
        !matches!(self, Self::Queued | Self::Page(_))
    }
}

/// One night with one kill.
async fn row(make: Make, kill: Kill) {
    let way = make();
    let name = format!("{} {kill:?}", way.kind());
    let Some(night) = Night::start(&name, &[(&*way, way.url())], CONTACT_WAIT).await else {
        return;
    };
    let is_pressed = Arc::new(AtomicBool::new(false));
    plant(kill, &way, &night.life, &is_pressed);
    night.fire().await;
    if kill == Kill::Queued {
        night.life.kill();
    }
    let arrived = async || {
        way.notice();
        let shown = night.shown().await.filter(Shown::is_accepted);
        let mut addresses = way.addresses().into_iter();
        shown.and_then(|_| addresses.find(|it| way.shown_at(it) > 0))
    };
    let address = night.until("the page to be accepted", arrived).await;
    if kill == Kill::Accepted {
        night.life.kill();
    }
    is_pressed.store(true, Ordering::SeqCst);
    press(&night, &*way, address, kill).await;
    let is_acknowledged = |it: &Shown| !it.acknowledged().is_empty();
    night
        .until_shown("an acknowledgement", is_acknowledged)
        .await;
    let settled = async || {
        let is_over = way.is_taken_back() && night.life.kills() > 0;
        is_over.then_some(())
    };
    night.until("the page to be taken back", settled).await;
    check(&night, &*way, kill).await;
}

/// Has the stand-in kill the program, once.
fn plant(kill: Kill, way: &Arc<dyn Way>, life: &Lives, is_pressed: &Arc<AtomicBool>) {
    let Some(planned) = kill.during(&**way) else {
        return;
    };
    let (watching, life) = (Arc::downgrade(way), life.clone());
    let is_pressed = Arc::clone(is_pressed);
    way.watch(Box::new(move |moment, asked| {
        let purpose = watching.upgrade().map(|it| it.purpose(asked));
        let is_due = purpose == Some(planned.0) && moment == planned.1;
        // Answers are read before there is one, too.
        let is_due = is_due && (planned.0 == Purpose::Page || is_pressed.load(Ordering::SeqCst));
        if !is_due || life.kills() > 0 {
            return Fate::GoesOn;
        }
        life.kill();
        Fate::Lost
    }));
}

/// The person presses, and again if that had no answer.
async fn press(night: &Night, way: &dyn Way, address: &str, kill: Kill) {
    let Press::Request(press) = way.press(address) else {
        return;
    };
    if kill == Kill::Pressing && !way.is_polled() {
        night.post_and_kill(&press);
    }
    let posted = async || night.post(&press).await.then_some(());
    night.until("the press to be answered", posted).await;
    if kill == Kill::Pressed && !way.is_polled() {
        night.life.kill();
    }
}

async fn check(night: &Night, way: &dyn Way, kill: Kill) {
    let shown = night.until_shown("the incident", |_| true).await;
    let why = night.report().await;
    assert_eq!(night.life.kills(), 1, "{why}");
    let through = format!("ada acknowledged through {}", way.kind());
    assert_eq!(shown.acknowledged(), [through], "{why}");
    let [first, second] = way.addresses().map(|it| way.shown_at(it));
    let is_unknown = |it: &String| it.contains("unknown");
    let is_known = !shown.log.iter().any(is_unknown);
    if kill.spares_the_page() {
        assert!(is_known, "{why}");
    }
    // Not even a page of unknown outcome comes twice to one contact: the plugin finds it, or the
    // service replaces it, or the next contact is used.
    assert!(first <= 1 && second <= 1, "{why}");
    match is_known {
        true => assert_eq!((first, second), (1, 0), "{why}"),
        false => assert!(first + second > 0, "{why}"),
    }
}

/// All of these kills, each in a night of its own, at the same time.
async fn survives(make: Make, kills: &[&[Kill]]) {
    let mut rows = JoinSet::new();
    let all = async {
        for kill in kills.concat() {
            rows.spawn_local(row(make, kill));
        }
        // It panics if one of them does.
        rows.join_all().await;
    };
    LocalSet::new().run_until(all).await;
}

#[tokio::test]
async fn an_ntfy_button() {
    survives(way::NTFY_BUTTON, &[&PAGING, &ANSWERING, &TAKING_BACK]).await;
}

/// It pages and takes back as the button does.
#[tokio::test]
async fn an_ntfy_answer_topic() {
    survives(way::NTFY_TOPIC, &[&ANSWERING]).await;
}

#[tokio::test]
async fn pushover() {
    survives(way::PUSHOVER, &[&PAGING, &ANSWERING, &TAKING_BACK]).await;
}

#[tokio::test]
async fn a_call() {
    survives(way::CALL, &[&PAGING, &ANSWERING]).await;
}

#[tokio::test]
async fn a_text() {
    survives(way::SMS, &[&PAGING, &ANSWERING]).await;
}

#[tokio::test]
async fn a_webhook() {
    survives(way::WEBHOOK, &[&PAGING, &ANSWERING]).await;
}
