//! Sockets that the host keeps open for a plugin: the plugin says where one leads, and each frame
//! is a call of its webhook handler, whose answer goes back through the socket.

use super::generation::Generation;
use super::plugin::LoadedPlugin;
use super::result::Failure;
use super::webhook::{CheckedWebhook, one_of_its_own};
use crate::keys;
use crate::net::{Socket, covers, shown};
use crate::rights::SecretSet;
use crate::rights::manifest::SocketAsk;
use crate::wit::WebhookRequest;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The method of the call that asks where a socket leads.
const OPEN: &str = "OPEN";
/// The method of a call with a frame.
const FRAME: &str = "FRAME";

/// A socket was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SocketError(String);

impl LoadedPlugin {
    /// The sockets that are requested and granted, and whose secret is set.
    pub fn sockets(&self) -> Vec<String> {
        let generation = self.generation();
        let (rights, secrets) = (&generation.shared.rights, &generation.shared.secrets);
        let is_wanted = |ask: &&SocketAsk| {
            let secret = ask.secret.as_ref();
            rights.socket(&ask.name).is_ok() && secret.is_none_or(|it| secrets.contains_key(it))
        };
        let asks = rights.manifest().sockets.iter().filter(is_wanted);
        asks.map(|ask| ask.name.clone()).collect()
    }

    /// Asks the plugin where a socket leads, and opens it.
    ///
    /// # Errors
    /// Why it is not open.
    pub async fn open_socket(&self, name: &str) -> Result<Socket, SocketError> {
        let wrong = |why: String| SocketError(why);
        let generation = self.generation();
        let shared = Arc::clone(&generation.shared);
        let ask = shared.rights.socket(name);
        let ask = ask.map_err(|denied| wrong(denied.to_string()))?;
        let budget = shared.rights.limits().wall_ms;
        let call = call(&generation, (name, OPEN), Vec::new(), None);
        let call = CheckedWebhook {
            budget: Duration::from_millis(budget),
            ..call.map_err(wrong)?
        };
        let answer = self.handle_webhook(call).await.outcome;
        let answer = answer.map_err(|failure| wrong(failure.to_string()))?;
        let text = String::from_utf8(answer.body).unwrap_or_default();
        if answer.status != 200 {
            let status = answer.status;
            return Err(wrong(format!("the plugin says {status} {text}")));
        }
        let url = Url::parse(text.trim());
        // What the plugin says may contain a ticket.
        let url = url.map_err(|error| wrong(format!("the plugin named no URL: {error}")))?;
        let place = shown(&url);
        if !covers(&ask.origins, &url, &shared.settings) {
            let why = format!("the manifest does not ask for a socket to {place}");
            return Err(wrong(why));
        }
        let opened = shared.net.open(&url, ask.frame_bytes_max).await;
        opened.map_err(|error| {
            let error = error.redacted(&SecretSet::read(&shared.secrets));
            wrong(format!("{place}: {error}"))
        })
    }

    /// A frame of a socket as a call of the webhook handler.
    ///
    /// # Errors
    /// [`Failure::Refused`] when the socket is not granted any more.
    pub fn check_frame(&self, name: &str, frame: String) -> Result<CheckedWebhook, Failure> {
        let generation = self.generation();
        let refused = |status, reason| Failure::Refused { status, reason };
        let ask = generation.shared.rights.socket(name);
        let ask = ask.map_err(|denied| refused(403, denied.to_string()))?;
        let id = id_of(&ask.ids, &frame);
        let call = call(&generation, (name, FRAME), frame.into_bytes(), id);
        let budget = Duration::from_millis(ask.budget_ms);
        let call = call.map_err(|why| refused(503, why))?;
        Ok(CheckedWebhook { budget, ..call })
    }
}

fn call(
    generation: &Arc<Generation>,
    (name, method): (&str, &str),
    body: Vec<u8>,
    id: Option<String>,
) -> Result<CheckedWebhook, String> {
    let shared = &generation.shared;
    let plugin = shared.rights.plugin();
    // What is sent again in another frame has the same commands, which take effect once, and an
    // answer of its own, as that may name the frame.
    let repeat_key = id.as_ref().map(|id| {
        let frame = blake3::hash(&body).to_hex();
        keys::digest("answer1", &[plugin, name, id, &frame])
    });
    let id = match id {
        Some(id) => id,
        None => one_of_its_own()?,
    };
    let key = keys::digest("frame1", &[plugin, name, &id]);
    let request = WebhookRequest {
        route: name.to_owned(),
        method: method.to_owned(),
        path: String::new(),
        query: String::new(),
        headers: Vec::new(),
        body,
        verified: true,
        idempotency_key: key,
        received_at: shared.services.now_ms(),
    };
    Ok(CheckedWebhook {
        generation: Arc::clone(generation),
        request,
        budget: Duration::ZERO,
        repeat_key,
        signed_s: None,
    })
}

/// The sender's id of a frame: the first that is there.
fn id_of(pointers: &[String], frame: &str) -> Option<String> {
    if pointers.is_empty() {
        return None;
    }
    let frame: Value = serde_json::from_str(frame).ok()?;
    let found = |pointer: &String| {
        let id = frame.pointer(pointer)?.as_str()?;
        Some(format!("{pointer}={id}"))
    };
    pointers.iter().find_map(found)
}
