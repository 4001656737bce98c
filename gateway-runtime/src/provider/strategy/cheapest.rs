//! The strategy `Cheapest`: the lowest cost first.

use crate::{
    base::money::Currency,
    provider::strategy::{Candidates, Strategy, StrategyCall, round_robin::sort_rotating_ties},
};

/// Providers by the cost of this call, cheapest first; unknown costs come last, and equal ones
/// rotate.
///
/// Amounts compare within one currency only, since no exchange rate is known: the currency is that
/// of the first provider, by name, whose cost is known. A cost in another currency counts as
/// unknown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cheapest;

impl Cheapest {
    /// Creates the strategy.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Strategy for Cheapest {
    fn order(&self, call: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
        let currency: Option<Currency> =
            candidates.iter().find_map(|candidate| Some(candidate.cost()?.currency()));
        sort_rotating_ties(call, candidates, |candidate| {
            let cost = candidate.cost().filter(|cost| Some(cost.currency()) == currency);
            (cost.is_none(), cost.map(|cost| cost.nanos()))
        });
    }
}
