//! Remembers the answers of handled webhooks, so that a sender's retry gets the first answer and
//! the plugin is not called again, and a replayed request is refused. A plugin's commands take
//! effect once anyway; its other side effects would not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tocsin_core::Timestamp;
use tocsin_plugin_host::CheckedWebhook;
use tocsin_plugin_host::wit::{Header, WebhookResponse};

use super::Inbound;
use crate::runtime::engine::request::{Request, Write};
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::webhook::{self, WebhookAnswer};

/// Longest answer that is stored in full, headers and body in bytes; of a longer one, only the
/// status is stored.
const ANSWER_BYTES_MAX: usize = 4 << 10;

/// What identifies a webhook whose sender was verified, and this try to send it.
#[derive(Clone, Debug)]
pub(super) struct Try {
    key: String,
    signed_s: Option<u64>,
}

/// Whether a webhook was handled before.
pub(super) enum Repeat {
    No,
    /// It was; its answer.
    Retry(WebhookResponse),
    /// It was, and it is not signed anew, as a sender's retry is.
    Replay,
}

impl Try {
    /// None when the sender was not verified.
    pub(super) fn of(webhook: &CheckedWebhook) -> Option<Self> {
        let key = webhook.repeat_key()?.to_owned();
        let signed_s = webhook.signed_s();
        Some(Self { key, signed_s })
    }
}

impl Inbound {
    /// Whether an earlier try of this webhook succeeded.
    pub(super) async fn repeat_of(&self, attempt: &Try) -> Result<Repeat, EngineError> {
        let now = self.base.clock.now();
        let key = attempt.key.clone();
        let found = self.read(move |store| webhook::answer(store, &key, now));
        let Some(row) = found.await? else {
            return Ok(Repeat::No);
        };
        let answer = response(row.value.clone());
        let Some(signed_s) = attempt.signed_s else {
            return Ok(Repeat::Retry(answer));
        };
        if row.value.signed_s.is_some_and(|last_s| signed_s <= last_s) {
            return Ok(Repeat::Replay);
        }
        // So that nobody can replay the retry either.
        let write = Write {
            rows: webhook::answered_again(&attempt.key, row, signed_s, now)?,
            ..Write::default()
        };
        self.base
            .writer
            .offer(Request::Write(Box::new(write)))
            .await?;
        Ok(Repeat::Retry(answer))
    }

    /// Adds the answer to the webhook's commit, unless the webhook failed: then a retry is handled
    /// again.
    pub(super) async fn remember(
        &self,
        write: &mut Write,
        attempt: &Try,
        answer: &WebhookResponse,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        if !(200..400).contains(&answer.status) {
            return Ok(());
        }
        let key = attempt.key.clone();
        let kept = WebhookAnswer {
            signed_s: attempt.signed_s,
            ..kept(answer)
        };
        let rows = self.read(move |store| webhook::remember(store, &key, &kept, now));
        write.rows = std::mem::take(&mut write.rows).and(rows.await?);
        Ok(())
    }
}

fn kept(answer: &WebhookResponse) -> WebhookAnswer {
    let status = answer.status;
    let pair = |it: &Header| (it.name.clone(), it.value.clone());
    let headers: Vec<_> = answer.headers.iter().map(pair).collect();
    let of_headers = |(name, value): &(String, String)| name.len() + value.len();
    let bytes = headers.iter().map(of_headers).sum::<usize>() + answer.body.len();
    if bytes > ANSWER_BYTES_MAX {
        return WebhookAnswer {
            status,
            headers: Vec::new(),
            body: String::new(),
            signed_s: None,
        };
    }
    WebhookAnswer {
        status,
        headers,
        body: STANDARD.encode(&answer.body),
        signed_s: None,
    }
}

fn response(kept: WebhookAnswer) -> WebhookResponse {
    let header = |(name, value)| Header { name, value };
    WebhookResponse {
        status: kept.status,
        headers: kept.headers.into_iter().map(header).collect(),
        body: STANDARD.decode(&kept.body).unwrap_or_default(),
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
    fn an_answer_is_restored_and_of_a_long_one_only_the_status() {
        let small = answer(vec![0xff, 0, b'a']);
        assert_eq!(response(kept(&small)), small);
        let long = response(kept(&answer(vec![b'a'; ANSWER_BYTES_MAX])));
        assert_eq!((long.status, long.body.len()), (201, 0));
    }

    #[test]
    fn a_stored_answer_fits_into_the_store() {
        let kept = kept(&answer(vec![b'a'; ANSWER_BYTES_MAX - 30]));
        let text = serde_json::to_string(&kept).unwrap();
        assert!(text.len() < tocsin_store::VALUE_BYTES_MAX, "{}", text.len());
        assert!(!kept.body.is_empty());
    }
}
