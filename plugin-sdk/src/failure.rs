//! Converts errors of the host's functions into [`Failure`], so that a plugin can use `?`. Its
//! three kinds are the host's three reactions.

use crate::commands::CommandError;
use crate::http::HttpError;
use crate::kv::KvError;
use crate::mail::MailError;
use crate::types::{Failure, RetryHint};

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
