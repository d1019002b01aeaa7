use std::time::Duration;

use serde_json::{Value, json};

use super::*;

fn start() -> SlackStandIn {
    SlackStandIn::start(Setup {
        token: "xoxb-test".into(),
        signing_secret: "8f742231b10e8888abcd99yyyzzz85a5".into(),
        channels: vec!["engineering".into()],
        ..Setup::of(vec![Member::new("U1", "Ada")])
    })
    .unwrap()
}

fn client() -> reqwest::Client {
    let _already = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(Duration::from_millis(500))
        .build()
        .unwrap()
}

async fn call(slack: &SlackStandIn, method: &str, fields: &[(&str, &str)]) -> Value {
    let url = format!("{}/{method}", slack.base_url());
    let request = client().post(url).bearer_auth("xoxb-test").form(fields);
    request.send().await.unwrap().json().await.unwrap()
}

type Fields<'a> = &'a [(&'a str, &'a str)];

const BLOCKS: &str = r#"[
    {"type":"section","text":{"type":"mrkdwn","text":"*checkout is down*"}},
    {"type":"actions","block_id":"b","elements":[{"type":"button","action_id":"ack",
     "text":{"type":"plain_text","text":"Acknowledge"},"value":"INC-1"}]}]"#;

#[tokio::test]
async fn a_war_room_is_created_filled_and_posted_to() {
    let slack = start();
    let mut watch = slack.watch();
    let made = call(&slack, "conversations.create", &[("name", "inc-1")]).await;
    let id = made["channel"]["id"].as_str().unwrap();
    call(
        &slack,
        "conversations.setTopic",
        &[("channel", id), ("topic", "major")],
    )
    .await;
    call(
        &slack,
        "conversations.invite",
        &[("channel", id), ("users", "U1")],
    )
    .await;
    let metadata = r#"{"event_type":"tocsin","event_payload":{"effect_id":"e1"}}"#;
    let fields = [("channel", id), ("text", "Opened"), ("metadata", metadata)];
    assert_eq!(call(&slack, "chat.postMessage", &fields).await["ok"], true);

    let fields = [("channel", id), ("include_all_metadata", "true")];
    let history = call(&slack, "conversations.history", &fields).await;
    let payload = &history["messages"][0]["metadata"]["event_payload"];
    assert_eq!(payload, &json!({ "effect_id": "e1" }));
    assert_eq!(slack.messages("inc-1")[0].shown(), "Opened");
    assert_eq!(slack.channels()[1].topic, "major");
    assert!(slack.unexpected().is_empty());
    let seen: Vec<Seen> = std::iter::from_fn(|| watch.try_recv().ok()).collect();
    assert!(matches!(seen[0], Seen::ChannelCreated { .. }), "{seen:?}");
    assert!(matches!(seen[3], Seen::Posted { .. }), "{seen:?}");
}

#[tokio::test]
async fn errors_are_slacks_own() {
    let slack = start();
    let long = "x".repeat(81);
    let create = "conversations.create";
    let invite = "conversations.invite";
    let cases: &[(&str, Fields, &str)] = &[
        (create, &[("name", "engineering")], "name_taken"),
        (create, &[("name", "Inc 1")], "invalid_name_specials"),
        (create, &[("name", &long)], "invalid_name_maxlength"),
        (create, &[], "invalid_name_required"),
        (
            invite,
            &[("channel", "C9"), ("users", "U1")],
            "channel_not_found",
        ),
        (
            invite,
            &[("channel", "C0000001"), ("users", "U9")],
            "user_not_found",
        ),
        ("chat.postMessage", &[("channel", "C0000001")], "no_text"),
        (
            "chat.postMessage",
            &[("channel", "U1"), ("blocks", "{}")],
            "invalid_blocks_format",
        ),
        (
            "chat.postMessage",
            &[("channel", "U1"), ("blocks", "[{}]")],
            "invalid_blocks",
        ),
        (
            "chat.update",
            &[("channel", "C0000001"), ("ts", "1"), ("text", "x")],
            "message_not_found",
        ),
        (
            "users.lookupByEmail",
            &[("email", "nobody@example.com")],
            "users_not_found",
        ),
    ];
    for (method, fields, error) in cases {
        let answer = call(&slack, method, fields).await;
        assert_eq!(
            answer,
            json!({ "ok": false, "error": error }),
            "{method} {fields:?}"
        );
    }
    assert!(slack.unexpected().is_empty());
}

