//! In which order the providers of a capability are asked: choosing and failing over are the same thing.
//!
//! A [`Strategy`] puts the [`Candidates`] that can be asked now into an order. The first is asked; where the rules of
//! failover allow another attempt, the next is. Six strategies ship; an author's own sees the call and each candidate:
//!
//! ```
//! use gateway_runtime::{
//!     Country,
//!     strategy::{Candidates, Strategy, StrategyCall},
//! };
//!
//! /// Callers within the country are served by the provider there; nobody else is.
//! #[derive(Debug)]
//! struct AtHome;
//!
//! impl Strategy for AtHome {
//!     fn order(&self, call: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
//!         let swiss = call.country() == Country::from_code("CH");
//!         candidates.retain(|candidate| swiss || candidate.provider() != "zurich");
//!         candidates.sort_by_key(|candidate| (candidate.provider() != "zurich", candidate.in_flight()));
//!     }
//! }
//! ```
//!
//! It is used by name: `#[service(name = "…", strategy = AtHome)]`. All state that a strategy needs is kept for it,
//! for each method by itself: [`StrategyCall::turn`] and [`CandidateView::credit`].

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

/// Puts the providers that can be asked now into the order in which they are to be asked.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a strategy",
    label = "does not say in which order providers are asked",
    note = "those that ship are `RoundRobin`, `Weighted`, `Cheapest`, `Fastest`, `LeastBusy` and `Ordered`, in \
            `gateway_runtime::strategy`; for one of your own, `impl Strategy for {Self}`"
)]
pub trait Strategy: Send + Sync + 'static {
    /// The name, for what is published.
    fn name(&self) -> &'static str {
        let name = std::any::type_name::<Self>();
        name.rsplit("::").next().unwrap_or(name)
    }

    /// Orders `candidates`, best first. Who is taken out of them is not asked in this call.
    ///
    /// They come in the order of their names, each once, and only those that can be asked now: enabled, not set aside,
    /// and with a breaker that lets calls through. A method that must answer fast: it runs in every call.
    fn order(&self, call: &StrategyCall<'_>, candidates: &mut Candidates<'_>);
}
