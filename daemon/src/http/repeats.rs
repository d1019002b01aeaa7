//! Webhooks that were handled: a sender's retry gets the answer of the first try, and a request
//! that somebody recorded and sends again does nothing. What a plugin commands takes effect once
//! anyway; this keeps it from being asked at all, and from doing outside what it does not command.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tocsin_core::Timestamp;
use tocsin_core::time::HOUR_MS;
use tocsin_plugin_host::wit::{Header, WebhookResponse};
use tocsin_store::{Guard, RowChange, Stored, Table};

use super::blocking;
use super::problem::Problem;
use crate::app::App;
use crate::runtime::{EngineError, Write, decode_row};

/// How long an answer is remembered, in milliseconds: an hour. Longer than any signature is
/// fresh, and than Slack repeats.
const REMEMBERED_MS: u64 = HOUR_MS;
/// Longest answer that is remembered whole, headers and body in bytes; of a longer one, the
/// status is.
const ANSWER_BYTES_MAX: usize = 4 << 10;

/// An answer as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    status: u16,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
    /// In base 64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    body: String,
}

/// What the first try of this webhook was answered, if there was one and it succeeded.
pub(super) async fn answered(
    app: &Arc<App>,
    key: Option<&str>,
) -> Result<Option<WebhookResponse>, Problem> {
    let Some(key) = key else { return Ok(None) };
    let now = app.clock.now();
    match row(app, key).await? {
        Some(row) if is_fresh(&row, now) => {
            let kept: Kept = decode_row("the answer of a webhook", &row.value)?;
            Ok(Some(kept.into()))
        }
        _ => Ok(None),
    }
}

/// Adds the answer to what is made durable with the webhook, unless it failed: then the sender's
/// retry is another try.
pub(super) async fn remember(
    write: &mut Write,
    app: &Arc<App>,
    key: &str,
    answer: &WebhookResponse,
    now: Timestamp,
) -> Result<(), Problem> {
    if !(200..400).contains(&answer.status) {
        return Ok(());
    }
    let value = serde_json::to_value(Kept::from(answer))
        .map_err(|error| EngineError::Damaged(format!("the answer of a webhook: {error}")))?;
    // An old row is written over; of two new ones the second is refused.
    let old = row(app, key).await?.filter(|row| !is_fresh(row, now));
    write.guards.push(Guard {
        table: Table::Webhook,
        key: key.to_owned(),
        revision: old.map_or(0, |row| row.revision),
    });
    write.rows.push(RowChange {
        table: Table::Webhook,
        key: key.to_owned(),
        value: Some(value.into()),
        expires_at: Some(now.plus_ms(REMEMBERED_MS)),
    });
    Ok(())
}

async fn row(app: &Arc<App>, key: &str) -> Result<Option<Stored>, Problem> {
    let (app, key) = (Arc::clone(app), key.to_owned());
    blocking(move || Ok(app.store.row(Table::Webhook, &key)?)).await
}

/// Rows are forgotten by a sweep, which may come late.
fn is_fresh(row: &Stored, now: Timestamp) -> bool {
    row.expires_at.is_none_or(|at| now < at)
}

impl From<&WebhookResponse> for Kept {
    fn from(answer: &WebhookResponse) -> Self {
        let status = answer.status;
        let pair = |it: &Header| (it.name.clone(), it.value.clone());
        let headers: Vec<_> = answer.headers.iter().map(pair).collect();
        let of_headers = |(name, value): &(String, String)| name.len() + value.len();
        let bytes = headers.iter().map(of_headers).sum::<usize>() + answer.body.len();
        if bytes > ANSWER_BYTES_MAX {
            return Self {
                status,
                headers: Vec::new(),
                body: String::new(),
            };
        }
        Self {
            status,
            headers,
            body: STANDARD.encode(&answer.body),
        }
    }
}

impl From<Kept> for WebhookResponse {
    fn from(kept: Kept) -> Self {
        let header = |(name, value)| Header { name, value };
        Self {
            status: kept.status,
            headers: kept.headers.into_iter().map(header).collect(),
            body: STANDARD.decode(&kept.body).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: Vec<u8>) -> WebhookResponse {
        WebhookResponse {
            status: 201,
            headers: vec![Header {
                name: "content-type".to_owned(),
                value: "text/plain".to_owned(),
            }],
            body,
        }
    }

    #[test]
    fn an_answer_comes_back_as_it_was_and_of_a_long_one_the_status() {
        let small = answer(vec![0xff, 0, b'a']);
        assert_eq!(WebhookResponse::from(Kept::from(&small)), small);
        let long = WebhookResponse::from(Kept::from(&answer(vec![b'a'; ANSWER_BYTES_MAX])));
        assert_eq!((long.status, long.body.len()), (201, 0));
    }

    #[test]
    fn what_is_kept_fits_into_the_store() {
        let kept = Kept::from(&answer(vec![b'a'; ANSWER_BYTES_MAX - 30]));
        let text = serde_json::to_string(&kept).unwrap();
        assert!(text.len() < tocsin_store::VALUE_BYTES_MAX, "{}", text.len());
        assert!(!kept.body.is_empty());
    }
}
