//! When a failed delivery is retried, with jitter so that deliveries that failed together are not
//! retried together. Pure: the jitter is a parameter.

use tocsin_core::Timestamp;
use tocsin_core::limits::TEST_WAIT_MS;
use tocsin_core::time::{HOUR_MS, MINUTE_MS, SECOND_MS};

/// How a class of deliveries is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The first delay, in milliseconds.
    pub first_ms: u64,
    /// The longest delay, in milliseconds.
    pub longest_ms: u64,
    /// The age at which a delivery is given up, in milliseconds; `None`: never. An age and not a
    /// number of attempts, so that an outage of the receiver loses nothing that is still wanted.
    pub age_ms_max: Option<u64>,
}

/// Attempts that every delivery gets regardless of its age, as a delayed job may be old at its
/// first attempt.
const ATTEMPTS_MIN: u32 = 12;

impl RetryPolicy {
    /// Pages: retried soon, often, and for as long as they are wanted.
    pub const PAGE: Self = Self {
        first_ms: 2 * SECOND_MS,
        longest_ms: 30 * SECOND_MS,
        age_ms_max: None,
    };
    /// Tests of the way to a person, which are over soon.
    pub const TEST: Self = Self {
        age_ms_max: Some(TEST_WAIT_MS),
        ..Self::PAGE
    };
    /// Everything else.
    pub const CHORE: Self = Self {
        first_ms: SECOND_MS,
        longest_ms: 10 * MINUTE_MS,
        age_ms_max: Some(24 * HOUR_MS),
    };

    /// The most attempts, which plugins are told.
    #[must_use]
    pub fn attempts_max(self) -> u32 {
        let attempts = |age_ms: u64| age_ms / (self.longest_ms / 2).max(1);
        let most = self.age_ms_max.map(attempts);
        most.and_then(|it| u32::try_from(it).ok())
            .map_or(u32::MAX, |it| it.saturating_add(ATTEMPTS_MIN))
    }
}

/// When to retry a delivery that is `age_ms` old after `attempts` attempts, or `None` to give up.
/// `jitter` is between 0 and 1; `hint_ms` is the least delay that the receiver asked for.
#[must_use]
pub fn retry_at(
    policy: RetryPolicy,
    attempts: u32,
    age_ms: u64,
    now: Timestamp,
    hint_ms: Option<u64>,
    jitter: f64,
) -> Option<Timestamp> {
    if attempts >= ATTEMPTS_MIN && policy.age_ms_max.is_some_and(|max| age_ms >= max) {
        return None;
    }
    let doublings = attempts.saturating_sub(1).min(20);
    let ceiling = policy
        .first_ms
        .saturating_mul(1 << doublings)
        .min(policy.longest_ms);
    // Half of the delay is fixed and half is jitter, so retries are neither immediate nor
    // simultaneous.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation
    )]
    let jittered = (ceiling as f64 * (0.5 + jitter.clamp(0.0, 1.0) / 2.0)) as u64;
    let hint_ms = hint_ms.unwrap_or(0).min(policy.longest_ms.max(MINUTE_MS));
    Some(now.plus_ms(jittered.max(hint_ms).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_jitter_stays_within_half() {
        for (attempts, ceiling_ms) in [(1, 1_000), (2, 2_000), (5, 16_000), (12, 600_000)] {
            for jitter in [0.0, 0.3, 1.0] {
                let policy = RetryPolicy::CHORE;
                let at = retry_at(policy, attempts, 0, Timestamp(0), None, jitter).unwrap();
                let wait = at.since(Timestamp(0));
                assert!(
                    wait >= ceiling_ms / 2 && wait <= ceiling_ms,
                    "{attempts}: {wait}"
                );
            }
        }
    }

    #[test]
    fn the_receivers_hint_is_the_least_delay() {
        let at = retry_at(RetryPolicy::CHORE, 1, 0, Timestamp(0), Some(30_000), 0.0);
        assert_eq!(at, Some(Timestamp(30_000)));
    }

    #[test]
    fn a_chore_is_given_up_after_a_day_and_a_page_never() {
        let (day, page) = (24 * HOUR_MS, RetryPolicy::PAGE);
        for (policy, attempts, age_ms, goes_on) in [
            (RetryPolicy::CHORE, 150, day - 1, true),
            (RetryPolicy::CHORE, 150, day, false),
            // A job that was delayed by two days.
            (RetryPolicy::CHORE, 1, 2 * day, true),
            (page, 100_000, 30 * day, true),
        ] {
            let at = retry_at(policy, attempts, age_ms, Timestamp(0), None, 0.0);
            assert_eq!(at.is_some(), goes_on, "{policy:?}, {attempts}, {age_ms}");
        }
        assert_eq!(RetryPolicy::CHORE.attempts_max(), 300);
    }
}
