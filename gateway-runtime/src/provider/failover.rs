//! One call of a capability's method: which attempt comes next, and what the call ends with when none does.

use std::{sync::Arc, time::Duration};

use smallvec::SmallVec;
use tokio::time::{Instant, sleep};

use crate::{
    base::{attempt::AttemptClass, cost::Argument, spec::Effect},
    provider::{
        active_attempt::{ActiveAttempt, Progress},
        bound_pool::BoundPool,
        breaker::{Availability, Permit},
        error::{CallFailure, ProviderError},
        failover_rules::{self, FailoverDecision},
        retry_budget::BudgetGuard,
        selection::{self, Selection, unavailability},
    },
};

/// What is known of a call while its attempts are made.
pub(super) struct Failover<'a> {
    bound: BoundPool<'a>,
    method: usize,
    arguments: &'a [&'a Argument],
    effect: Effect,
    deadline: Instant,
    selection: Selection,
    /// How many of the selection have had their turn.
    next_in_order: usize,
    attempts: u32,
    tried: SmallVec<[TriedProvider; 4]>,
    /// Another attempt is allowed at this provider alone, or at none.
    confined: Option<RetryScope>,
    /// It may have been done, and doing it again would do it twice.
    is_outcome_unknown: bool,
    /// The most telling failure until now.
    failure: Option<ProviderError>,
    _active: BudgetGuard<'a>,
    repetition: Option<BudgetGuard<'a>>,
}

/// A provider that was asked.
struct TriedProvider {
    place: usize,
    times: u32,
    /// From when it may be asked again; none when that would not help.
    retry_at: Option<Instant>,
}

/// Where another attempt is allowed.
enum RetryScope {
    ToNone,
    To(usize),
}

