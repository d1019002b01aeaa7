//! Checks a webhook before a guest sees it: route, method, size and signature.

use super::generation::Generation;
use super::result::Failure;
use super::verify::{self, Received};
use crate::keys;
use crate::rights::manifest::WebhookAsk;
use crate::rights::{Rights, SecretSet};
use crate::wit::{Header, WebhookRequest};
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use std::time::Duration;

/// A request to one of a plugin's routes, as received.
#[derive(Debug, Clone, Default)]
pub struct WebhookCall {
    /// The last part of `/hooks/PLUGIN/ROUTE`.
    pub route: String,
    /// In capitals.
    pub method: String,
    /// As the sender knows it, with scheme and host: signatures may be over it.
    pub url: String,
    pub path: String,
    /// Without the question mark.
    pub query: String,
    /// Names in any case; values as received.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Raw: signatures are over these bytes.
    pub body: Vec<u8>,
}

/// A webhook whose route, method, size and signature were checked.
pub struct CheckedWebhook {
    pub(super) generation: Arc<Generation>,
    pub(super) request: WebhookRequest,
    pub(super) budget: Duration,
    pub(super) repeat_key: Option<String>,
    pub(super) signed_s: Option<u64>,
}

impl CheckedWebhook {
    /// Identical for a request that is repeated or replayed. None when equal requests need not be
    /// the same one: the sender was not verified, or neither signs nor sends what identifies it.
    #[must_use]
    pub fn repeat_key(&self) -> Option<&str> {
        self.repeat_key.as_deref().filter(|_| self.request.verified)
    }

    /// When its sender signed it, in seconds since 1970: a retry is signed anew, a replay is not.
    /// None where the scheme signs no time.
    #[must_use]
    pub fn signed_s(&self) -> Option<u64> {
        self.signed_s
    }
}

/// Headers that are never passed to the guest.
const HIDDEN_HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Performs all checks of a webhook that do not need the guest.
pub(super) fn admit(
    generation: Arc<Generation>,
    request: WebhookCall,
) -> Result<CheckedWebhook, Failure> {
    let rights = &generation.shared.rights;
    let no = |status, reason: String| Failure::Refused { status, reason };
    let ask = rights
        .webhook(&request.route)
        .map_err(|denied| no(404, denied.to_string()))?;
    if !ask.methods.contains(&request.method) {
        let allowed = ask.methods.join(", ");
        return Err(no(
            405,
            format!("`{}` accepts {allowed} only", request.path),
        ));
    }
    if request.body.len() > ask.body_bytes_max {
        let max = ask.body_bytes_max;
        return Err(no(413, format!("the body is longer than {max} bytes")));
    }
    let verified = verify_sender(&generation, ask, &request)?;
    let signed_s = verify::signed_s(&ask.verify.scheme, &request.headers);
    let signatures = verify::signature_headers(&ask.verify.scheme);
    let hidden = |name: &str| HIDDEN_HEADERS.contains(&name) || signatures.contains(&name);
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, _)| !hidden(name))
        .map(|(name, value)| Header {
            name,
            value: String::from_utf8_lossy(value).into_owned(),
        })
        .collect();
    let budget = Duration::from_millis(ask.budget_ms.min(rights.limits().wall_ms));
    let identity = identity(ask, &request);
    let is_known = identity.is_some();
    let identity = match identity {
        Some(identity) => identity,
        None => one_of_its_own()
            .map_err(|reason| no(503, reason))?
            .into_bytes(),
    };
    let key = webhook_key(rights, &request, &identity);
    let repeat_key = is_known.then(|| key.clone());
    let admitted = WebhookRequest {
        idempotency_key: key,
        route: request.route,
        method: request.method,
        path: request.path,
        query: request.query,
        headers,
        body: request.body,
        verified,
        received_at: generation.shared.services.now_ms(),
    };
    Ok(CheckedWebhook {
        generation,
        request: admitted,
        budget,
        repeat_key,
        signed_s,
    })
}

fn verify_sender(
    generation: &Generation,
    ask: &WebhookAsk,
    request: &WebhookCall,
) -> Result<bool, Failure> {
    let secrets = SecretSet::read(&generation.shared.secrets);
    let secret = match ask.verify.secret.as_str() {
        "" => "",
        name => {
            let found = secrets.get(name);
            // The response is public: only the log may say where the secret is stored.
            found.map_err(|error| {
                let (plugin, route) = (generation.shared.rights.plugin(), &request.route);
                tracing::error!(plugin, route, %error, "a webhook's secret cannot be read");
                Failure::Refused {
                    status: 503,
                    reason: "the sender cannot be verified at the moment".to_owned(),
                }
            })?
        }
        .expose_secret(),
    };
    let received = Received {
        url: &request.url,
        headers: &request.headers,
        body: &request.body,
        now_ms: generation.shared.services.now_ms(),
    };
    verify::verify(&ask.verify, secret, received).map_err(|error| Failure::Refused {
        status: 401,
        reason: error.to_string(),
    })
}

/// What tells a request from others with the same body. Where the scheme signs a time or an id, no
/// unsigned id counts: an attacker who replays a request could change it, and its commands would
/// take effect again. Elsewhere the sender's id is all that there is. Without one, two equal
/// requests may both be genuine, and to lose one is worse than to handle a retry twice.
fn identity(ask: &WebhookAsk, request: &WebhookCall) -> Option<Vec<u8>> {
    let of_header = |id: &String| {
        let mut headers = request.headers.iter();
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case(id));
        found.map(|(_, value)| value.clone())
    };
    let sent = ask.verify.id_headers.iter().find_map(of_header);
    match ask.verify.scheme.signs_identity() {
        true => Some(sent.unwrap_or_default()),
        false => sent,
    }
}

/// An identity that no other request has.
pub(super) fn one_of_its_own() -> Result<String, String> {
    let mut bytes = [0; 16];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|error| format!("no random bytes: {error}"))?;
    Ok(hex::encode(bytes))
}

/// Identical for a request that its sender repeats.
fn webhook_key(rights: &Rights, request: &WebhookCall, identity: &[u8]) -> String {
    let body = blake3::hash(&request.body).to_hex();
    let id = String::from_utf8_lossy(identity);
    keys::digest(
        "hook1",
        &[rights.plugin(), &request.route, &request.query, &id, &body],
    )
}
