//! Candidates: the available providers, as a strategy sees them.

use std::{
    cell::OnceCell,
    fmt,
    ops::{Deref, DerefMut},
    sync::atomic::AtomicI64,
    time::Duration,
};

use serde::Serialize;
use smallvec::SmallVec;

use crate::base::{
    cost::{Argument, Cost},
    money::Money,
};

/// The state of the circuit breaker of a provider's method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// Calls go through.
    #[default]
    Closed,
    /// Calls do not go through.
    Open,
    /// A few calls go through, to probe whether the provider works again.
    HalfOpen,
}

/// A provider that is available now.
///
/// A strategy sorts candidates by their state. A test creates candidates itself:
///
/// ```
/// use std::time::Duration;
///
/// use gateway_runtime::strategy::{BreakerState, Candidate, Candidates, Strategy, StrategyCall};
///
/// /// The fastest first; providers that are being probed last.
/// struct Careful;
///
/// impl Strategy for Careful {
///     fn order(&self, _: &StrategyCall<'_>, candidates: &mut Candidates<'_>) {
///         sort(candidates);
///     }
/// }
///
/// fn sort(candidates: &mut [Candidate<'_>]) {
///     candidates.sort_by_key(|candidate| {
///         let is_probed = candidate.breaker() == BreakerState::HalfOpen;
///         (is_probed, candidate.latency().unwrap_or(Duration::MAX))
///     });
/// }
///
/// let latency = Duration::from_millis;
/// let mut candidates = [
///     Candidate::new("probed").with_latency(latency(5)).with_breaker(BreakerState::HalfOpen),
///     Candidate::new("slow").with_latency(latency(90)),
///     Candidate::new("fast").with_latency(latency(20)),
/// ];
/// sort(&mut candidates);
/// assert_eq!(candidates.map(|candidate| candidate.provider()), ["fast", "slow", "probed"]);
/// ```
pub struct Candidate<'a> {
    pub(crate) index: usize,
    provider: &'static str,
    weight: u32,
    order: i32,
    in_flight: u32,
    breaker: BreakerState,
    latency: Option<Duration>,
    state: Option<&'a AtomicI64>,
    cost: (Cost, &'a [&'a Argument]),
    known_cost: OnceCell<Option<Money>>,
}

/// The state of a candidate in its pool at one moment.
pub(crate) struct CandidateState<'a> {
    pub(crate) index: usize,
    pub(crate) provider: &'static str,
    pub(crate) weight: u32,
    pub(crate) order: i32,
    pub(crate) in_flight: u32,
    pub(crate) breaker: BreakerState,
    pub(crate) latency: Option<Duration>,
    pub(crate) state: &'a AtomicI64,
    pub(crate) cost: Cost,
    pub(crate) arguments: &'a [&'a Argument],
}

impl<'a> From<CandidateState<'a>> for Candidate<'a> {
    fn from(state: CandidateState<'a>) -> Self {
        Self {
            index: state.index,
            provider: state.provider,
            weight: state.weight,
            order: state.order,
            in_flight: state.in_flight,
            breaker: state.breaker,
            latency: state.latency,
            state: Some(state.state),
            cost: (state.cost, state.arguments),
            known_cost: OnceCell::new(),
        }
    }
}

impl<'a> Candidate<'a> {
    /// Creates a candidate that works, has an unknown cost, weight 1 and no attempts, for tests of
    /// a strategy.
    #[must_use]
    pub fn new(provider: &'static str) -> Self {
        Self {
            index: 0,
            provider,
            weight: 1,
            order: 0,
            in_flight: 0,
            breaker: BreakerState::Closed,
            latency: None,
            state: None,
            cost: (Cost::Unknown, &[]),
            known_cost: OnceCell::new(),
        }
    }

    /// Sets the weight.
    #[must_use]
    pub fn with_weight(self, weight: u32) -> Self {
        Self { weight, ..self }
    }

    /// Sets the position in the configured order.
    #[must_use]
    pub fn with_order(self, order: i32) -> Self {
        Self { order, ..self }
    }

    /// Sets the number of attempts in flight.
    #[must_use]
    pub fn with_in_flight(self, in_flight: u32) -> Self {
        Self { in_flight, ..self }
    }

    /// Sets the state of the breaker.
    #[must_use]
    pub fn with_breaker(self, breaker: BreakerState) -> Self {
        Self { breaker, ..self }
    }

    /// Sets the latency.
    #[must_use]
    pub fn with_latency(self, latency: Duration) -> Self {
        Self { latency: Some(latency), ..self }
    }

    /// Sets the cost.
    #[must_use]
    pub fn with_cost(self, cost: Money) -> Self {
        Self { cost: (Cost::Flat(cost), &[]), ..self }
    }

    /// Sets the number that [`state`](Self::state) returns.
    #[must_use]
    pub fn with_credit(self, credit: &'a AtomicI64) -> Self {
        Self { state: Some(credit), ..self }
    }

    /// Returns the provider's name.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        self.provider
    }

    /// Returns the cost of this call to us; `None` if it is unknown.
    #[must_use]
    pub fn cost(&self) -> Option<Money> {
        let (cost, arguments) = self.cost;
        *self.known_cost.get_or_init(|| cost.of(arguments))
    }

    /// Returns the configured share of the calls, relative to the others' weights.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// Returns the position in the configured order, smallest first.
    #[must_use]
    pub fn order(&self) -> i32 {
        self.order
    }

    /// Returns the number of attempts at this method in flight.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Returns the state of the breaker of this method: closed or half-open.
    #[must_use]
    pub fn breaker(&self) -> BreakerState {
        self.breaker
    }

    /// Returns the latency of this method, as a moving average that decays while there are no
    /// attempts; `None` before the first reply.
    #[must_use]
    pub fn latency(&self) -> Option<Duration> {
        self.latency
    }

    /// Returns a number that is stored from call to call for this provider and method, for any use
    /// by a strategy.
    #[must_use]
    pub fn state(&self) -> &'a AtomicI64 {
        static UNPOOLED: AtomicI64 = AtomicI64::new(0);
        self.state.unwrap_or(&UNPOOLED)
    }
}

impl fmt::Debug for Candidate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CandidateView")
            .field("provider", &self.provider)
            .field("cost", &self.cost())
            .field("weight", &self.weight)
            .field("order", &self.order)
            .field("in_flight", &self.in_flight)
            .field("breaker", &self.breaker)
            .field("latency", &self.latency)
            .finish_non_exhaustive()
    }
}

/// The available providers: a slice to sort, from which candidates may be removed.
#[derive(Debug)]
pub struct Candidates<'a>(SmallVec<[Candidate<'a>; 4]>);

impl<'a> Candidates<'a> {
    /// Retains the candidates for which `keep` returns true, in their order.
    pub fn retain(&mut self, mut keep: impl FnMut(&Candidate<'a>) -> bool) {
        self.0.retain(|candidate| keep(candidate));
    }
}

impl<'a> FromIterator<Candidate<'a>> for Candidates<'a> {
    fn from_iter<I: IntoIterator<Item = Candidate<'a>>>(candidates: I) -> Self {
        Self(candidates.into_iter().collect())
    }
}

impl<'a> Deref for Candidates<'a> {
    type Target = [Candidate<'a>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Candidates<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
