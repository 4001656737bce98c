//! Failover of one call: which attempt comes next, and how the call ends if none does.

use std::{sync::Arc, time::Duration};

use smallvec::SmallVec;
use tokio::time::{Instant, sleep};

use crate::{
    base::{attempt::AttemptClass, cost::Argument, spec::Effect},
    provider::{
        active_attempt::{ActiveAttempt, Progress},
        bound_pool::BoundPool,
        breaker::{Availability, Permit},
        call_failure::CallFailure,
        error::ProviderError,
        failover_rules::{self, FailoverDecision},
        retry_budget::BudgetGuard,
        selection::{self, Selection},
        unavailability::Unavailability,
    },
};

/// The state of a call while its attempts are made.
pub(super) struct Failover<'a> {
    bound: BoundPool<'a>,
    method: usize,
    arguments: &'a [&'a Argument],
    effect: Effect,
    deadline: Instant,
    selection: Selection,
    /// The index of the next candidate in the selection.
    next_in_order: usize,
    attempts: u32,
    tried: SmallVec<[TriedProvider; 4]>,
    /// The scope of further attempts; `None` if every provider may be tried.
    retry_scope: Option<RetryScope>,
    /// True if an attempt may have been executed, and another would execute the call twice.
    is_outcome_unknown: bool,
    /// The most informative failure so far.
    failure: Option<ProviderError>,
    _active: BudgetGuard<'a>,
    retry: Option<BudgetGuard<'a>>,
}

/// A provider with an attempt.
struct TriedProvider {
    member: usize,
    attempts: u32,
    /// The time from which a retry is allowed; `None` if a retry would not help.
    retry_at: Option<Instant>,
}

/// A retry at a provider that was tried.
struct Retry {
    member: usize,
    pause: Duration,
}

