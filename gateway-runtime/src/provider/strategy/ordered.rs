//! The strategy `Ordered`: the first available provider of a fixed order.

use crate::provider::strategy::{Candidates, Strategy, StrategyCall};

/// Providers by their configured `order`, smallest first, then by name: the first available one
/// serves every call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ordered;

impl Ordered {
    /// Creates the strategy.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Strategy for Ordered {
    fn order(&self, _: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
        candidates.sort_by_key(|candidate| (candidate.order(), candidate.provider()));
    }
}
