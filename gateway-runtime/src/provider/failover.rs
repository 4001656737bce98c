//! One call of a capability's method: which attempt comes next, and what the call ends with when none does.

use std::{sync::Arc, time::Duration};

use smallvec::SmallVec;
use tokio::time::{Instant, sleep};

use crate::{
    base::{attempt::Class, cost::Argument, spec::Effect},
    provider::{
        active_attempt::{Progress, Running},
        bound_pool::Bound,
        breaker::{Permit, Standing},
        error::{End, ProviderError},
        failover_rules::{self, Next},
        retry_budget::Counted,
        selection::{self, Selection, absence},
    },
};

/// What is known of a call while its attempts are made.
pub(super) struct Failover<'a> {
    bound: Bound<'a>,
    method: usize,
    arguments: &'a [&'a Argument],
    effect: Effect,
    deadline: Instant,
    selection: Selection,
    /// How many of the selection have had their turn.
    passed: usize,
    attempts: u32,
    tried: SmallVec<[Tried; 4]>,
    /// Another attempt is allowed at this provider alone, or at none.
    confined: Option<Confined>,
    /// It may have been done, and doing it again would do it twice.
    is_outcome_unknown: bool,
    /// The most telling failure until now.
    failure: Option<ProviderError>,
    _active: Counted<'a>,
    repetition: Option<Counted<'a>>,
}

/// A provider that was asked.
struct Tried {
    place: usize,
    times: u32,
    /// From when it may be asked again; none when that would not help.
    again_from: Option<Instant>,
}

/// Where another attempt is allowed.
enum Confined {
    ToNone,
    To(usize),
}

