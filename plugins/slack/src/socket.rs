//! Socket Mode: what Slack would post to the daemon comes as frames of a WebSocket that the host
//! keeps open, so that Slack needs no way to the daemon.
//!
//! Frames: <https://docs.slack.dev/apis/events-api/using-socket-mode>. Each but the first and the
//! last has an envelope, whose id is answered within three seconds.

use crate::{api, inbound, lines};
use tocsin_plugin_sdk::serde_json::{self, Value, json};
use tocsin_plugin_sdk::types::{Failure, WebhookRequest, WebhookResponse};
use tocsin_plugin_sdk::{clock, socket};

/// The socket in the manifest.
pub(crate) const ROUTE: &str = "socket-mode";
/// Slack may take so long to say where the socket leads.
const OPEN_WITHIN_MS: u64 = 8_000;

/// Says where the socket leads, or answers a frame.
pub(crate) fn handle(request: &WebhookRequest) -> Result<WebhookResponse, Failure> {
    if socket::is_open(request) {
        return open();
    }
    let Ok(frame) = serde_json::from_slice::<Value>(&request.body) else {
        return Ok(WebhookResponse::new(400));
    };
    let payload = &frame["payload"];
    let answer = match frame["type"].as_str().unwrap_or_default() {
        // Slack closes a connection every few hours, and says so before.
        "disconnect" => return Ok(socket::replace()),
        "slash_commands" => {
            inbound::command(|name| payload[name].as_str().unwrap_or_default().to_owned())?
        }
        "interactive" => inbound::interaction(payload)?,
        "events_api" => {
            lines::handle(&payload["event"])?;
            WebhookResponse::new(200)
        }
        _ => WebhookResponse::new(200),
    };
    match frame["envelope_id"].as_str() {
        Some(id) if answer.status < 300 => Ok(acknowledged(id, &answer)),
        Some(_) => Ok(answer),
        None => Ok(WebhookResponse::new(204)),
    }
}

fn open() -> Result<WebhookResponse, Failure> {
    api::stop_at(clock::now() + OPEN_WITHIN_MS);
    let method = "apps.connections.open";
    let opened = api::post_as("app", method, &[], None);
    let opened = opened.map_err(|error| error.into_failure(method))?;
    match opened["url"].as_str() {
        Some(url) => Ok(socket::leads_to(url)),
        None => Err(Failure::retry(format!("{method}: Slack named no URL"))),
    }
}

/// The answer to an envelope. A payload is only for commands and forms, which an app may answer.
fn acknowledged(id: &str, answer: &WebhookResponse) -> WebhookResponse {
    let mut frame = json!({"envelope_id": id});
    if let Ok(payload) = serde_json::from_slice::<Value>(&answer.body) {
        frame["payload"] = payload;
    }
    WebhookResponse::json(200, &frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_plugin_sdk::http::Response;
    use tocsin_plugin_sdk::testing::FakeHost;

    fn request(method: &str, body: &Value) -> WebhookRequest {
        WebhookRequest {
            route: ROUTE.into(),
            method: method.into(),
            path: String::new(),
            query: String::new(),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
            verified: true,
            idempotency_key: "frame-1".into(),
            received_at: 0,
        }
    }

    /// The status and the body, which is null if there is none.
    fn answer(frame: &Value) -> (u16, Value) {
        let answer = handle(&request("FRAME", frame)).unwrap();
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer.status, body)
    }

    #[test]
    fn slack_says_where_the_socket_leads() {
        let host = FakeHost::install(|request| {
            assert!(
                request.url.ends_with("/apps.connections.open"),
                "{}",
                request.url
            );
            assert_eq!(request.auth.as_deref(), Some("app"));
            let body = json!({"ok": true, "url": "wss://wss-primary.slack.com/link/?ticket=1"});
            Ok(Response {
                status: 200,
                headers: Vec::new(),
                body: body.to_string().into_bytes(),
                replayed: false,
            })
        });
        let opened = handle(&request("OPEN", &json!(null))).unwrap();
        assert_eq!(opened.status, 200);
        assert_eq!(opened.body, b"wss://wss-primary.slack.com/link/?ticket=1");
        assert_eq!(host.requests().len(), 1);
    }

    #[test]
    fn each_envelope_is_answered_under_its_id_and_a_command_with_what_to_show() {
        let host = FakeHost::install(|request| panic!("no call to {}", request.url));
        let typed = json!({
            "envelope_id": "e1", "type": "slash_commands", "accepts_response_payload": true,
            "payload": {"command": "/incident", "text": "status", "user_id": "U1",
                "channel_id": "C1"},
        });
        let (status, body) = answer(&typed);
        assert_eq!((status, &body["envelope_id"]), (200, &json!("e1")));
        assert_eq!(body["payload"]["response_type"], "ephemeral");
        let pressed = json!({
            "envelope_id": "e2", "type": "interactive",
            "payload": {
                "type": "block_actions", "user": {"id": "U1"}, "channel": {"id": "D1"},
                "message": {"ts": "1.2", "text": "page"},
                "actions": [{"action_id": "ack", "value": json!({"page": "p-1"}).to_string()}],
            },
        });
        assert_eq!(answer(&pressed), (200, json!({"envelope_id": "e2"})));
        let verbs: Vec<_> = host.commands().iter().map(|it| it.verb).collect();
        assert_eq!(verbs, ["run", "acknowledge"]);
        let unknown = json!({"envelope_id": "e3", "type": "new", "payload": {}});
        assert_eq!(answer(&unknown), (200, json!({"envelope_id": "e3"})));
    }

    #[test]
    fn frames_without_an_envelope_are_not_answered() {
        let _host = FakeHost::install(|request| panic!("no call to {}", request.url));
        for (frame, status) in [
            (json!({"type": "hello", "num_connections": 1}), 204),
            (
                json!({"type": "disconnect", "reason": "refresh_requested"}),
                205,
            ),
            (json!([]), 204),
        ] {
            assert_eq!(answer(&frame), (status, Value::Null), "{frame}");
        }
        let broken = WebhookRequest {
            body: b"{".to_vec(),
            ..request("FRAME", &json!(null))
        };
        assert_eq!(handle(&broken).unwrap().status, 400);
    }
}
