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
//! An attribute selects it by name, for a service or a method: `strategy = AtHome`. The pool stores
//! all state that a strategy needs, for each method by itself: [`StrategyCall::sequence`] and
//! [`Candidate::state`].
//!
//! ```
//! use gateway_runtime::prelude::*;
//!
//! # /// A source of exchange rates.
//! # #[capability]
//! # trait RateSource {
//! #     /// The rate of the dollar in euros.
//! #     #[provide_method(effect = read)]
//! #     async fn rate(&self) -> Result<f64, ProviderError>;
//! #     /// The average rate of the last year.
//! #     #[provide_method(effect = read)]
//! #     async fn average(&self) -> Result<f64, ProviderError>;
//! # }
//! /// Exchange rates; each source has its share of the calls, by `weight` in `[providers.NAME]`.
//! #[service(strategy = Weighted)]
//! struct Currency;
//!
//! #[service]
//! impl Currency {
//!     /// Returns the rate of the dollar.
//!     #[expose_method(GET)]
//!     async fn rate(&self, sources: Providers<dyn RateSource>) -> Result<f64> {
//!         Ok(sources.rate().await?)
//!     }
//!
//!     /// Returns the rate for a page that a person waits for.
//!     #[expose_method(GET, strategy = Fastest)]
//!     async fn quick_rate(&self, sources: Providers<dyn RateSource>) -> Result<f64> {
//!         Ok(sources.rate().await?)
//!     }
//!
//!     /// Returns the average of the last year, for which a source needs long.
//!     #[expose_method(GET, strategy = LeastBusy)]
//!     async fn average(&self, sources: Providers<dyn RateSource>) -> Result<f64> {
//!         Ok(sources.average().await?)
//!     }
//! }
//! # fn main() {}
//! ```

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