impl<'a> Failover<'a> {
    pub(super) fn new(bound: Bound<'a>, method: usize, arguments: &'a [&'a Argument]) -> Self {
        let now = Instant::now();
        let settings = &bound.core.settings;
        Self {
            method,
            arguments,
            effect: bound.core.capability.methods[method].effect,
            deadline: (now + settings.total_timeout).min(Instant::from_std(bound.call.deadline())),
            selection: selection::select(&bound, method, arguments, now),
            passed: 0,
            attempts: 0,
            tried: SmallVec::new(),
            confined: None,
            is_outcome_unknown: false,
            failure: None,
            _active: bound.core.budget.call(),
            repetition: None,
            bound,
        }
    }

    /// The next attempt, when its time has come.
    ///
    /// # Errors
    ///
    /// How the call ends, when there is none.
    pub(super) async fn next(&mut self) -> Result<Running, ProviderError> {
        self.repetition = None;
        let now = Instant::now();
        if self.attempts >= self.bound.core.settings.max_attempts || now >= self.deadline {
            return Err(self.end(now));
        }
        if let Some(running) = self.at_another(now) {
            return Ok(running);
        }
        let Some((place, pause)) = self.whom_to_repeat(now) else { return Err(self.end(now)) };
        self.repetition = self.bound.core.budget.repetition();
        if self.repetition.is_none() {
            return Err(self.end(now));
        }
        sleep(pause).await;
        let now = Instant::now();
        self.permit(place, now).map(|permit| self.begin(place, permit, now)).ok_or_else(|| self.end(now))
    }

    /// Has the books note which provider is about to be asked, where a crash would leave open whether it was (SEMANTICS §7).
    ///
    /// # Errors
    ///
    /// When that cannot be written: nothing is sent, and the call ends.
    pub(super) async fn announce(&self, running: Running) -> Result<Running, ProviderError> {
        if let Some(witness) = self.bound.call.witness()
            && matches!(self.effect, Effect::Keyed | Effect::Once)
        {
            let provider = self.bound.core.members[running.place].provider.spec().name;
            witness.about_to_ask(provider).await.map_err(ProviderError::not_noted)?;
        }
        Ok(running.asked())
    }

    /// Notes that an attempt failed, and what may follow.
    pub(super) fn failed(&mut self, running: Running, error: ProviderError) {
        let error = error.cap_retry_after(self.bound.core.settings.breaker.max_cool_down);
        let (class, place) = (error.class(), running.place);
        running.failed(&error);
        match failover_rules::next(self.effect, class) {
            Next::Other => {}
            Next::Same => self.confined = Some(Confined::To(place)),
            Next::Stop => self.confined = Some(Confined::ToNone),
        }
        self.is_outcome_unknown |= class == Class::Ambiguous && matches!(self.effect, Effect::Keyed | Effect::Once);
        self.note_attempt(place, &error);
        // That one provider cannot do it says less than that another failed at it.
        if self.failure.is_none() || class != Class::Unsupported {
            self.failure = Some(error);
        }
    }

    fn note_attempt(&mut self, place: usize, error: &ProviderError) {
        let may_help = match error.class() {
            Class::NotSent | Class::Ambiguous => true,
            Class::Rejected => error.retry_delay().is_some(),
            _ => false,
        };
        let again_from = may_help.then(|| Instant::now() + error.retry_delay().unwrap_or_default());
        match self.tried.iter_mut().find(|tried| tried.place == place) {
            Some(tried) => (tried.times, tried.again_from) = (tried.times + 1, again_from),
            None => self.tried.push(Tried { place, times: 1, again_from }),
        }
    }

    /// An attempt at the next provider that was not asked yet, if that is allowed and there is one.
    fn at_another(&mut self, now: Instant) -> Option<Running> {
        if self.confined.is_some() {
            return None;
        }
        // What was begun at one provider and goes on to another is load that would not be there if all were well.
        if self.failure.as_ref().is_some_and(|failure| failure.class() == Class::Ambiguous) {
            self.repetition = Some(self.bound.core.budget.repetition()?);
        }
        while let Some(&place) = self.selection.order.get(self.passed) {
            self.passed += 1;
            if let Some(permit) = self.permit(place, now) {
                return Some(self.begin(place, permit, now));
            }
            self.selection.is_partial = true;
            if self.selection.single {
                // Another call was quicker to make the single probe.
                self.passed = self.selection.order.len();
            }
        }
        self.repetition = None;
        None
    }

    /// The provider that may be asked again soonest, and how long to wait before.
    fn whom_to_repeat(&self, now: Instant) -> Option<(usize, Duration)> {
        let settings = &self.bound.core.settings;
        let allowed = |tried: &&Tried| match self.confined {
            None => true,
            Some(Confined::To(place)) => tried.place == place,
            Some(Confined::ToNone) => false,
        };
        let candidates = self.tried.iter().filter(allowed).filter(|tried| tried.times <= settings.repeats);
        let (from, tried) = candidates
            .filter_map(|tried| Some((tried.again_from?, tried)))
            .filter(|(from, tried)| self.is_there(tried.place, now, *from))
            .min_by_key(|(from, _)| *from)?;
        let most = settings.backoff.saturating_mul(1 << (tried.times - 1).min(20)).min(settings.max_backoff);
        let pause = most.mul_f64(fastrand::f64()).max(from.saturating_duration_since(now));
        (now + pause < self.deadline).then_some((tried.place, pause))
    }

    /// Whether a provider can be asked from then on, as far as is known now.
    fn is_there(&self, place: usize, now: Instant, from: Instant) -> bool {
        let core = self.bound.core;
        match core.members[place].standing(self.method, now, &core.settings.breaker) {
            Some((Standing::Until(until), _)) => until <= from,
            Some(_) => true,
            None => false,
        }
    }

    fn permit(&self, place: usize, now: Instant) -> Option<Permit> {
        let core = self.bound.core;
        core.members[place].acquire(self.method, now, self.selection.single, &core.settings.breaker)
    }

    fn begin(&mut self, place: usize, permit: Permit, now: Instant) -> Running {
        self.attempts += 1;
        let core = self.bound.core;
        let running = Running {
            core: Arc::clone(core),
            call: self.bound.call.clone(),
            place,
            method: self.method,
            permit,
            begun: now,
            deadline: self.deadline.min(now + core.settings.attempt_timeout),
            cost: core.members[place].methods[self.method].cost.of(self.arguments),
            sticky: self.bound.sticky,
            progress: Progress::Chosen,
        };
        running.begin()
    }

    /// How the call ends without an answer.
    fn end(&mut self, now: Instant) -> ProviderError {
        let Some(failure) = self.failure.take() else {
            return if now >= self.deadline {
                ProviderError::not_sent("the call's time was over before anybody was asked").ended(End::Timeout)
            } else {
                self.nobody(now)
            };
        };
        if self.is_outcome_unknown {
            return failure.ended(End::OutcomeUnknown);
        }
        match failure.class() {
            Class::Invalid => failure,
            Class::Unsupported if self.selection.is_partial => self.nobody(now).log(failure),
            Class::Unsupported => failure,
            _ if failure.is_time_out() || now >= self.deadline => failure.ended(End::Timeout),
            _ => failure.ended(End::Failed),
        }
    }

    /// Nobody is left who could be asked.
    fn nobody(&self, now: Instant) -> ProviderError {
        let (wait, reasons) = absence(self.bound.core, self.bound.only, self.method, now);
        let capability = self.bound.core.capability.name;
        ProviderError::no_provider(wait, format!("no provider of {capability} can be asked: {reasons}"))
    }
}
