//! Limits how many requests a plugin may send per minute.

use parking_lot::Mutex;

const MINUTE_MS: u64 = 60_000;

/// A token bucket; the clock is passed in.
#[derive(Debug)]
pub(crate) struct RateBucket {
    per_min: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Credit in units of 1/60,000 of a request, so that the arithmetic is exact.
    credit: u64,
    at_ms: u64,
}

impl RateBucket {
    /// A full bucket.
    pub(crate) fn new(per_min: u32) -> Self {
        let per_min = u64::from(per_min);
        Self {
            per_min,
            state: Mutex::new(State {
                credit: per_min * MINUTE_MS,
                at_ms: 0,
            }),
        }
    }

    /// Takes one token, or returns in how many milliseconds there will be one.
    pub(crate) fn take(&self, now_ms: u64) -> Result<(), u64> {
        if self.per_min == 0 {
            return Err(MINUTE_MS);
        }
        let mut state = self.state.lock();
        let passed = now_ms.saturating_sub(state.at_ms).min(MINUTE_MS);
        state.credit = (state.credit + passed * self.per_min).min(self.per_min * MINUTE_MS);
        state.at_ms = now_ms;
        match state.credit.checked_sub(MINUTE_MS) {
            Some(rest) => {
                state.credit = rest;
                Ok(())
            }
            None => Err((MINUTE_MS - state.credit).div_ceil(self.per_min)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_allows_the_configured_number_and_the_wait_is_returned() {
        let bucket = RateBucket::new(60);
        for n in 0..60 {
            assert_eq!(bucket.take(1_000_000), Ok(()), "{n}");
        }
        assert_eq!(bucket.take(1_000_000), Err(1_000));
        assert_eq!(bucket.take(1_000_999), Err(1));
        assert_eq!(bucket.take(1_001_000), Ok(()));
    }

    #[test]
    fn an_idle_hour_accumulates_no_more_than_a_minute() {
        let bucket = RateBucket::new(2);
        assert_eq!(bucket.take(0), Ok(()));
        assert_eq!(bucket.take(3_600_000), Ok(()));
        assert_eq!(bucket.take(3_600_000), Ok(()));
        assert!(bucket.take(3_600_000).is_err());
    }
}
