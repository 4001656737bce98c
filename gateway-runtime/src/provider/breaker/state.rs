//! The state of a breaker, under its lock: the phase, the probes in flight, and the transitions.

use std::time::Duration;

use smallvec::SmallVec;
use tokio::time::Instant;

use crate::provider::{
    breaker::window::{Window, WindowTotals},
    settings::BreakerSettings,
    strategy::BreakerState,
};

/// The sample of an ended call: whether the provider works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Sample {
    /// The provider works.
    Success,
    /// The provider does not work.
    Failure,
    /// The call shows neither.
    Ignored,
}

/// The availability of a provider's method at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Availability {
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
pub(in crate::provider) struct Permit {
    pub(super) epoch: u64,
    pub(super) probe: Option<u64>,
}

impl Permit {
    pub(in crate::provider) fn is_probe(self) -> bool {
        self.probe.is_some()
    }
}

/// A transition that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Transition {
    /// The breaker opened, for this long.
    Opened(Duration),
    /// The breaker closed after successful probes.
    Closed,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: BreakerPhase,
    /// The number of phase changes. A permit of an earlier phase says nothing of this one.
    pub(super) epoch: u64,
    window: Window,
    failures_in_a_row: u32,
    /// The number of openings since the breaker last closed.
    pub(super) openings: u32,
    pub(super) cooling_until: Option<Instant>,
}

#[derive(Debug)]
pub(super) enum BreakerPhase {
    Closed,
    Open { due: Instant },
    HalfOpen(Probes),
}

#[derive(Debug)]
struct ProbeInFlight {
    number: u64,
    expiry: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Probes {
    in_flight: SmallVec<[ProbeInFlight; 3]>,
    issued: u64,
    successes: u32,
    /// True if only one probe is allowed until the first success.
    single: bool,
}

impl Probes {
    fn has_room(&mut self, now: Instant, settings: &BreakerSettings) -> bool {
        self.in_flight.retain(|probe| probe.expiry > now);
        let limit = if self.is_single() { 1 } else { settings.half_open_calls as usize };
        self.in_flight.len() < limit
    }

    fn is_single(&self) -> bool {
        self.single && self.successes == 0
    }
}

impl State {
    pub(super) fn new(settings: &BreakerSettings, now: Instant) -> Self {
        Self {
            phase: BreakerPhase::Closed,
            epoch: 0,
            window: Window::new(settings.window, now),
            failures_in_a_row: 0,
            openings: 0,
            cooling_until: None,
        }
    }

    /// Returns the availability at `now`.
    pub(super) fn availability(
        &mut self,
        now: Instant,
        settings: &BreakerSettings,
    ) -> Availability {
        if let Some(until) = self.cooling(now) {
            return Availability::Until(until);
        }
        match &mut self.phase {
            BreakerPhase::Closed => Availability::Ready(BreakerState::Closed),
            BreakerPhase::Open { due } if *due > now => Availability::Until(*due),
            BreakerPhase::Open { due } => Availability::Due(*due),
            BreakerPhase::HalfOpen(probes) => {
                match (probes.has_room(now, settings), probes.is_single()) {
                    (true, true) => Availability::Due(now),
                    (true, false) => Availability::Ready(BreakerState::HalfOpen),
                    (false, true) => Availability::SingleProbeInFlight,
                    (false, false) => Availability::ProbesInFlight,
                }
            }
        }
    }

    /// Returns the end of the cool-down, and clears one that is over.
    pub(super) fn cooling(&mut self, now: Instant) -> Option<Instant> {
        self.cooling_until = self.cooling_until.filter(|until| *until > now);
        self.cooling_until
    }

    pub(super) fn acquire(
        &mut self,
        now: Instant,
        single: bool,
        settings: &BreakerSettings,
    ) -> Option<Permit> {
        if self.cooling(now).is_some() {
            return None;
        }
        if matches!(&self.phase, BreakerPhase::Open { due } if *due <= now) {
            self.enter(BreakerPhase::HalfOpen(Probes { single, ..Probes::default() }));
        }
        match &mut self.phase {
            BreakerPhase::Closed => Some(Permit { epoch: self.epoch, probe: None }),
            BreakerPhase::Open { .. } => None,
            BreakerPhase::HalfOpen(probes) => {
                probes.single &= single;
                if !probes.has_room(now, settings) {
                    return None;
                }
                probes.issued += 1;
                probes.in_flight.push(ProbeInFlight {
                    number: probes.issued,
                    expiry: now + settings.permit_timeout,
                });
                Some(Permit { epoch: self.epoch, probe: Some(probes.issued) })
            }
        }
    }

    pub(super) fn record(
        &mut self,
        probe: Option<u64>,
        sample: Sample,
        now: Instant,
        settings: &BreakerSettings,
    ) -> Option<Transition> {
        match (&mut self.phase, probe) {
            (BreakerPhase::Closed, None) => {
                self.count(sample, now, settings).then(|| self.open(now, settings))
            }
            (BreakerPhase::HalfOpen(probes), Some(probe)) => {
                let index =
                    probes.in_flight.iter().position(|in_flight| in_flight.number == probe)?;
                probes.in_flight.swap_remove(index);
                match sample {
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
    fn count(&mut self, sample: Sample, now: Instant, settings: &BreakerSettings) -> bool {
        let failed = sample == Sample::Failure;
        self.window.add(failed, now);
        if !failed {
            self.failures_in_a_row = 0;
            return false;
        }
        self.failures_in_a_row += 1;
        let WindowTotals { calls, failures } = self.window.totals(now);
        let too_many = calls >= u64::from(settings.min_calls)
            && failures * 100 >= calls * u64::from(settings.failure_percent);
        too_many || self.failures_in_a_row >= settings.failures_in_a_row
    }

    fn open(&mut self, now: Instant, settings: &BreakerSettings) -> Transition {
        let doubled = settings.open.saturating_mul(1 << self.openings.min(20));
        // ±10 %, so that replicas do not probe at the same time.
        let length = doubled.min(settings.max_open).mul_f64(0.9 + 0.2 * fastrand::f64());
        self.openings += 1;
        self.enter(BreakerPhase::Open { due: now + length });
        Transition::Opened(length)
    }

    fn close(&mut self, now: Instant, settings: &BreakerSettings) -> Transition {
        self.window = Window::new(settings.window, now);
        self.failures_in_a_row = 0;
        self.openings = 0;
        self.enter(BreakerPhase::Closed);
        Transition::Closed
    }

    pub(super) fn enter(&mut self, phase: BreakerPhase) {
        self.phase = phase;
        self.epoch += 1;
    }
}
