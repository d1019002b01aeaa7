//! Converts errors of the host's functions into [`Failure`], so that a plugin can use `?`. Its
//! three kinds are the host's three reactions.

use crate::commands::CommandError;
use crate::http::{HttpError, Response};
use crate::kv::KvError;
use crate::mail::MailError;
use crate::text;
use crate::types::{Failure, RetryHint};

/// Of a response's body that a failure repeats, in characters.
const BODY_CHARS_MAX: usize = 200;

impl Response {
    /// The failure that a status means which is not 2xx, with what the service said: a refused
    /// credential is the operator's to correct, too many requests and faults of the server are
    /// retried, and everything else is refused for good.
    #[must_use]
    pub fn failure(&self, service: &str) -> Failure {
        let body = text::one_line(&String::from_utf8_lossy(&self.body));
        let said = text::cut(&body, BODY_CHARS_MAX);
        let why = format!("{service} responded with status {}: {said}", self.status);
        match (self.status, self.retry_after_ms()) {
            (401 | 403, _) => Failure::Misconfigured(why),
            (429 | 503, Some(after_ms)) => Failure::retry_after(why, after_ms),
            (408 | 425 | 429 | 500.., _) => Failure::retry(why),
            _ => Failure::Permanent(why),
        }
    }
}

impl Failure {
    /// Retry with the host's backoff.
    #[must_use]
    pub fn retry(reason: impl Into<String>) -> Self {
        Failure::Retry(RetryHint {
            reason: reason.into(),
            after_ms: None,
        })
    }

    /// Retry after `after_ms` milliseconds.
    #[must_use]
    pub fn retry_after(reason: impl Into<String>, after_ms: u64) -> Self {
        Failure::Retry(RetryHint {
            reason: reason.into(),
            after_ms: Some(after_ms),
        })
    }
}

impl From<HttpError> for Failure {
    /// An unknown outcome is permanent here, because sending again might repeat the effect: handle
    /// [`HttpError::OutcomeUnknown`] before `?` if the external service can be queried.
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Denied(why) => Failure::Misconfigured(why),
            HttpError::Invalid(why) => Failure::Permanent(format!("invalid request: {why}")),
            HttpError::Timeout => Failure::retry("the external service did not respond in time"),
            HttpError::Connect(why) => Failure::retry(format!("cannot connect: {why}")),
            HttpError::Tls(why) => Failure::retry(format!("TLS failed: {why}")),
            HttpError::TooLarge(bytes) => Failure::Permanent(format!(
                "the request or response exceeds the limit of {bytes} bytes"
            )),
            HttpError::Throttled(ms) => Failure::retry_after("throttled by the host", ms),
            HttpError::OutcomeUnknown(why) => Failure::Permanent(format!(
                "an earlier attempt was sent and its answer was lost; check the service: {why}"
            )),
            HttpError::Other(why) => Failure::retry(why),
        }
    }
}

impl From<MailError> for Failure {
    fn from(error: MailError) -> Self {
        match error {
            MailError::Denied(why) => Failure::Misconfigured(why),
            MailError::Invalid(why) => Failure::Permanent(format!("invalid e-mail: {why}")),
            MailError::Rejected(why) => Failure::Permanent(format!("the relay rejected it: {why}")),
            MailError::Temporary(why) | MailError::Other(why) => Failure::retry(why),
            MailError::OutcomeUnknown(why) => Failure::Permanent(format!(
                "an earlier attempt was sent and its answer was lost: {why}"
            )),
        }
    }
}

impl From<KvError> for Failure {
    fn from(error: KvError) -> Self {
        match error {
            KvError::TooLarge(why) => {
                Failure::Permanent(format!("too large for the plugin's store: {why}"))
            }
            // Keys with a time to live free space when they expire.
            KvError::Quota(why) => Failure::retry(format!("the plugin's store is full: {why}")),
            KvError::Conflict => Failure::retry("another call changed the same entry"),
            KvError::Unavailable(why) | KvError::Other(why) => Failure::retry(why),
        }
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Denied(why) => Failure::Misconfigured(why),
            CommandError::NotFound => Failure::Permanent("there is no such incident".into()),
            CommandError::Conflict(_) => Failure::retry("the incident has changed in the meantime"),
            CommandError::Invalid(why) => Failure::Permanent(format!("rejected: {why}")),
            CommandError::Unavailable(why) | CommandError::Other(why) => Failure::retry(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Header;

    #[test]
    fn a_status_says_who_must_act() {
        let cases = [
            (401, "misconfigured"),
            (403, "misconfigured"),
            (400, "permanent"),
            (404, "permanent"),
            (413, "permanent"),
            (429, "retry after 30000"),
            (500, "retry"),
            (503, "retry after 30000"),
        ];
        for (status, want) in cases {
            let retry_after = Header {
                name: "retry-after".into(),
                value: "30".into(),
            };
            let response = Response {
                status,
                headers: vec![retry_after],
                body: b"no\n room".to_vec(),
                replayed: false,
            };
            let (got, why) = match response.failure("ntfy") {
                Failure::Misconfigured(why) => ("misconfigured".into(), why),
                Failure::Permanent(why) => ("permanent".into(), why),
                Failure::Retry(hint) => match hint.after_ms {
                    Some(ms) => (format!("retry after {ms}"), hint.reason),
                    None => ("retry".into(), hint.reason),
                },
            };
            assert_eq!(got, want, "{status}");
            assert_eq!(why, format!("ntfy responded with status {status}: no room"));
        }
    }

    #[test]
    fn a_request_with_unknown_outcome_is_not_retried_by_default() {
        let failure = Failure::from(HttpError::OutcomeUnknown("chat.postMessage".into()));
        assert!(matches!(failure, Failure::Permanent(_)), "{failure:?}");
    }

    #[test]
    fn a_denial_pauses_the_plugin_and_a_timeout_does_not() {
        let denied = Failure::from(HttpError::Denied("grant http".into()));
        assert!(matches!(denied, Failure::Misconfigured(_)), "{denied:?}");
        let timeout = Failure::from(HttpError::Timeout);
        assert!(matches!(timeout, Failure::Retry(_)), "{timeout:?}");
    }

    #[test]
    fn a_full_store_is_retried_and_a_value_that_is_too_large_is_not() {
        let full = Failure::from(KvError::Quota("10,000 keys".into()));
        assert!(matches!(full, Failure::Retry(_)), "{full:?}");
        let large = Failure::from(KvError::TooLarge("64 KiB".into()));
        assert!(matches!(large, Failure::Permanent(_)), "{large:?}");
    }

    #[test]
    fn throttling_by_the_host_says_when_to_retry() {
        let Failure::Retry(hint) = Failure::from(HttpError::Throttled(1500)) else {
            panic!("throttling must be retried");
        };
        assert_eq!(hint.after_ms, Some(1500));
    }
}
