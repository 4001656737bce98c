//! The one with the least to do.

use crate::provider::strategy::{
    Candidates, Strategy, StrategyCall, round_robin::sort_rotating_ties,
};

/// Providers by the number of attempts that are under way there, fewest first; equals take turns.
///
/// It counts what this process has sent, and for this method alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastBusy;

impl LeastBusy {
    /// The strategy.
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
