//! What a strategy sees of each provider.

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
    /// A few calls go through, to see whether it is well again.
    HalfOpen,
}

/// A provider that can be asked now.
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

/// What a pool knows of a candidate at this moment.
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
    fn from(live: CandidateState<'a>) -> Self {
        let CandidateState {
            index,
            provider,
            weight,
            order,
            in_flight,
            breaker,
            latency,
            state: credit,
            cost,
            arguments,
        } = live;
        Self {
            index,
            provider,
            weight,
            order,
            in_flight,
            breaker,
            latency,
            state: Some(credit),
            cost: (cost, arguments),
            known_cost: OnceCell::new(),
        }
    }
}

impl<'a> Candidate<'a> {
    /// A candidate that is well, costs nobody knows what, has weight 1 and was never asked, for tests of a strategy.
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

    /// The same with another weight.
    #[must_use]
    pub fn with_weight(self, weight: u32) -> Self {
        Self { weight, ..self }
    }

    /// The same with another place.
    #[must_use]
    pub fn with_order(self, order: i32) -> Self {
        Self { order, ..self }
    }

    /// The same with so many attempts in flight.
    #[must_use]
    pub fn with_in_flight(self, in_flight: u32) -> Self {
        Self { in_flight, ..self }
    }

    /// The same with another breaker state.
    #[must_use]
    pub fn with_breaker(self, breaker: BreakerState) -> Self {
        Self { breaker, ..self }
    }

    /// The same with a latency.
    #[must_use]
    pub fn with_latency(self, latency: Duration) -> Self {
        Self { latency: Some(latency), ..self }
    }

    /// The same with a cost.
    #[must_use]
    pub fn with_cost(self, cost: Money) -> Self {
        Self { cost: (Cost::Flat(cost), &[]), ..self }
    }

    /// The same with a memory of its own for [`credit`](Self::credit).
    #[must_use]
    pub fn with_credit(self, credit: &'a AtomicI64) -> Self {
        Self { state: Some(credit), ..self }
    }

    /// The provider's name.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        self.provider
    }

    /// What this call would cost us there; none when unknown.
    #[must_use]
    pub fn cost(&self) -> Option<Money> {
        let (cost, arguments) = self.cost;
        *self.known_cost.get_or_init(|| cost.of(arguments))
    }

    /// The share of the calls that the configuration gives it, beside the others' weights.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// Its place in the configured order, smallest first.
    #[must_use]
    pub fn order(&self) -> i32 {
        self.order
    }

    /// How many attempts at this method are under way.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The state of its breaker for this method: closed, or half open.
    #[must_use]
    pub fn breaker(&self) -> BreakerState {
        self.breaker
    }

    /// How long answers of this method take it, as a moving average that fades while nobody asks; none before the
    /// first answer.
    #[must_use]
    pub fn latency(&self) -> Option<Duration> {
        self.latency
    }

    /// A number that is kept from call to call for this provider and method, for whatever a strategy makes of it.
    #[must_use]
    pub fn state(&self) -> &'a AtomicI64 {
        static NOBODYS: AtomicI64 = AtomicI64::new(0);
        self.state.unwrap_or(&NOBODYS)
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

/// The providers that can be asked now: a slice to be sorted, from which candidates may be taken out.
#[derive(Debug)]
pub struct Candidates<'a>(SmallVec<[Candidate<'a>; 4]>);

impl<'a> Candidates<'a> {
    /// Keeps those of which `keep` is true, in their order.
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
