//! Each in turn.

use crate::provider::strategy::{CandidateView, Candidates, Strategy, StrategyCall};

/// Each provider in turn, whatever its weight. This is the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundRobin;

impl RoundRobin {
    /// The strategy.
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

/// Begins with another candidate each time.
fn take_turns(call: &StrategyCall<'_>, candidates: &mut [CandidateView<'_>]) {
    if candidates.len() > 1 {
        let first = call.turn() % candidates.len();
        candidates.rotate_left(first);
    }
}

/// Sorts by `key`; those that share the smallest take turns in being first.
pub(super) fn sort_in_turns<K: Ord>(
    call: &StrategyCall<'_>,
    candidates: &mut [CandidateView<'_>],
    key: impl Fn(&CandidateView<'_>) -> K,
) {
    candidates.sort_by_key(&key);
    let Some(least) = candidates.first().map(&key) else { return };
    let equals = candidates.iter().take_while(|candidate| key(candidate) == least).count();
    take_turns(call, &mut candidates[..equals]);
}
