//! WebSockets that the host keeps open: `[[socket]]` of the manifest.
//!
//! The host calls [`Plugin::on_webhook`](crate::Plugin::on_webhook) with the socket's name as the
//! route: once to ask where it leads, and then with each frame as the body. The body of the answer
//! to a frame is sent back, after what the call queued is durable. Without a body nothing is sent.

use crate::types::{WebhookRequest, WebhookResponse};

/// Whether the host asks where the socket leads. Answer with [`leads_to`].
#[must_use]
pub fn is_open(request: &WebhookRequest) -> bool {
    request.method == "OPEN"
}

/// The answer that says where the socket leads, with any ticket in the URL.
#[must_use]
pub fn leads_to(url: &str) -> WebhookResponse {
    WebhookResponse {
        body: url.as_bytes().to_vec(),
        ..WebhookResponse::new(200)
    }
}

/// The answer to a frame after which the host opens the socket anew. The old one is still read and
/// answered for some seconds.
#[must_use]
pub fn replace() -> WebhookResponse {
    WebhookResponse::new(205)
}
