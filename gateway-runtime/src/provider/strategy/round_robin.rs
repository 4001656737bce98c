//! The strategy `RoundRobin`: each provider in turn.

use crate::provider::strategy::{Candidate, Candidates, Strategy, StrategyCall};

/// Providers in rotation, whatever their weights. This is the default.
///
/// Another strategy can delegate to it:
///
/// ```
/// use gateway_runtime::strategy::{Candidates, RoundRobin, Strategy, StrategyCall};
///
/// /// The providers with fewer than ten attempts in flight, in rotation.
/// struct WithRoom;
///
/// impl Strategy for WithRoom {
///     fn order(&self, call: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
///         candidates.retain(|candidate| candidate.in_flight() < 10);
///         RoundRobin.order(call, candidates);
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundRobin;

impl RoundRobin {
    /// Creates the strategy.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Strategy for RoundRobin {
    fn order(&self, call: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
        take_turns(call, candidates);
    }
}

/// Rotates the candidates, so that each call begins with another.
fn take_turns(call: &StrategyCall<'_>, candidates: &mut [Candidate<'_>]) {
    if candidates.len() > 1 {
        let first = call.sequence() % candidates.len();
        candidates.rotate_left(first);
    }
}

/// Sorts by `key`; the candidates that share the smallest key rotate.
pub(super) fn sort_rotating_ties<K: Ord>(
    call: &StrategyCall<'_>,
    candidates: &mut [Candidate<'_>],
    key: impl Fn(&Candidate<'_>) -> K,
) {
    candidates.sort_by_key(&key);
    let Some(least) = candidates.first().map(&key) else { return };
    let equals = candidates.iter().take_while(|candidate| key(candidate) == least).count();
    take_turns(call, &mut candidates[..equals]);
}
