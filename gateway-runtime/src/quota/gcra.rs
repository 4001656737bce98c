//! GCRA, the generic cell rate algorithm (ITU-T I.371), in whole microseconds: one number for each
//! bucket.
//!
//! The number is the time at which the bucket is full again. A bucket that is full, or was never
//! used, has no number.

use std::time::Duration;

/// A rate: a number of calls in each period, and no more than that at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The number of calls.
    pub calls: u64,
    /// The period.
    pub per: Duration,
}

/// The maximum time in which a bucket fills, in microseconds (31 years). Lua counts exactly up to
/// 2⁵³, so the time of day can be added.
const MAX_FILL_MICROS: u64 = 1_000_000_000_000_000;

/// The decision of a bucket about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GcraDecision {
    /// The call is admitted; the bucket's number after the token is taken.
    Allow { full_at: u64 },
    /// The call is refused; the time at which the next token is there.
    Deny { retry_at: u64 },
}

/// The tokens in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remaining {
    pub(super) tokens: u64,
    /// The time until there is one more, in microseconds.
    pub(super) reset_micros: u64,
}

impl Rate {
    /// Returns the time in which one token refills, in microseconds. It is rounded up: one call in
    /// a million too few is better than one too many.
    pub(super) fn interval(self) -> u64 {
        let per = u64::try_from(self.per.as_micros()).unwrap_or(u64::MAX);
        per.div_ceil(self.calls.max(1)).max(1)
    }

    /// Returns the time in which an empty bucket fills, in microseconds.
    pub(super) fn burst(self) -> u64 {
        self.interval().saturating_mul(self.calls.max(1)).min(MAX_FILL_MICROS)
    }

    /// Lowers `full` to the number of an empty bucket. A number that stems from another rate may be
    /// higher, but no bucket is more than empty.
    pub(super) fn clamp_to_empty(self, full: u64, now: u64) -> u64 {
        full.min(now.saturating_add(self.burst()))
    }

    /// Decides about a call at `now`, for a bucket that is full at `full`.
    pub(super) fn decide(self, full: u64, now: u64) -> GcraDecision {
        let after = full.max(now).saturating_add(self.interval());
        match after.checked_sub(self.burst()) {
            Some(retry_at) if retry_at > now => GcraDecision::Deny { retry_at },
            _ => GcraDecision::Allow { full_at: after },
        }
    }

    /// Returns the local share of one of `gateways`: at least one call in each period.
    pub(super) fn share(self, gateways: u64) -> Self {
        Self { calls: (self.calls / gateways.max(1)).max(1), ..self }
    }

    /// Returns the tokens in the bucket.
    pub(super) fn remaining(self, full: u64, now: u64) -> Remaining {
        let interval = self.interval();
        let missing = full.saturating_sub(now);
        let taken = missing.div_ceil(interval).min(self.calls);
        let reset_micros = if taken == 0 { 0 } else { missing - (taken - 1) * interval };
        Remaining { tokens: self.calls - taken, reset_micros }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(calls: u64, micros: u64) -> Rate {
        Rate { calls, per: Duration::from_micros(micros) }
    }

    #[test]
    fn a_burst_and_then_one_at_a_time() {
        let rate = rate(3, 30);
        let mut full = 0;
        let mut admitted = Vec::new();
        for now in 100..140 {
            if let GcraDecision::Allow { full_at: after } = rate.decide(full, now) {
                full = after;
                admitted.push(now);
            }
        }
        assert_eq!(admitted, [100, 101, 102, 110, 120, 130]);
        assert_eq!(rate.decide(full, 139), GcraDecision::Deny { retry_at: 140 });
        assert_eq!(rate.remaining(full, 139), Remaining { tokens: 0, reset_micros: 1 });
        assert_eq!(rate.remaining(full, 140), Remaining { tokens: 1, reset_micros: 10 });
        assert_eq!(rate.remaining(full, 10_000), Remaining { tokens: 3, reset_micros: 0 });
    }

    #[test]
    fn a_bucket_that_was_emptied_under_a_slower_rate_fills_at_the_new_one() {
        let (hour, second) = (rate(1, 3_600_000_000), rate(10, 1_000_000));
        let GcraDecision::Allow { full_at: full } = hour.decide(0, 50) else {
            panic!("it was full")
        };
        let full = second.clamp_to_empty(full, 50);
        assert_eq!(second.decide(full, 50), GcraDecision::Deny { retry_at: 100_050 });
        assert!(matches!(second.decide(full, 100_050), GcraDecision::Allow { .. }));
    }

    proptest! {
        /// Admits no more in any span of time than the burst and what refilled in it.
        #[test]
        fn never_more_than_burst_and_refill(
            calls in 1_u64..50,
            micros in 1_u64..10_000,
            gaps in proptest::collection::vec(0_u64..500, 1..200),
        ) {
            let rate = rate(calls, micros);
            let (mut now, mut full) = (1_000_000, 0);
            let mut admitted: Vec<u64> = Vec::new();
            for gap in gaps {
                now += gap;
                let left = rate.remaining(full, now).tokens;
                match rate.decide(full, now) {
                    GcraDecision::Allow { full_at: after } => {
                        prop_assert!(left > 0);
                        full = after;
                        admitted.push(now);
                    }
                    GcraDecision::Deny { retry_at: earliest } => {
                        prop_assert_eq!(left, 0);
                        prop_assert!(earliest > now);
                        let decision = rate.decide(full, earliest);
                        let is_allowed = matches!(decision, GcraDecision::Allow { .. });
                        prop_assert!(is_allowed);
                        let decision = rate.decide(full, earliest - 1);
                        let is_denied = matches!(decision, GcraDecision::Deny { .. });
                        prop_assert!(is_denied);
                    }
                }
            }
            for (first, start) in admitted.iter().enumerate() {
                for (last, end) in admitted.iter().enumerate().skip(first) {
                    let refilled = (end - start) * calls / micros;
                    let more = (last - first) as u64;
                    prop_assert!(more < calls + refilled, "{} to {}", start, end);
                }
            }
        }

        /// Admits every call of a caller that keeps to the rate.
        #[test]
        fn the_rate_itself_is_never_refused(calls in 1_u64..50, micros in 1_u64..10_000) {
            let rate = rate(calls, micros);
            let (mut now, mut full) = (5, 0);
            for _ in 0..200 {
                let GcraDecision::Allow { full_at: after } = rate.decide(full, now) else {
                    panic!("refused at {now}")
                };
                full = after;
                now += rate.interval();
            }
        }
    }
}
