//! The strategy `Fastest`: the faster of two random choices first.

use std::time::Duration;

use crate::provider::strategy::{Candidate, Candidates, Strategy, StrategyCall};

/// The faster of two providers drawn at random, by the moving average (EWMA) of their latencies;
/// the others follow, fastest first.
///
/// Two choices rather than the best of all keep simultaneous calls from going to the same provider
/// (Mitzenmacher, *The Power of Two Choices in Randomized Load Balancing*, 2001). A provider
/// without any attempt counts as fastest until its first attempt is in flight, and as slowest from
/// then until its first reply.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fastest;

impl Fastest {
    /// Creates the strategy.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Strategy for Fastest {
    fn order(&self, _: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
        let count = candidates.len();
        if count < 2 {
            return;
        }
        let one = fastrand::usize(..count);
        let other = (one + fastrand::usize(1..count)) % count;
        let winner =
            if slowness(&candidates[other]) < slowness(&candidates[one]) { other } else { one };
        candidates.swap(0, winner);
        candidates[1..].sort_by_key(slowness);
    }
}

fn slowness(candidate: &Candidate<'_>) -> Duration {
    match candidate.latency() {
        Some(latency) => latency,
        None if candidate.in_flight() == 0 => Duration::ZERO,
        None => Duration::MAX,
    }
}
