//! The circuit breaker of one method of one provider: closed, open or half-open (SEMANTICS §3).
//!
//! A closed breaker lets calls through and counts their outcomes, without taking the lock. An open
//! breaker rejects calls until it is due. A half-open breaker lets a few calls through as probes,
//! and their outcomes close or open it.

#[cfg(test)]
mod tests;
pub(super) mod window;

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use smallvec::SmallVec;
use tokio::time::Instant;

use crate::provider::{breaker::window::Window, settings::BreakerSettings, strategy::BreakerState};

/// The sample of an ended call: whether the provider works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sample {
    /// The provider works.
    Success,
    /// The provider does not work.
    Failure,
    /// The call shows neither.
    Ignored,
}

/// The availability of a provider's method at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Availability {
    /// Calls go through, in this state of the breaker.
    Ready(BreakerState),
    /// Due for a probe since this time.
    Due(Instant),
    /// Half-open, with all probes in flight.
    ProbesInFlight,
    /// Half-open with its single probe in flight, since every other provider is open too.
    SingleProbeInFlight,
    /// Unavailable until this time: open, or cooling down.
    Until(Instant),
}

/// A permit to send one call through the breaker. The sample of the call must be recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permit {
    epoch: u64,
    probe: Option<u64>,
}

impl Permit {
    pub(super) fn is_probe(self) -> bool {
        self.probe.is_some()
    }
}

/// A change of state that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transition {
    /// The breaker opened, for this long.
    Opened(Duration),
    /// The breaker closed after successful probes.
    Closed,
}

#[derive(Debug)]
pub(super) struct Breaker {
    /// The epoch times two, plus one while calls go through without the lock.
    gate: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: BreakerPhase,
    /// The number of phase changes. A permit of an earlier phase says nothing of this one.
    epoch: u64,
    window: Window,
    failures_in_a_row: u32,
    /// The number of openings since the breaker last closed.
    openings: u32,
    cooling_until: Option<Instant>,
}

#[derive(Debug)]
enum BreakerPhase {
    Closed,
    Open { due: Instant },
    HalfOpen(Probes),
}

#[derive(Debug, Default)]
struct Probes {
    /// The number and expiry of each probe in flight.
    in_flight: SmallVec<[(u64, Instant); 3]>,
    issued: u64,
    successes: u32,
    /// True if only one probe is allowed until the first success.
    single: bool,
}

impl Probes {
    fn room(&mut self, now: Instant, settings: &BreakerSettings) -> bool {
        self.in_flight.retain(|(_, expiry)| *expiry > now);
        let limit = if self.is_single() { 1 } else { settings.half_open_calls as usize };
        self.in_flight.len() < limit
    }

    fn is_single(&self) -> bool {
        self.single && self.successes == 0
    }
}

impl Breaker {
    pub(super) fn new(settings: &BreakerSettings, now: Instant) -> Self {
        let state = State {
            phase: BreakerPhase::Closed,
            epoch: 0,
            window: Window::new(settings.window, now),
            failures_in_a_row: 0,
            openings: 0,
            cooling_until: None,
        };
        Self { gate: AtomicU64::new(1), state: Mutex::new(state) }
    }