impl<'a> Failover<'a> {
    pub(super) fn new(bound: BoundPool<'a>, method: usize, arguments: &'a [&'a Argument]) -> Self {
        let now = Instant::now();
        let settings = &bound.core.settings;
        Self {
            method,
            arguments,
            effect: bound.core.capability.methods[method].effect,
            deadline: (now + settings.total_timeout).min(Instant::from_std(bound.call.deadline())),
            selection: selection::select(&bound, method, arguments, now),
            next_in_order: 0,
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
    pub(super) async fn next(&mut self) -> Result<ActiveAttempt, ProviderError> {
        self.repetition = None;
        let now = Instant::now();
        if self.attempts >= self.bound.core.settings.max_attempts || now >= self.deadline {
            return Err(self.end(now));
        }
        if let Some(running) = self.next_candidate(now) {
            return Ok(running);
        }
        let Some((place, pause)) = self.next_retry(now) else { return Err(self.end(now)) };
        self.repetition = self.bound.core.budget.try_withdraw();
        if self.repetition.is_none() {
            return Err(self.end(now));
        }
        sleep(pause).await;
        let now = Instant::now();
        self.permit(place, now)
            .map(|permit| self.begin(place, permit, now))
            .ok_or_else(|| self.end(now))
    }

    /// Has the books note which provider is about to be asked, where a crash would leave open whether it was (SEMANTICS §7).
    ///
    /// # Errors
    ///
    /// When that cannot be written: nothing is sent, and the call ends.
    pub(super) async fn announce(
        &self,
        running: ActiveAttempt,
    ) -> Result<ActiveAttempt, ProviderError> {
        if let Some(witness) = self.bound.call.witness()
            && matches!(self.effect, Effect::Keyed | Effect::Once)
        {
            let provider = self.bound.core.members[running.place].provider.spec().name;
            witness.about_to_ask(provider).await.map_err(ProviderError::not_noted)?;
        }
        Ok(running.asked())
    }

    /// Notes that an attempt failed, and what may follow.
    pub(super) fn failed(&mut self, running: ActiveAttempt, error: ProviderError) {
        let error = error.cap_retry_after(self.bound.core.settings.breaker.max_cool_down);
        let (class, place) = (error.class(), running.place);
        running.failed(&error);
        match failover_rules::decide(self.effect, class) {
            FailoverDecision::Other => {}
            FailoverDecision::Same => self.confined = Some(RetryScope::To(place)),
            FailoverDecision::Stop => self.confined = Some(RetryScope::ToNone),
        }
        self.is_outcome_unknown |=
            class == AttemptClass::Ambiguous && matches!(self.effect, Effect::Keyed | Effect::Once);
        self.record_attempt(place, &error);
        // That one provider cannot do it says less than that another failed at it.
        if self.failure.is_none() || class != AttemptClass::Unsupported {
            self.failure = Some(error);
        }
    }

    fn record_attempt(&mut self, place: usize, error: &ProviderError) {
        let may_help = match error.class() {
            AttemptClass::NotSent | AttemptClass::Ambiguous => true,
            AttemptClass::Rejected => error.retry_delay().is_some(),
            _ => false,
        };
        let again_from = may_help.then(|| Instant::now() + error.retry_delay().unwrap_or_default());
        match self.tried.iter_mut().find(|tried| tried.place == place) {
            Some(tried) => (tried.times, tried.retry_at) = (tried.times + 1, again_from),
            None => self.tried.push(TriedProvider { place, times: 1, retry_at: again_from }),
        }
    }

    /// An attempt at the next provider that was not asked yet, if that is allowed and there is one.
    fn next_candidate(&mut self, now: Instant) -> Option<ActiveAttempt> {
        if self.confined.is_some() {
            return None;
        }
        // What was begun at one provider and goes on to another is load that would not be there if all were well.
        if self.failure.as_ref().is_some_and(|failure| failure.class() == AttemptClass::Ambiguous) {
            self.repetition = Some(self.bound.core.budget.try_withdraw()?);
        }
        while let Some(&place) = self.selection.order.get(self.next_in_order) {
            self.next_in_order += 1;
            if let Some(permit) = self.permit(place, now) {
                return Some(self.begin(place, permit, now));
            }
            self.selection.is_partial = true;
            if self.selection.is_single_probe {
                // Another call was quicker to make the single probe.
                self.next_in_order = self.selection.order.len();
            }
        }
        self.repetition = None;
        None
    }

    /// The provider that may be asked again soonest, and how long to wait before.
    fn next_retry(&self, now: Instant) -> Option<(usize, Duration)> {
        let settings = &self.bound.core.settings;
        let allowed = |tried: &&TriedProvider| match self.confined {
            None => true,
            Some(RetryScope::To(place)) => tried.place == place,
            Some(RetryScope::ToNone) => false,
        };
        let candidates =
            self.tried.iter().filter(allowed).filter(|tried| tried.times <= settings.repeats);
        let (from, tried) = candidates
            .filter_map(|tried| Some((tried.retry_at?, tried)))
            .filter(|(from, tried)| self.is_available_at(tried.place, now, *from))
            .min_by_key(|(from, _)| *from)?;
        let most = settings
            .backoff
            .saturating_mul(1 << (tried.times - 1).min(20))
            .min(settings.max_backoff);
        let pause = most.mul_f64(fastrand::f64()).max(from.saturating_duration_since(now));
        (now + pause < self.deadline).then_some((tried.place, pause))
    }

    /// Whether a provider can be asked from then on, as far as is known now.
    fn is_available_at(&self, place: usize, now: Instant, from: Instant) -> bool {
        let core = self.bound.core;
        match core.members[place].availability(self.method, now, &core.settings.breaker) {
            Some((Availability::Until(until), _)) => until <= from,
            Some(_) => true,
            None => false,
        }
    }

    fn permit(&self, place: usize, now: Instant) -> Option<Permit> {
        let core = self.bound.core;
        core.members[place].acquire(
            self.method,
            now,
            self.selection.is_single_probe,
            &core.settings.breaker,
        )
    }

    fn begin(&mut self, place: usize, permit: Permit, now: Instant) -> ActiveAttempt {
        self.attempts += 1;
        let core = self.bound.core;
        let running = ActiveAttempt {
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
                ProviderError::not_sent("the call's time was over before anybody was asked")
                    .with_call_failure(CallFailure::Timeout)
            } else {
                self.no_provider_error(now)
            };
        };
        if self.is_outcome_unknown {
            return failure.with_call_failure(CallFailure::OutcomeUnknown);
        }
        match failure.class() {
            AttemptClass::Invalid => failure,
            AttemptClass::Unsupported if self.selection.is_partial => {
                self.no_provider_error(now).log(failure)
            }
            AttemptClass::Unsupported => failure,
            _ if failure.is_time_out() || now >= self.deadline => {
                failure.with_call_failure(CallFailure::Timeout)
            }
            _ => failure.with_call_failure(CallFailure::Failed),
        }
    }

    /// Nobody is left who could be asked.
    fn no_provider_error(&self, now: Instant) -> ProviderError {
        let (wait, reasons) = unavailability(self.bound.core, self.bound.pinned, self.method, now);
        let capability = self.bound.core.capability.name;
        ProviderError::no_provider(
            wait,
            format!("no provider of {capability} can be asked: {reasons}"),
        )
    }
}
