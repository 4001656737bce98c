//! The members of a pool: the state of each provider, method by method.

use std::{
    array,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

use tokio::time::Instant;

use crate::{
    base::{attempt::AttemptClass, cost::Cost, histogram::Durations},
    provider::{
        breaker::{Availability, Breaker, Permit},
        registration::Provider,
        settings::{BreakerSettings, ProviderSettings},
        strategy::Latency,
    },
};

/// A provider in a pool.
#[derive(Debug)]
pub(super) struct PoolMember {
    pub(super) provider: Arc<Provider>,
    /// The methods, in the order of the capability.
    pub(super) methods: Box<[MethodState]>,
}

/// The state of a provider's method.
#[derive(Debug)]
pub(super) struct MethodState {
    pub(super) cost: Cost,
    pub(super) breaker: Breaker,
    pub(super) latency: Latency,
    pub(super) in_flight: AtomicU32,
    pub(super) strategy_state: AtomicI64,
    /// The number of attempts that ended in each class.
    ended: [AtomicU64; AttemptClass::ALL.len()],
    /// Durations of attempts; of streams, until their first item.
    pub(super) durations: Durations,
}

/// The availability of an enabled provider's method, with the settings by which it was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct MethodAvailability {
    pub(super) availability: Availability,
    pub(super) settings: ProviderSettings,
}

impl PoolMember {
    pub(super) fn new(
        provider: Arc<Provider>,
        costs: Vec<Cost>,
        settings: &BreakerSettings,
        now: Instant,
    ) -> Self {
        let method = |cost| MethodState {
            cost,
            breaker: Breaker::new(settings, now),
            latency: Latency::default(),
            in_flight: AtomicU32::new(0),
            strategy_state: AtomicI64::new(0),
            ended: array::from_fn(|_| AtomicU64::new(0)),
            durations: Durations::default(),
        };
        Self { provider, methods: costs.into_iter().map(method).collect() }
    }

    /// Returns the availability of a method; `None` if the provider is disabled.
    pub(super) fn availability(
        &self,
        method: usize,
        now: Instant,
        settings: &BreakerSettings,
    ) -> Option<MethodAvailability> {
        let provider_settings = self.provider.settings();
        if !provider_settings.enabled {
            return None;
        }
        let availability = match self.provider.set_aside_until(now) {
            Some(until) => Availability::Until(until),
            None => self.methods[method].breaker.availability(now, settings),
        };
        Some(MethodAvailability { availability, settings: provider_settings })
    }

    /// Returns a permit for a call of a method, if it may go through.
    pub(super) fn acquire(
        &self,
        method: usize,
        now: Instant,
        single: bool,
        settings: &BreakerSettings,
    ) -> Option<Permit> {
        if !self.provider.settings().enabled || self.provider.set_aside_until(now).is_some() {
            return None;
        }
        self.methods[method].breaker.acquire(now, single, settings)
    }
}

impl MethodState {
    pub(super) fn count(&self, class: AttemptClass) {
        self.ended[class as usize].fetch_add(1, Relaxed);
    }

    /// Returns the number of attempts that ended in `class`.
    pub(super) fn counted(&self, class: AttemptClass) -> u64 {
        self.ended[class as usize].load(Relaxed)
    }
}
