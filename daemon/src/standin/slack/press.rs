//! The signed request that Slack sends to the app when a person presses a button.
//!
//! Payload: <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>.
//! Signature: <https://docs.slack.dev/authentication/verifying-requests-from-slack>.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::message::{Button, Message};
use super::workspace::{Channel, Member, TEAM, Workspace};

/// Requests so far: each has its own trigger id, so that two are never taken for one request that
/// was repeated.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// Who presses which button.
#[derive(Clone, Debug)]
pub struct Press {
    /// The member's id.
    pub member: String,
    /// The message's id; absent for the newest message with that button.
    pub ts: Option<String>,
    /// The button's action id or label.
    pub button: String,
}

impl Press {
    /// The newest such button that this member can see.
    #[must_use]
    pub fn newest(member: &str, button: &str) -> Self {
        Self {
            member: member.to_owned(),
            ts: None,
            button: button.to_owned(),
        }
    }
}

/// The app's response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// The HTTP status.
    pub status: u16,
    pub body: String,
}

/// Why a press failed.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// There is no such member.
    #[error("no member {0} in the stand-in's workspace")]
    NoMember(String),
    /// The member cannot see such a button.
    #[error("member {member} cannot see a button {button}")]
    NoButton {
        member: String,
        /// The action id or label.
        button: String,
    },
    #[error("the app did not respond to the button press")]
    NoAnswer(#[from] reqwest::Error),
}

/// A request to the app, with Slack's headers.
#[derive(Clone, Debug)]
pub struct SignedRequest {
    /// `X-Slack-Request-Timestamp`, in seconds since 1970.
    pub timestamp: String,
    /// `X-Slack-Signature`, `v0=` and hexadecimal digits.
    pub signature: String,
    /// The body, a form.
    pub body: String,
}

impl SignedRequest {
    /// Signs a body with the current time.
    #[must_use]
    pub fn now(secret: &str, body: String) -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self::at(secret, body, now.as_secs())
    }

    /// Signs a body with a time in seconds since 1970.
    #[must_use]
    pub fn at(secret: &str, body: String, seconds: u64) -> Self {
        let timestamp = seconds.to_string();
        let signature = sign(secret, &timestamp, &body);
        Self {
            timestamp,
            signature,
            body,
        }
    }

    /// What an envelope of Socket Mode has in place of the form.
    #[must_use]
    pub fn payload(&self) -> Value {
        let form = serde_urlencoded::from_str(&self.body);
        let mut fields: serde_json::Map<String, Value> = form.unwrap_or_default();
        match fields.remove("payload") {
            Some(Value::String(payload)) => serde_json::from_str(&payload).unwrap_or_default(),
            _ => Value::Object(fields),
        }
    }

    /// Posts it.
    ///
    /// # Errors
    /// When there is no response.
    pub async fn send(&self, url: &str) -> Result<Pressed, PressError> {
        // The client needs a TLS provider even for plain HTTP; an already installed one will do.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let request = reqwest::Client::new().post(url);
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
            .header("x-slack-request-timestamp", &self.timestamp)
            .header("x-slack-signature", &self.signature)
            .body(self.body.clone());
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok(Pressed {
            status,
            body: response.text().await?,
        })
    }
}

fn sign(secret: &str, timestamp: &str, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        // HMAC takes keys of any length, so there is always a signature.
        return String::new();
    };
    mac.update(format!("v0:{timestamp}:{body}").as_bytes());
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

/// A trigger id that no other request of this process has.
pub(super) fn trigger() -> String {
    format!("{}.standin", REQUESTS.fetch_add(1, Relaxed))
}

/// The form that a press sends.
pub(super) fn body(workspace: &Workspace, press: &Press, base: &str) -> Result<String, PressError> {
    let member = workspace
        .member(&press.member)
        .ok_or_else(|| PressError::NoMember(press.member.clone()))?;
    let visible = workspace
        .channels
        .iter()
        .filter(|it| it.members.contains(&press.member));
    let mut found: Option<(&Channel, &Message, Button)> = None;
    for channel in visible {
        for message in &channel.messages {
            let newer = found.as_ref().is_none_or(|it| it.1.ts < message.ts);
            let wanted = press.ts.as_ref().is_none_or(|ts| *ts == message.ts);
            let is = |it: &Button| it.action_id == press.button || it.label == press.button;
            let button = message.buttons().into_iter().find(is);
            if let (true, true, Some(button)) = (newer, wanted, button) {
                found = Some((channel, message, button));
            }
        }
    }
    let Some((channel, message, button)) = found else {
        let (member, button) = (press.member.clone(), press.button.clone());
        return Err(PressError::NoButton { member, button });
    };
    let payload = payload(member, channel, message, &button, base);
    // proof: a pair of strings is always a form
    Ok(serde_urlencoded::to_string([("payload", payload.to_string())]).unwrap_or_default())
}

fn payload(
    member: &Member,
    channel: &Channel,
    message: &Message,
    button: &Button,
    base: &str,
) -> Value {
    let name = if channel.name.is_empty() {
        "directmessage"
    } else {
        &channel.name
    };
    json!({
        "type": "block_actions",
        "user": { "id": member.id, "username": member.name, "name": member.name, "team_id": TEAM },
        "api_app_id": "A0TOCSIN",
        "token": "deprecated",
        "container": {
            "type": "message", "message_ts": message.ts, "channel_id": channel.id,
            "is_ephemeral": false,
        },
        "trigger_id": trigger(),
        "team": { "id": TEAM, "domain": "standin" },
        "enterprise": null,
        "is_enterprise_install": false,
        "channel": { "id": channel.id, "name": name },
        "message": {
            "type": "message", "user": super::workspace::BOT, "bot_id": "B0TOCSIN",
            "ts": message.ts, "text": message.text, "blocks": message.blocks,
        },
        "state": { "values": {} },
        "response_url": format!("{base}/response/{}", message.ts),
        "actions": [{
            "type": "button", "action_id": button.action_id, "block_id": button.block_id,
            "text": { "type": "plain_text", "text": button.label, "emoji": true },
            "value": button.value, "action_ts": message.ts,
        }],
    })
}