/// The scope of further attempts.
enum RetryScope {
    /// No provider.
    Stop,
    /// The same provider.
    SameProvider { member: usize },
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
            retry_scope: None,
            is_outcome_unknown: false,
            failure: None,
            _active: bound.core.budget.enter(),
            retry: None,
            bound,
        }
    }

    /// Returns the next attempt, after its back-off.
    ///
    /// # Errors
    ///
    /// The end of the call, if no attempt follows.
    pub(super) async fn next(&mut self) -> Result<ActiveAttempt, ProviderError> {
        self.retry = None;
        let now = Instant::now();
        if self.attempts >= self.bound.core.settings.max_attempts || now >= self.deadline {
            return Err(self.end(now));
        }
        if let Some(attempt) = self.next_candidate(now) {
            return Ok(attempt);
        }
        let Some(retry) = self.next_retry(now) else { return Err(self.end(now)) };
        self.retry = self.bound.core.budget.try_withdraw();
        if self.retry.is_none() {
            return Err(self.end(now));
        }
        sleep(retry.pause).await;
        let now = Instant::now();
        self.permit(retry.member, now)
            .map(|permit| self.begin(retry.member, permit, now))
            .ok_or_else(|| self.end(now))
    }

    /// Records in the store which provider is called next, if a crash would leave open whether it
    /// was called (SEMANTICS §7).
    ///
    /// # Errors
    ///
    /// Fails if the store cannot record it: nothing is sent, and the call ends.
    pub(super) async fn announce(
        &self,
        attempt: ActiveAttempt,
    ) -> Result<ActiveAttempt, ProviderError> {
        if let Some(witness) = self.bound.call.witness()
            && matches!(self.effect, Effect::Keyed | Effect::Once)
        {
            let provider = self.bound.core.members[attempt.member].provider.spec().name;
            witness.about_to_ask(provider).await.map_err(ProviderError::not_recorded)?;
        }
        Ok(attempt.started())
    }

    /// Records that an attempt failed, and decides what may follow.
    pub(super) fn failed(&mut self, attempt: ActiveAttempt, error: ProviderError) {
        let error = error.cap_retry_after(self.bound.core.settings.breaker.max_cool_down);
        let class = error.class();
        let member = attempt.member;
        attempt.failed(&error);
        match failover_rules::decide(self.effect, class) {
            FailoverDecision::NextProvider => {}
            FailoverDecision::SameProvider => {
                self.retry_scope = Some(RetryScope::SameProvider { member });
            }
            FailoverDecision::Stop => self.retry_scope = Some(RetryScope::Stop),
        }
        self.is_outcome_unknown |=
            class == AttemptClass::Ambiguous && matches!(self.effect, Effect::Keyed | Effect::Once);
        self.record_attempt(member, &error);
        // That one provider does not support the call is less informative than the failure of
        // another.
        if self.failure.is_none() || class != AttemptClass::Unsupported {
            self.failure = Some(error);
        }
    }

    fn record_attempt(&mut self, member: usize, error: &ProviderError) {
        let may_help = match error.class() {
            AttemptClass::NotSent | AttemptClass::Ambiguous => true,
            AttemptClass::Rejected => error.retry_delay().is_some(),
            _ => false,
        };
        let retry_at = may_help.then(|| Instant::now() + error.retry_delay().unwrap_or_default());
        match self.tried.iter_mut().find(|tried| tried.member == member) {
            Some(tried) => {
                tried.attempts += 1;
                tried.retry_at = retry_at;
            }
            None => self.tried.push(TriedProvider { member, attempts: 1, retry_at }),
        }
    }

    /// Begins an attempt at the next candidate that was not tried yet, if that is allowed.
    fn next_candidate(&mut self, now: Instant) -> Option<ActiveAttempt> {
        if self.retry_scope.is_some() {
            return None;
        }
        // A call that was started at one provider and goes on to another is load that healthy
        // providers would not cause, so it draws on the retry budget.
        if self.failure.as_ref().is_some_and(|failure| failure.class() == AttemptClass::Ambiguous) {
            self.retry = Some(self.bound.core.budget.try_withdraw()?);
        }
        while let Some(&member) = self.selection.order.get(self.next_in_order) {
            self.next_in_order += 1;
            if let Some(permit) = self.permit(member, now) {
                return Some(self.begin(member, permit, now));
            }
            self.selection.is_partial = true;
            if self.selection.is_single_probe {
                // Another call has taken the single probe.
                self.next_in_order = self.selection.order.len();
            }
        }
        self.retry = None;
        None
    }

    /// Returns the retry that can start soonest.
    fn next_retry(&self, now: Instant) -> Option<Retry> {
        let settings = &self.bound.core.settings;
        let is_in_scope = |tried: &&TriedProvider| match self.retry_scope {
            None => true,
            Some(RetryScope::SameProvider { member }) => tried.member == member,
            Some(RetryScope::Stop) => false,
        };
        let candidates = self
            .tried
            .iter()
            .filter(is_in_scope)
            .filter(|tried| tried.attempts <= settings.repeats);
        let (retry_at, tried) = candidates
            .filter_map(|tried| Some((tried.retry_at?, tried)))
            .filter(|(retry_at, tried)| self.is_available_at(tried.member, now, *retry_at))
            .min_by_key(|(retry_at, _)| *retry_at)?;
        // Full-jitter back-off (SEMANTICS §3): a random pause up to the doubled maximum.
        let max_pause = settings
            .backoff
            .saturating_mul(1 << (tried.attempts - 1).min(20))
            .min(settings.max_backoff);
        let pause = max_pause.mul_f64(fastrand::f64()).max(retry_at.saturating_duration_since(now));
        (now + pause < self.deadline).then_some(Retry { member: tried.member, pause })
    }

    /// Returns whether a provider is available at `time`, as far as is known now.
    fn is_available_at(&self, member: usize, now: Instant, time: Instant) -> bool {
        let core = self.bound.core;
        let found = core.members[member].availability(self.method, now, &core.settings.breaker);
        match found.map(|found| found.availability) {
            Some(Availability::Until(until)) => until <= time,
            Some(_) => true,
            None => false,
        }
    }

    fn permit(&self, member: usize, now: Instant) -> Option<Permit> {
        let core = self.bound.core;
        core.members[member].acquire(
            self.method,
            now,
            self.selection.is_single_probe,
            &core.settings.breaker,
        )
    }

    fn begin(&mut self, member: usize, permit: Permit, now: Instant) -> ActiveAttempt {
        self.attempts += 1;
        let core = self.bound.core;
        let attempt = ActiveAttempt {
            core: Arc::clone(core),
            call: self.bound.call.clone(),
            member,
            method: self.method,
            permit,
            begun: now,
            deadline: self.deadline.min(now + core.settings.attempt_timeout),
            cost: core.members[member].methods[self.method].cost.of(self.arguments),
            sticky: self.bound.sticky,
            progress: Progress::Chosen,
        };
        attempt.begin()
    }

    /// Returns the end of the call without a reply.
    fn end(&mut self, now: Instant) -> ProviderError {
        let Some(failure) = self.failure.take() else {
            return if now >= self.deadline {
                ProviderError::not_sent("the call's deadline passed before the first attempt")
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

    /// Returns the failure of a call for which no provider is left.
    fn no_provider_error(&self, now: Instant) -> ProviderError {
        let Unavailability { retry_after, reasons } =
            Unavailability::of(self.bound.core, self.bound.pinned, self.method, now);
        let capability = self.bound.core.capability.name;
        ProviderError::no_provider(
            retry_after,
            format!("no provider of {capability} is available: {reasons}"),
        )
    }
}
