//! The strategy `LeastBusy`: the fewest attempts in flight first.

use crate::provider::strategy::{
    Candidates, Strategy, StrategyCall, round_robin::sort_rotating_ties,
};

/// Providers by the number of attempts in flight, fewest first; equal ones rotate.
///
/// The number counts the attempts of this process, at this method alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastBusy;

impl LeastBusy {
    /// Creates the strategy.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Strategy for LeastBusy {
    fn order(&self, call: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
        sort_rotating_ties(call, candidates, |candidate| candidate.in_flight());
    }
}
