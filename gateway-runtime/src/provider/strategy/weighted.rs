//! The strategy `Weighted`: shares of the calls by weight.

use std::{cmp::Reverse, sync::atomic::Ordering::Relaxed};

use crate::provider::strategy::{Candidates, Strategy, StrategyCall};

/// Providers in proportion to their configured weights, evenly spread: with 5, 1 and 1 the order is
/// `a a b a c a a`, never `a a a a a b c` (smooth weighted round robin, as in nginx).
///
/// The others follow by weight, heaviest first. Weight 0 is tried only if every other provider has
/// failed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weighted;

impl Weighted {
    /// Creates the strategy.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Strategy for Weighted {
    /// Adds its weight to the credit of each candidate, chooses the one with the most, and
    /// subtracts the sum of all weights from it. Concurrent calls may interleave; each still
    /// subtracts what was added, so shares stay exact in the long run.
    fn order(&self, _: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
        let mut total = 0;
        let mut chosen: Option<(i64, usize)> = None;
        for (place, candidate) in candidates.iter().enumerate() {
            let weight = i64::from(candidate.weight());
            if weight == 0 {
                continue;
            }
            total += weight;
            let credit = candidate.state().fetch_add(weight, Relaxed) + weight;
            if chosen.is_none_or(|(most, _)| credit > most) {
                chosen = Some((credit, place));
            }
        }
        let Some((_, chosen)) = chosen else { return };
        candidates[chosen].state().fetch_sub(total, Relaxed);
        candidates[..=chosen].rotate_right(1);
        candidates[1..].sort_by_key(|candidate| Reverse(candidate.weight()));
    }
}
