//! Socket Mode against a workspace that drops connections, lies, floods, and stops in the middle of
//! a frame: nothing that Slack expects an answer to is lost or done twice.

use serde_json::{Value, json};
use tocsin::runtime::Clock as _;
use tocsin::standin::slack::{SlackStandIn, SocketAct};

use crate::chat::{ADA, Chat, typed};

/// More than a socket handles at a time.
const FLOOD: usize = 200;

async fn start(test: &str) -> Option<Chat> {
    let install = SlackStandIn::install_by_socket;
    let chat = Chat::start_by(test, install, |_| String::new()).await?;
    chat.pagerduty("trigger", "checkout").await;
    chat.until_opened(1).await;
    Some(chat)
}

impl Chat {
    /// Waits until so many sockets were opened since the start.
    async fn until_opened(&self, count: usize) {
        let opened = async || (self.slack.sockets_opened() >= count).then_some(());
        self.until("a socket", opened).await;
    }

    /// Every answer to an envelope.
    fn answers(&self, id: &str) -> Vec<Value> {
        let mut received = self.slack.socket_received();
        received.retain(|it| it["envelope_id"] == id);
        received
    }

    async fn answered(&self, id: &str, times: usize) -> Value {
        let answered = async || self.answers(id).get(times - 1).cloned();
        self.until(&format!("answer {times} to {id}"), answered)
            .await
    }

    /// Types `/incident TEXT` in an envelope with this id.
    fn types(&self, id: &str, channel: &str, text: &str) -> bool {
        let typed = self
            .slack
            .typed_request(&typed(ADA, channel, text))
            .unwrap();
        self.slack.envelope(id, "slash_commands", &typed.payload())
    }

    /// The channel of incident 1, once commands in it are about the incident.
    async fn room(&self) -> String {
        let room = async || Some(self.slack.channels().pop()?.id);
        let room = self.until("the war room", room).await;
        let mut asked = 0;
        loop {
            asked += 1;
            let id = format!("room-{asked}");
            assert!(self.types(&id, &room, "status"));
            let told = self.answered(&id, 1).await;
            let told = told["payload"]["text"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            if told.starts_with("incident 1:") {
                return room;
            }
        }
    }

    async fn times(&self, done: &str) -> usize {
        let log = self.log().await.unwrap();
        log.iter().filter(|it| it.contains(done)).count()
    }
}

#[tokio::test]
async fn slack_needs_no_way_to_the_daemon_and_each_envelope_counts_once() {
    let Some(chat) = start("Socket Mode").await else {
        return;
    };
    let press = chat.until("the page", async || chat.press(ADA, "Acknowledge").ok());
    let press = press.await.payload();
    for times in 1..=2 {
        assert!(chat.slack.envelope("press", "interactive", &press));
        let answer = chat.answered("press", times).await;
        assert_eq!(answer, json!({"envelope_id": "press"}));
    }
    assert_eq!(chat.times("ada acknowledged").await, 1);

    let room = chat.room().await;
    for times in 1..=2 {
        assert!(chat.types("seen", &room, "log seen errors"));
        let answer = chat.answered("seen", times).await;
        assert_eq!(answer, chat.answers("seen")[0]);
    }
    assert_eq!(chat.times("ada saw: errors").await, 1);

    // Slack sends an event again in another envelope.
    let ts = format!("{}.000100", chat.clock.now().0 / 1_000);
    let said = json!({
        "event_id": "Ev1", "event": {
            "type": "message", "channel": room, "user": ADA, "ts": ts,
            "text": "seen: the queue grows",
        },
    });
    for id in ["said-1", "said-2"] {
        assert!(chat.slack.envelope(id, "events_api", &said));
        chat.answered(id, 1).await;
    }
    let logged = async || (chat.times("the queue grows").await > 0).then_some(());
    chat.until("the line", logged).await;
    assert_eq!(chat.times("the queue grows").await, 1);
    assert_eq!(chat.slack.unexpected(), Vec::<String>::new());
}

#[tokio::test]
async fn a_socket_that_drops_lies_or_stops_loses_nothing_and_repeats_nothing() {
    let Some(chat) = start("Socket Mode with a bad connection").await else {
        return;
    };
    let room = chat.room().await;
    for lie in [
        "{",
        "[]",
        "null",
        "7",
        r#"{"envelope_id": 7}"#,
        r#"{"type": {}}"#,
    ] {
        assert!(chat.slack.socket(SocketAct::Text(lie.to_owned())));
    }
    let nothing = json!({"type": "block_actions", "actions": {}});
    for kind in ["interactive", "slash_commands", "events_api", "made_up"] {
        assert!(chat.slack.envelope(kind, kind, &nothing));
        chat.answered(kind, 1).await;
    }

    let mut opened = chat.slack.sockets_opened();
    for (what, end) in [
        ("dropped", SocketAct::Drop),
        ("stopped", SocketAct::HalfFrame),
    ] {
        assert!(chat.types(what, &room, &format!("log seen {what}")));
        assert!(chat.slack.socket(end));
        opened += 1;
        chat.until_opened(opened).await;
        // Slack had no answer, or does not know that it had one.
        assert!(chat.types(what, &room, &format!("log seen {what}")));
        let again = chat.answered(what, 1).await;
        assert!(again["payload"]["text"].is_string(), "{again}");
        assert_eq!(chat.times(&format!("ada saw: {what}")).await, 1);
    }

    // A frame that is too long ends the connection, and nothing else.
    let long = SocketAct::Text("x".repeat(300_000));
    assert!(chat.slack.socket(long));
    opened += 1;
    chat.until_opened(opened).await;
    let disconnect = json!({"type": "disconnect", "reason": "refresh_requested"});
    assert!(chat.slack.socket(SocketAct::Text(disconnect.to_string())));
    opened += 1;
    chat.until_opened(opened).await;
    assert!(chat.types("last", &room, "log seen the last one"));
    chat.answered("last", 1).await;
}

#[tokio::test]
async fn a_flood_is_answered_envelope_by_envelope() {
    let Some(chat) = start("Socket Mode with a flood").await else {
        return;
    };
    let room = chat.room().await;
    for number in 0..FLOOD {
        assert!(chat.types(&format!("flood-{number}"), &room, "status"));
    }
    chat.answered(&format!("flood-{}", FLOOD - 1), 1).await;
    for number in 0..FLOOD {
        let id = format!("flood-{number}");
        chat.answered(&id, 1).await;
        assert_eq!(chat.answers(&id).len(), 1, "{id}");
    }
}
