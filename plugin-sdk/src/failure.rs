//! How errors of the host's functions become the answer of a call. The three kinds of [`Failure`]
//! are the host's three reactions, so the choice is made here once, and a plugin can use `?`.

use crate::commands::CommandError;
use crate::http::HttpError;
use crate::kv::KvError;
use crate::mail::MailError;
use crate::types::{Failure, RetryHint};

impl Failure {
    /// Back off by the host's own rule and deliver again.
    #[must_use]
    pub fn retry(reason: impl Into<String>) -> Self {
        Failure::Retry(RetryHint {
            reason: reason.into(),
            after_ms: None,
        })
    }

    /// Deliver again after `after_ms` milliseconds.
    #[must_use]
    pub fn retry_after(reason: impl Into<String>, after_ms: u64) -> Self {
        Failure::Retry(RetryHint {
            reason: reason.into(),
            after_ms: Some(after_ms),
        })
    }
}

impl From<HttpError> for Failure {
    /// A lost answer is permanent here, because sending again might do it twice: handle
    /// [`HttpError::OutcomeUnknown`] before `?` wherever the far side can be asked.
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Denied(why) => Failure::Misconfigured(why),
            HttpError::Invalid(why) => Failure::Permanent(format!("invalid request: {why}")),
            HttpError::Timeout => Failure::retry("the far side did not answer in time"),
            HttpError::Connect(why) => Failure::retry(format!("cannot connect: {why}")),
            HttpError::Tls(why) => Failure::retry(format!("TLS failed: {why}")),
            HttpError::TooLarge(bytes) => {
                Failure::Permanent(format!("the answer of {bytes} bytes is over the limit"))
            }
            HttpError::Throttled(ms) => Failure::retry_after("throttled by the host", ms),
            HttpError::OutcomeUnknown(why) => Failure::Permanent(format!(
                "an earlier try was sent and its answer was lost; check the far side: {why}"
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
            MailError::Rejected(why) => Failure::Permanent(format!("the relay refused: {why}")),
            MailError::Temporary(why) | MailError::Other(why) => Failure::retry(why),
            MailError::OutcomeUnknown(why) => Failure::Permanent(format!(
                "an earlier try was sent and its answer was lost: {why}"
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
            // Keys with a time to live make room by themselves.
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
            CommandError::Conflict(_) => Failure::retry("the incident changed meanwhile"),
            CommandError::Invalid(why) => Failure::Permanent(format!("refused: {why}")),
            CommandError::Unavailable(why) | CommandError::Other(why) => Failure::retry(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_answer_is_never_sent_again_by_default() {
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
    fn a_store_that_is_full_may_have_room_later_and_a_value_that_is_too_large_never_has() {
        let full = Failure::from(KvError::Quota("10,000 keys".into()));
        assert!(matches!(full, Failure::Retry(_)), "{full:?}");
        let large = Failure::from(KvError::TooLarge("64 KiB".into()));
        assert!(matches!(large, Failure::Permanent(_)), "{large:?}");
    }

    #[test]
    fn the_hosts_own_throttling_says_when_to_come_back() {
        let Failure::Retry(hint) = Failure::from(HttpError::Throttled(1500)) else {
            panic!("throttling must be retried");
        };
        assert_eq!(hint.after_ms, Some(1500));
    }
}
