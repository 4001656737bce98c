//! Each in turn.

use crate::provider::strategy::{Candidate, Candidates, Strategy, StrategyCall};

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
fn take_turns(call: &StrategyCall<'_>, candidates: &mut [Candidate<'_>]) {
    if candidates.len() > 1 {
        let first = call.sequence() % candidates.len();
        candidates.rotate_left(first);
    }
}

/// Sorts by `key`; those that share the smallest take turns in being first.
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
