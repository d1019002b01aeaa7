//! Helpers for webhook requests and responses.

use crate::http;
use crate::http::Header;
use crate::types::{WebhookRequest, WebhookResponse};
use serde_json::Value;

impl WebhookRequest {
    /// A header's value by case-insensitive name. Signature headers are not passed to plugins.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        http::header(&self.headers, name)
    }

    /// The first value of a field of a form-encoded body.
    #[must_use]
    pub fn form_field(&self, name: &str) -> Option<String> {
        field(&self.body, name)
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn query_field(&self, name: &str) -> Option<String> {
        field(self.query.as_bytes(), name)
    }
}

fn field(encoded: &[u8], name: &str) -> Option<String> {
    let mut fields = form_urlencoded::parse(encoded);
    let found = fields.find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

impl WebhookResponse {
    /// A response without a body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        WebhookResponse {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A response with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        let content_type = Header {
            name: "content-type".into(),
            value: "application/json".into(),
        };
        WebhookResponse {
            status,
            headers: vec![content_type],
            body: body.to_string().into_bytes(),
        }
    }
}
