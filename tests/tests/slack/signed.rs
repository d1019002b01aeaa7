//! Requests that Slack's own library signed: of each route the recent one counts, once.

use std::time::{SystemTime, UNIX_EPOCH};

use tocsin::standin::slack::{SIGNING_SECRET, SignedRequest};
use tocsin_tests::support::SlackSdk;

use crate::chat::{ADA, Chat, typed};

/// A little more than the five minutes that a signature is valid, in seconds.
const STALE_S: u64 = 310;
const OFF: &str = "it is a replay, or one of the two clocks is wrong";
const FORGED: &str = "the signature does not match";
const REPLAYED: &str = "this request was handled before, and its sender has not signed it again";

struct Signer {
    library: SlackSdk,
    /// Seconds since 1970.
    now: u64,
}

/// In seconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs()
}

impl Signer {
    fn sign(&self, secret: &str, at: u64, body: &str) -> SignedRequest {
        let signature = self.library.sign(secret, &at.to_string(), body);
        SignedRequest {
            timestamp: at.to_string(),
            signature: signature.unwrap(),
            body: body.to_owned(),
        }
    }

    fn good(&self, body: &str) -> SignedRequest {
        self.sign(SIGNING_SECRET, self.now, body)
    }

    /// Requests that must not count, each with what it is and why it is refused.
    fn bad(&self, body: &str) -> Vec<(&'static str, SignedRequest, &'static str)> {
        let altered = SignedRequest {
            body: format!("{body}&more=x"),
            ..self.good(body)
        };
        let redated = SignedRequest {
            timestamp: (self.now + 1).to_string(),
            ..self.good(body)
        };
        let at = |at| self.sign(SIGNING_SECRET, at, body);
        vec![
            // First, and of this moment: while the library runs it becomes less early.
            ("five minutes early", at(now() + STALE_S), OFF),
            (
                "of another secret",
                self.sign("another", self.now, body),
                FORGED,
            ),
            ("of another body", altered, FORGED),
            ("of another time", redated, FORGED),
            ("five minutes old", at(now() - STALE_S), OFF),
        ]
    }
}

/// Sends a request that must be refused: with its reason in the log, and nothing done.
async fn refused(chat: &Chat, route: &str, what: &str, request: &SignedRequest, why: &str) {
    let lines = |chat: &Chat| -> Vec<String> {
        let log = chat.lives.log();
        let refused = log
            .lines()
            .filter(|it| it.contains("a webhook was refused"));
        refused.map(str::to_owned).collect()
    };
    let (before, done) = (lines(chat).len(), chat.done().await);
    let (status, body) = chat.send(route, request).await.unwrap();
    assert!((400..500).contains(&status), "{what}: {status} {body}");
    let logged = chat.until("the reason", async || lines(chat).get(before).cloned());
    let logged = logged.await;
    let status = format!("status={status}");
    for part in ["plugin=\"slack\"", &status, why] {
        assert!(logged.contains(part), "{what}: {part} is not in {logged}");
    }
    assert_eq!(chat.done().await, done, "{what}");
}

impl Chat {
    /// What Ada did so far. What follows from it may be logged at any time.
    async fn done(&self) -> Vec<String> {
        let mut log = self.log().await.unwrap();
        log.retain(|it| it.starts_with("ada "));
        log
    }
}

/// Of a request, all that must be refused is, and the good one counts once.
async fn counts_once(chat: &Chat, signer: &Signer, route: &str, body: &str, done: &str) {
    let times = async || {
        let log = chat.done().await;
        log.iter().filter(|it| it.contains(done)).count()
    };
    for (what, request, why) in signer.bad(body) {
        assert!(!signer.library.is_valid(SIGNING_SECRET, &request).unwrap());
        refused(chat, route, what, &request, why).await;
    }
    assert_eq!(times().await, 0);

    let good = signer.good(body);
    assert!(signer.library.is_valid(SIGNING_SECRET, &good).unwrap());
    let first = chat.send(route, &good).await.unwrap();
    assert_eq!((first.0, times().await), (200, 1), "{}", first.1);
    refused(chat, route, "a replay", &good, REPLAYED).await;
    // Slack sends again what it had no answer to, signed anew.
    let retry = signer.sign(SIGNING_SECRET, signer.now + 1, body);
    let again = chat.send(route, &retry).await.unwrap();
    assert_eq!((again, times().await), (first, 1));
    refused(chat, route, "a replay of a retry", &retry, REPLAYED).await;
    refused(chat, route, "a late replay", &good, REPLAYED).await;
}

#[tokio::test]
async fn what_slacks_library_signed_recently_counts_once_and_nothing_else_does() {
    let test = "requests signed by slack_sdk";
    let Some(library) = SlackSdk::find(test) else {
        return;
    };
    let Some(chat) = Chat::start(test, |_| String::new()).await else {
        return;
    };
    let signer = Signer {
        library,
        now: now(),
    };
    chat.pagerduty("trigger", "checkout").await;
    let seen = async || chat.press(ADA, "Acknowledge").ok();
    let press = chat.until("the page", seen).await;
    let room = chat.until_room().await;
    let typed = chat
        .slack
        .typed_request(&typed(ADA, &room, "log seen errors"))
        .unwrap();
    let (press, typed) = (press.body, typed.body);
    counts_once(&chat, &signer, "interactions", &press, "ada acknowledged").await;
    counts_once(&chat, &signer, "commands", &typed, "ada saw: errors").await;
    assert_eq!(chat.slack.unexpected(), Vec::<String>::new());
}
