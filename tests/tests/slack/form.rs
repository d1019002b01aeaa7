//! `/incident open` without a title: the form, and what is sent with it.

use serde_json::{Value, json};

use crate::chat::{ADA, Chat, typed};

/// The form that Slack was asked to show last.
fn shown(chat: &Chat) -> Option<Value> {
    let all = chat.slack.requests();
    let opened = all.iter().rev().find(|it| it.method() == "views.open")?;
    serde_json::from_str(opened.field("view")?).ok()
}

#[tokio::test]
async fn a_form_opens_an_incident() {
    let Some(chat) = Chat::start("Slack: the form", |_| String::new()).await else {
        return;
    };
    let command = chat.slack.typed_request(&typed(ADA, "C0000001", "open"));
    let request = chat.signed(command.unwrap().body);
    let (status, body) = chat.send("commands", &request).await.unwrap();
    assert_eq!(
        (status, body.as_str()),
        (200, ""),
        "{}",
        chat.report().await
    );
    let view = shown(&chat).expect("Slack was asked to show it");
    let values = json!({
        "title": {"value": {"value": "Orders are lost"}},
        "service": {"value": {"value": "shop"}},
        "grade": {"value": {"selected_option": {"value": "major"}}},
    });
    let payload = json!({
        "type": "view_submission",
        "user": { "id": ADA },
        "view": {
            "callback_id": view["callback_id"],
            "private_metadata": view["private_metadata"],
            "state": { "values": values },
        },
    });
    let form = [("payload", payload.to_string())];
    let sent = chat.signed(serde_urlencoded::to_string(form).unwrap());
    let (status, body) = chat.send("interactions", &sent).await.unwrap();
    assert_eq!(status, 200, "{body}\n{}", chat.report().await);
    let log = chat.log().await.unwrap();
    let opened = log.first().map(String::as_str).unwrap_or_default();
    assert!(
        opened.starts_with("ada opened it") || opened.contains("graded major"),
        "{log:#?}"
    );
}
