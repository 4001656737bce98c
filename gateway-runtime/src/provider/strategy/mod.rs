//! Strategies: the order in which the providers of a capability are tried. It serves the first
//! choice and failover alike.
//!
//! A [`Strategy`] sorts the available [`Candidates`]. The first is tried; if the rules of failover
//! allow another attempt, the next is. Six strategies ship; an author's own sees the call and each
//! candidate:
//!
//! ```
//! use gateway_runtime::{
//!     Country,
//!     strategy::{Candidates, Strategy, StrategyCall},
//! };
//!
//! /// Callers in Switzerland are served by the provider there; no others are.
//! #[derive(Debug)]
//! struct AtHome;
//!
//! impl Strategy for AtHome {
//!     fn order(&self, call: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
//!         let swiss = call.country() == Country::from_code("CH");
//!         candidates.retain(|candidate| swiss || candidate.provider() != "zurich");
//!         candidates
//!             .sort_by_key(|candidate| (candidate.provider() != "zurich", candidate.in_flight()));
//!     }
//! }
//! ```
//!
//! An attribute selects it by name: `#[service(name = "…", strategy = AtHome)]`. The pool stores
//! all state that a strategy needs, for each method by itself: [`StrategyCall::sequence`] and
//! [`Candidate::state`].

mod candidate;
mod cheapest;
mod fastest;
mod latency;
mod least_busy;
mod ordered;
mod round_robin;
mod strategy_call;
#[cfg(test)]
mod tests;
mod weighted;

pub(crate) use crate::provider::strategy::{candidate::CandidateState, latency::Latency};
pub use crate::provider::strategy::{
    candidate::{BreakerState, Candidate, Candidates},
    cheapest::Cheapest,
    fastest::Fastest,
    least_busy::LeastBusy,
    ordered::Ordered,
    round_robin::RoundRobin,
    strategy_call::StrategyCall,
    weighted::Weighted,
};

/// An order of the available providers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a strategy",
    label = "does not say in which order providers are asked",
    note = "those that ship are `RoundRobin`, `Weighted`, `Cheapest`, `Fastest`, `LeastBusy` \
            and `Ordered`, in `gateway_runtime::strategy`; for one of your own, \
            `impl Strategy for {Self}`"
)]
pub trait Strategy: Send + Sync + 'static {
    /// Returns the name, for what is published.
    fn name(&self) -> &'static str {
        let name = std::any::type_name::<Self>();
        name.rsplit("::").next().unwrap_or(name)
    }

    /// Sorts `candidates`, best first. A candidate that is removed is not tried in this call.
    ///
    /// The candidates come in the order of their names, each once, and only available ones:
    /// enabled, not set aside, and with a breaker that lets calls through. The method must be fast:
    /// it runs in every call.
    fn order(&self, call: &StrategyCall<'_>, candidates: &mut Candidates<'_>);
}
