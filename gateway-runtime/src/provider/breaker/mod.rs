//! The circuit breaker of one method of one provider: closed, open or half-open (SEMANTICS §3).
//!
//! A closed breaker lets calls through and counts their outcomes, without taking the lock. An open
//! breaker rejects calls until it is due. A half-open breaker lets a few calls through as probes,
//! and their outcomes close or open it.

mod state;
#[cfg(test)]
mod tests;
pub(super) mod window;

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::time::Instant;

pub(super) use crate::provider::breaker::state::{Availability, Permit, Sample, Transition};
use crate::provider::{
    breaker::state::{BreakerPhase, State},
    settings::BreakerSettings,
    strategy::BreakerState,
};

/// The circuit breaker of one method of one provider.
#[derive(Debug)]
pub(super) struct Breaker {
    /// The epoch times two, plus one while calls go through without the lock.
    gate: AtomicU64,
    state: Mutex<State>,
}

impl Breaker {
    pub(super) fn new(settings: &BreakerSettings, now: Instant) -> Self {
        let state = State::new(settings, now);
        Self { gate: AtomicU64::new(1), state: Mutex::new(state) }
    }

    /// Returns the availability at `now`.
    pub(super) fn availability(&self, now: Instant, settings: &BreakerSettings) -> Availability {
        if self.gate.load(Ordering::Acquire) & 1 == 1 {
            return Availability::Ready(BreakerState::Closed);
        }
        self.lock().availability(now, settings)
    }

    /// Returns the state, whatever the availability.
    pub(super) fn state(&self) -> BreakerState {
        match self.lock().phase {
            BreakerPhase::Closed => BreakerState::Closed,
            BreakerPhase::Open { .. } => BreakerState::Open,
            BreakerPhase::HalfOpen(_) => BreakerState::HalfOpen,
        }
    }

    /// Returns a permit if a call may go through; `single` is true if every provider's breaker is
    /// open.
    pub(super) fn acquire(
        &self,
        now: Instant,
        single: bool,
        settings: &BreakerSettings,
    ) -> Option<Permit> {
        let gate = self.gate.load(Ordering::Acquire);
        if gate & 1 == 1 {
            return Some(Permit { epoch: gate >> 1, probe: None });
        }
        let mut state = self.lock();
        let permit = state.acquire(now, single, settings);
        self.publish(&state);
        permit
    }

    /// Records the sample of a permit. A permit that has expired, or is of an earlier phase,
    /// changes nothing.
    pub(super) fn record(
        &self,
        permit: Permit,
        sample: Sample,
        now: Instant,
        settings: &BreakerSettings,
    ) -> Option<Transition> {
        if sample == Sample::Ignored && permit.probe.is_none() {
            return None;
        }
        let mut state = self.lock();
        if permit.epoch != state.epoch {
            return None;
        }
        let transition = state.record(permit.probe, sample, now, settings);
        self.publish(&state);
        transition
    }

    /// Returns a permit for the rest of an attempt whose probe is recorded.
    pub(super) fn permit_after_probe(&self) -> Permit {
        Permit { epoch: self.gate.load(Ordering::Acquire) >> 1, probe: None }
    }

    /// Returns the number of openings since the breaker last closed.
    pub(super) fn openings(&self) -> u32 {
        self.lock().openings
    }

    /// Opens the breaker until `due`, since that of another gateway is open until `until`. Returns
    /// false if it is already open for as long.
    pub(super) fn open_until(&self, until: Instant, due: Instant, openings: u32) -> bool {
        let mut state = self.lock();
        if matches!(state.phase, BreakerPhase::Open { due } if due >= until) {
            return false;
        }
        state.openings = state.openings.max(openings);
        state.enter(BreakerPhase::Open { due });
        self.publish(&state);
        true
    }

    /// Lets nothing through before `until`.
    pub(super) fn cool_down(&self, until: Instant) {
        let mut state = self.lock();
        state.cooling_until = state.cooling_until.max(Some(until));
        self.publish(&state);
    }

    fn publish(&self, state: &State) {
        let clear = matches!(state.phase, BreakerPhase::Closed) && state.cooling_until.is_none();
        self.gate.store(state.epoch << 1 | u64::from(clear), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