#[tokio::test]
async fn invalid_requests_are_refused_and_recorded() {
    let slack = start();
    assert_eq!(
        call(&slack, "channels.create", &[]).await["error"],
        "unknown_method"
    );
    let fields = [("channel", "C0000001"), ("colour", "red")];
    assert_eq!(
        call(&slack, "chat.postMessage", &fields).await["error"],
        "invalid_arguments"
    );
    let url = format!("{}/auth.test", slack.base_url());
    client().post(&url).send().await.unwrap();
    client()
        .post(&url)
        .bearer_auth("wrong")
        .send()
        .await
        .unwrap();
    let unexpected = slack.unexpected();
    assert_eq!(unexpected.len(), 4, "{unexpected:?}");
    let recorded = format!("{:?}", slack.requests());
    assert!(
        !recorded.contains("xoxb-test") && recorded.contains("Bearer"),
        "{recorded}"
    );
}

#[tokio::test]
async fn faults_apply_as_often_as_configured_and_a_lost_answer_keeps_its_effect() {
    let slack = start();
    let url = format!("{}/chat.postMessage", slack.base_url());
    let post = || {
        let form = [("channel", "U1"), ("text", "page")];
        client()
            .post(&url)
            .bearer_auth("xoxb-test")
            .form(&form)
            .send()
    };
    slack.fail(FaultRule::times(1, Fault::RateLimited { retry_after_s: 7 }));
    let limited = post().await.unwrap();
    assert_eq!(
        (limited.status().as_u16(), &limited.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert!(slack.direct_messages("U1").is_empty());

    slack.fail(FaultRule::times(1, Fault::LoseAnswer).on("chat.postMessage"));
    assert!(post().await.unwrap_err().is_timeout());
    assert_eq!(slack.direct_messages("U1").len(), 1);

    slack.fail(FaultRule::always(Fault::Hang));
    assert!(post().await.unwrap_err().is_timeout());
    slack.heal();
    assert_eq!(post().await.unwrap().status(), 200);
    assert_eq!(slack.direct_messages("U1").len(), 2);
}

#[tokio::test]
async fn it_can_go_down_and_restart_with_its_state() {
    let slack = start();
    let client = client();
    let url = format!("{}/auth.test", slack.base_url());
    let call = || client.post(&url).bearer_auth("xoxb-test").send();
    assert_eq!(call().await.unwrap().status(), 200);
    slack.vanish();
    assert!(
        call().await.is_err(),
        "a connection that was open is closed"
    );
    let fresh = self::client().post(&url).send().await;
    assert!(fresh.unwrap_err().is_connect(), "a new one is refused");
    slack.come_back().unwrap();
    assert_eq!(call().await.unwrap().status(), 200);
    assert_eq!(slack.channels().len(), 1);
}

#[tokio::test]
async fn a_press_is_signed_and_carries_the_button() {
    let slack = start();
    let fields = [("channel", "U1"), ("text", "page"), ("blocks", BLOCKS)];
    let posted = call(&slack, "chat.postMessage", &fields).await;
    assert_eq!(posted["ok"], true, "{posted}");
    let request = slack
        .press_request(&Press::newest("U1", "Acknowledge"))
        .unwrap();
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&request.body).unwrap();
    let payload: Value = serde_json::from_str(&pairs[0].1).unwrap();
    assert_eq!(payload["actions"][0]["value"], "INC-1");
    assert_eq!(payload["message"]["ts"], posted["ts"]);
    assert!(matches!(
        slack.press_request(&Press::newest("U1", "Escalate")),
        Err(PressError::NoButton { .. })
    ));
}

/// The example in Slack's own description of its signatures.
#[test]
fn signatures_are_those_of_slacks_documentation() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
        &channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner\
        &command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands\
        %2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
        &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let secret = "8f742231b10e8888abcd99yyyzzz85a5";
    let signed = SignedRequest::at(secret, body.into(), 1_531_420_618);
    let expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    assert_eq!(signed.signature, expected);
}

#[test]
fn a_command_is_sent_as_slack_encodes_it() {
    let typed = Typed {
        member: "U1".into(),
        channel: None,
        line: "/incident task <@U1> p99 > 2 s & <b>".into(),
    };
    let body = start().typed_request(&typed).unwrap().body;
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(&body).unwrap();
    let text = fields.iter().find(|it| it.0 == "text").unwrap();
    assert_eq!(text.1, "task <@U1> p99 &gt; 2 s &amp; &lt;b&gt;");
}