    /// Returns the availability at `now`.
    pub(super) fn standing(&self, now: Instant, settings: &BreakerSettings) -> Availability {
        if self.gate.load(Ordering::Acquire) & 1 == 1 {
            return Availability::Ready(BreakerState::Closed);
        }
        let mut state = self.lock();
        if let Some(until) = state.cooling(now) {
            return Availability::Until(until);
        }
        match &mut state.phase {
            BreakerPhase::Closed => Availability::Ready(BreakerState::Closed),
            BreakerPhase::Open { due } if *due > now => Availability::Until(*due),
            BreakerPhase::Open { due } => Availability::Due(*due),
            BreakerPhase::HalfOpen(probes) => {
                match (probes.room(now, settings), probes.is_single()) {
                    (true, true) => Availability::Due(now),
                    (true, false) => Availability::Ready(BreakerState::HalfOpen),
                    (false, true) => Availability::SingleProbeInFlight,
                    (false, false) => Availability::ProbesInFlight,
                }
            }
        }
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
        verdict: Sample,
        now: Instant,
        settings: &BreakerSettings,
    ) -> Option<Transition> {
        if verdict == Sample::Ignored && permit.probe.is_none() {
            return None;
        }
        let mut state = self.lock();
        if permit.epoch != state.epoch {
            return None;
        }
        let change = state.record(permit.probe, verdict, now, settings);
        self.publish(&state);
        change
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
        state.change(BreakerPhase::Open { due });
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

impl State {
    /// Returns the end of the cool-down, and clears one that is over.
    fn cooling(&mut self, now: Instant) -> Option<Instant> {
        self.cooling_until = self.cooling_until.filter(|until| *until > now);
        self.cooling_until
    }

    fn acquire(
        &mut self,
        now: Instant,
        single: bool,
        settings: &BreakerSettings,
    ) -> Option<Permit> {
        if self.cooling(now).is_some() {
            return None;
        }
        if matches!(&self.phase, BreakerPhase::Open { due } if *due <= now) {
            self.change(BreakerPhase::HalfOpen(Probes { single, ..Probes::default() }));
        }
        match &mut self.phase {
            BreakerPhase::Closed => Some(Permit { epoch: self.epoch, probe: None }),
            BreakerPhase::Open { .. } => None,
            BreakerPhase::HalfOpen(probes) => {
                probes.single &= single;
                if !probes.room(now, settings) {
                    return None;
                }
                probes.issued += 1;
                probes.in_flight.push((probes.issued, now + settings.permit_timeout));
                Some(Permit { epoch: self.epoch, probe: Some(probes.issued) })
            }
        }
    }

    fn record(
        &mut self,
        probe: Option<u64>,
        verdict: Sample,
        now: Instant,
        settings: &BreakerSettings,
    ) -> Option<Transition> {
        match (&mut self.phase, probe) {
            (BreakerPhase::Closed, None) => {
                self.count(verdict, now, settings).then(|| self.open(now, settings))
            }
            (BreakerPhase::HalfOpen(probes), Some(probe)) => {
                let place = probes.in_flight.iter().position(|(name, _)| *name == probe)?;
                probes.in_flight.swap_remove(place);
                match verdict {
                    Sample::Ignored => None,
                    Sample::Failure => Some(self.open(now, settings)),
                    Sample::Success => {
                        probes.successes += 1;
                        (probes.successes >= settings.successes_to_close)
                            .then(|| self.close(now, settings))
                    }
                }
            }
            _ => None,
        }
    }

    /// Counts a call of the closed breaker. Returns whether the breaker must open.
    fn count(&mut self, verdict: Sample, now: Instant, settings: &BreakerSettings) -> bool {
        let failed = verdict == Sample::Failure;
        self.window.add(failed, now);
        if !failed {
            self.failures_in_a_row = 0;
            return false;
        }
        self.failures_in_a_row += 1;
        let (calls, failures) = self.window.totals(now);
        let too_many = calls >= u64::from(settings.min_calls)
            && failures * 100 >= calls * u64::from(settings.failure_percent);
        too_many || self.failures_in_a_row >= settings.failures_in_a_row
    }

    fn open(&mut self, now: Instant, settings: &BreakerSettings) -> Transition {
        let doubled = settings.open.saturating_mul(1 << self.openings.min(20));
        // ±10 %, so that replicas do not probe at the same time.
        let length = doubled.min(settings.max_open).mul_f64(0.9 + 0.2 * fastrand::f64());
        self.openings += 1;
        self.change(BreakerPhase::Open { due: now + length });
        Transition::Opened(length)
    }

    fn close(&mut self, now: Instant, settings: &BreakerSettings) -> Transition {
        self.window = Window::new(settings.window, now);
        self.failures_in_a_row = 0;
        self.openings = 0;
        self.change(BreakerPhase::Closed);
        Transition::Closed
    }

    fn change(&mut self, phase: BreakerPhase) {
        self.phase = phase;
        self.epoch += 1;
    }
}
