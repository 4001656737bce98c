//! GCRA, the generic cell rate algorithm (ITU-T I.371), in whole microseconds: one number for each bucket.
//!
//! The number is the time at which the bucket will be full again. A bucket that is full, or was never used, has no number.

use std::time::Duration;

/// So many requests in each such time, and no more than that at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many …
    pub calls: u64,
    /// … in this time.
    pub per: Duration,
}

/// No bucket takes longer to fill, in microseconds (31 years): Lua counts them exactly up to 2⁵³, with the time of day.
const MAX_FILL_MICROS: u64 = 1_000_000_000_000_000;

/// What a bucket says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GcraDecision {
    /// There is a token: the bucket's number after it is taken.
    Admit(u64),
    /// There is none before this time.
    Refuse(u64),
}

impl Rate {
    /// The time in which one token comes back, in microseconds. Rounded up: it is better to let in one request less in
    /// a million than one more.
    pub(super) fn interval(self) -> u64 {
        let per = u64::try_from(self.per.as_micros()).unwrap_or(u64::MAX);
        per.div_ceil(self.calls.max(1)).max(1)
    }

    /// The time in which an empty bucket fills, in microseconds.
    pub(super) fn burst(self) -> u64 {
        self.interval().saturating_mul(self.calls.max(1)).min(MAX_FILL_MICROS)
    }

    /// When a bucket is full that was to be at `full`, perhaps under another rate: none is more than empty.
    pub(super) fn clamp_to_empty(self, full: u64, now: u64) -> u64 {
        full.min(now.saturating_add(self.burst()))
    }

    /// What a bucket that will be full at `full` says at `now`.
    pub(super) fn decide(self, full: u64, now: u64) -> GcraDecision {
        let after = full.max(now).saturating_add(self.interval());
        match after.checked_sub(self.burst()) {
            Some(earliest) if earliest > now => GcraDecision::Refuse(earliest),
            _ => GcraDecision::Admit(after),
        }
    }

    /// The part of it that one of so many gateways has: at least one call in each time.
    pub(super) fn share(self, gateways: u64) -> Self {
        Self { calls: (self.calls / gateways.max(1)).max(1), ..self }
    }

    /// How many tokens a bucket has, and in how many microseconds it will have one more.
    pub(super) fn remaining(self, full: u64, now: u64) -> (u64, u64) {
        let (interval, missing) = (self.interval(), full.saturating_sub(now));
        let taken = missing.div_ceil(interval).min(self.calls);
        (self.calls - taken, if taken == 0 { 0 } else { missing - (taken - 1) * interval })
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
            if let GcraDecision::Admit(after) = rate.decide(full, now) {
                full = after;
                admitted.push(now);
            }
        }
        assert_eq!(admitted, [100, 101, 102, 110, 120, 130]);
        assert_eq!(rate.decide(full, 139), GcraDecision::Refuse(140));
        assert_eq!(rate.remaining(full, 139), (0, 1));
        assert_eq!(rate.remaining(full, 140), (1, 10));
        assert_eq!(rate.remaining(full, 10_000), (3, 0));
    }

    #[test]
    fn a_bucket_that_was_emptied_under_a_slower_rate_fills_at_the_new_one() {
        let (hour, second) = (rate(1, 3_600_000_000), rate(10, 1_000_000));
        let GcraDecision::Admit(full) = hour.decide(0, 50) else { panic!("it was full") };
        let full = second.clamp_to_empty(full, 50);
        assert_eq!(second.decide(full, 50), GcraDecision::Refuse(100_050));
        assert!(matches!(second.decide(full, 100_050), GcraDecision::Admit(_)));
    }

    proptest! {
        /// In any span of time no more are let in than the burst and what came back in it.
        #[test]
        fn never_more_than_burst_and_refill(
            calls in 1_u64..50, micros in 1_u64..10_000, gaps in proptest::collection::vec(0_u64..500, 1..200),
        ) {
            let rate = rate(calls, micros);
            let (mut now, mut full) = (1_000_000, 0);
            let mut admitted: Vec<u64> = Vec::new();
            for gap in gaps {
                now += gap;
                let (left, _) = rate.remaining(full, now);
                match rate.decide(full, now) {
                    GcraDecision::Admit(after) => {
                        prop_assert!(left > 0);
                        full = after;
                        admitted.push(now);
                    }
                    GcraDecision::Refuse(earliest) => {
                        prop_assert_eq!(left, 0);
                        prop_assert!(earliest > now && matches!(rate.decide(full, earliest), GcraDecision::Admit(_)));
                        prop_assert!(matches!(rate.decide(full, earliest - 1), GcraDecision::Refuse(_)));
                    }
                }
            }
            for (first, start) in admitted.iter().enumerate() {
                for (last, end) in admitted.iter().enumerate().skip(first) {
                    let refilled = (end - start) * calls / micros;
                    prop_assert!(((last - first) as u64) < calls + refilled, "{} to {}", start, end);
                }
            }
        }

        /// Whoever calls at the rate is always let in.
        #[test]
        fn the_rate_itself_is_never_refused(calls in 1_u64..50, micros in 1_u64..10_000) {
            let rate = rate(calls, micros);
            let (mut now, mut full) = (5, 0);
            for _ in 0..200 {
                let GcraDecision::Admit(after) = rate.decide(full, now) else { panic!("refused at {now}") };
                full = after;
                now += rate.interval();
            }
        }
    }
}
