//! When a delivery that failed is tried again: full jitter, so that a thousand deliveries that
//! failed together do not come back together. Pure: the jitter comes in as a value.

use tocsin_core::Timestamp;
use tocsin_core::time::{MINUTE_MS, SECOND_MS};

/// How a class of deliveries is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The first wait, in milliseconds.
    pub first_ms: u64,
    /// The longest wait, in milliseconds.
    pub longest_ms: u64,
    /// Attempts before it is given up; `None`: never.
    pub attempts_max: Option<u32>,
}

impl RetryPolicy {
    /// Pages: soon, often, and for as long as they are wanted.
    pub const PAGE: Self = Self {
        first_ms: 2 * SECOND_MS,
        longest_ms: 30 * SECOND_MS,
        attempts_max: None,
    };
    /// Everything else.
    pub const CHORE: Self = Self {
        first_ms: SECOND_MS,
        longest_ms: 10 * MINUTE_MS,
        attempts_max: Some(12),
    };
}

/// When to try again after `attempts` attempts, or `None` when enough were made. `jitter` is
/// between 0 and 1; `hint_ms` is what the far side asked for, and is kept to at least.
#[must_use]
pub fn retry_at(
    policy: RetryPolicy,
    attempts: u32,
    now: Timestamp,
    hint_ms: Option<u64>,
    jitter: f64,
) -> Option<Timestamp> {
    if policy.attempts_max.is_some_and(|max| attempts >= max) {
        return None;
    }
    let doublings = attempts.saturating_sub(1).min(20);
    let ceiling = policy
        .first_ms
        .saturating_mul(1 << doublings)
        .min(policy.longest_ms);
    // Half of the wait is certain, half is jitter: never at once, never all together.
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
    fn waits_double_up_to_the_longest_and_stay_within_their_half() {
        for (attempts, ceiling_ms) in [(1, 1_000), (2, 2_000), (5, 16_000), (12, 600_000)] {
            for jitter in [0.0, 0.3, 1.0] {
                let policy = RetryPolicy {
                    attempts_max: None,
                    ..RetryPolicy::CHORE
                };
                let at = retry_at(policy, attempts, Timestamp(0), None, jitter).unwrap();
                let wait = at.since(Timestamp(0));
                assert!(
                    wait >= ceiling_ms / 2 && wait <= ceiling_ms,
                    "{attempts}: {wait}"
                );
            }
        }
    }

    #[test]
    fn the_far_sides_hint_is_kept_to_at_least() {
        let at = retry_at(RetryPolicy::CHORE, 1, Timestamp(0), Some(30_000), 0.0);
        assert_eq!(at, Some(Timestamp(30_000)));
    }

    #[test]
    fn a_chore_is_given_up_and_a_page_never() {
        assert_eq!(
            retry_at(RetryPolicy::CHORE, 12, Timestamp(0), None, 0.0),
            None
        );
        assert!(retry_at(RetryPolicy::PAGE, 1_000, Timestamp(0), None, 0.0).is_some());
    }
}
