//! Always the same one, while it can be asked.

use crate::provider::strategy::{Candidates, Strategy, StrategyCall};

/// Providers by their configured `order`, smallest first, then by name: the first does everything that it can.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ordered;

impl Ordered {
    /// The strategy.
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
