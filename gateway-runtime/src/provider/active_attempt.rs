//! The active attempt. However it ends, it ends once, and is then counted and recorded.

use std::{borrow::Cow, sync::Arc, sync::atomic::Ordering::Relaxed};

use tokio::time::Instant;

use crate::{
    base::{
        attempt::{Attempt, AttemptClass},
        call::Call,
        money::Money,
        spec::Effect,
    },
    provider::{
        breaker::{Permit, Sample, Transition},
        error::ProviderError,
        member::{MethodState, PoolMember},
        pool_core::PoolCore,
        sticky::StickyKey,
    },
};

/// An attempt in progress. Dropping it before its end records it as cancelled by the client, or as
/// ambiguous if the provider's code panicked or the call's deadline has passed.
#[derive(Debug)]
pub(super) struct ActiveAttempt {
    pub(super) core: Arc<PoolCore>,
    pub(super) call: Call,
    /// The index of the provider in the pool.
    pub(super) member: usize,
    pub(super) method: usize,
    pub(super) permit: Permit,
    pub(super) begun: Instant,
    pub(super) deadline: Instant,
    pub(super) cost: Option<Money>,
    pub(super) sticky: Option<StickyKey>,
    pub(super) progress: Progress,
}

/// The provider and the method that an attempt calls.
#[derive(Clone, Copy)]
struct Target<'a> {
    member: &'a PoolMember,
    method: &'a MethodState,
}

/// The progress of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The provider is chosen; nothing was sent yet.
    Chosen,
    /// The provider is called.
    Started,
    /// The first item of the stream has arrived.
    Streaming,
    Ended,
}

impl ActiveAttempt {
    /// Counts the attempt as in flight.
    pub(super) fn begin(self) -> Self {
        let Target { method, .. } = self.target();
        method.in_flight.fetch_add(1, Relaxed);
        method.latency.record_start(self.core.millis(self.begun));
        self
    }

    /// Marks the attempt as started: the provider is called now.
    pub(super) fn started(mut self) -> Self {
        self.progress = Progress::Started;
        self
    }

    /// Ends the attempt as fulfilled.
    pub(super) fn fulfilled(mut self) {
        self.end(AttemptClass::Fulfilled, None, Cow::Borrowed(""));
    }

    /// Records the first item of a stream. It ends a probe as a success, since streams may last for
    /// hours.
    pub(super) fn streaming(&mut self) {
        self.progress = Progress::Streaming;
        self.call.set_streaming_provider(self.target().member.provider.spec().name);
        let now = Instant::now();
        self.record_success(now);
        if self.permit.is_probe() {
            self.record_sample(Sample::Success, now);
            self.permit = self.target().method.breaker.permit_after_probe();
        }
    }

    /// Ends the attempt with `error`.
    pub(super) fn failed(mut self, error: &ProviderError) {
        self.end(error.class(), Some(error), Cow::Owned(error.message().to_owned()));
    }

    fn end(
        &mut self,
        class: AttemptClass,
        error: Option<&ProviderError>,
        reason: Cow<'static, str>,
    ) {
        let now = Instant::now();
        let latency = now.saturating_duration_since(self.begun);
        let has_reply = class == AttemptClass::Fulfilled || self.progress == Progress::Streaming;
        if self.progress == Progress::Started {
            let millis = self.core.millis(now);
            if !matches!(class, AttemptClass::Fulfilled | AttemptClass::Cancelled) {
                self.target().method.durations.record(latency);
            }
            match class {
                AttemptClass::Fulfilled => self.record_success(now),
                AttemptClass::Invalid | AttemptClass::Unsupported => {
                    self.target().method.latency.record(millis, latency)
                }
                AttemptClass::Ambiguous => {
                    self.target().method.latency.record_failure(millis, latency)
                }
                AttemptClass::NotSent | AttemptClass::Rejected | AttemptClass::Cancelled => {}
            }
        }
        self.progress = Progress::Ended;
        let Target { member, method } = self.target();
        method.in_flight.fetch_sub(1, Relaxed);
        method.count(class);
        let attempt = Attempt {
            provider: member.provider.spec().name,
            capability: self.core.capability.name,
            method: self.core.capability.methods[self.method].name,
            effect: self.effect(),
            class,
            status: error.and_then(ProviderError::status),
            answered: has_reply,
            latency,
            cost: self.cost,
            reason,
        };
        self.call.record(attempt);
        if let Some(error) = error.filter(|error| error.class() == AttemptClass::Rejected) {
            self.apply_cool_down(error, now);
        }
        self.record_sample(sample_of(class, error), now);
    }

    /// Withdraws an attempt that was not started; it is no attempt, and is not recorded.
    fn withdraw(&mut self) {
        self.progress = Progress::Ended;
        self.target().method.in_flight.fetch_sub(1, Relaxed);
        self.record_sample(Sample::Ignored, Instant::now());
    }

    /// Records the latency of a success, and confirms the provider of the sticky key.
    fn record_success(&self, now: Instant) {
        let latency = now.saturating_duration_since(self.begun);
        let Target { method, .. } = self.target();
        method.latency.record(self.core.millis(now), latency);
        method.durations.record(latency);
        if let Some(key) = self.sticky {
            self.core.sticky.confirm(key, self.member);
        }
    }

    /// Applies the cool-down of a 429, or of another rejection with a retry delay; sets the
    /// provider aside after 401, 402 or 403.
    fn apply_cool_down(&self, error: &ProviderError, now: Instant) {
        let settings = &self.core.settings.breaker;
        let Target { member, method } = self.target();
        let pause = match (error.status(), error.retry_delay()) {
            (Some(status @ 401..=403), _) => {
                member.provider.set_aside(settings.set_aside, status, now);
                self.core.publish_set_aside(self.member, settings.set_aside);
                return;
            }
            (_, Some(pause)) => pause.min(settings.max_cool_down),
            (Some(429), None) => settings.cool_down,
            _ => return,
        };
        method.breaker.cool_down(now + pause);
        self.core.publish_cool_down(self.member, self.method, pause);
    }

    fn record_sample(&self, sample: Sample, now: Instant) {
        let Target { member, method } = self.target();
        let transition =
            method.breaker.record(self.permit, sample, now, &self.core.settings.breaker);
        let Some(transition) = transition else { return };
        let provider = member.provider.spec().name;
        let capability = self.core.capability.name;
        let method = self.core.capability.methods[self.method].name;
        match transition {
            Transition::Opened(length) => {
                self.core.publish_open(self.member, self.method, length);
                let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(
                    provider,
                    capability,
                    method,
                    millis,
                    "breaker opened: too many attempts failed"
                );
            }
            Transition::Closed => {
                tracing::info!(provider, capability, method, "breaker closed: the probes succeeded")
            }
        }
    }

    /// Returns the effect of the attempt's method.
    pub(super) fn effect(&self) -> Effect {
        self.core.capability.methods[self.method].effect
    }

    fn target(&self) -> Target<'_> {
        let member = &self.core.members[self.member];
        Target { member, method: &member.methods[self.method] }
    }
}

impl Drop for ActiveAttempt {
    fn drop(&mut self) {
        match self.progress {
            Progress::Ended => return,
            Progress::Chosen => return self.withdraw(),
            Progress::Started | Progress::Streaming => {}
        }
        if std::thread::panicking() {
            self.end(AttemptClass::Ambiguous, None, Cow::Borrowed("the provider's code panicked"));
        } else if self.progress == Progress::Started
            && self.call.deadline() <= Instant::now().into_std()
        {
            self.end(AttemptClass::Ambiguous, None, Cow::Borrowed("the call's deadline passed"));
        } else {
            self.end(AttemptClass::Cancelled, None, Cow::Borrowed("the client disconnected"));
        }
    }
}

/// Returns the breaker's sample of an attempt. An `invalid` reply shows that the provider works. A
/// rejection is ignored, unless its status is 5xx: then it is a failure.
fn sample_of(class: AttemptClass, error: Option<&ProviderError>) -> Sample {
    match class {
        AttemptClass::Fulfilled | AttemptClass::Invalid => Sample::Success,
        AttemptClass::NotSent | AttemptClass::Ambiguous => Sample::Failure,
        AttemptClass::Rejected
            if error.and_then(ProviderError::status).is_some_and(|status| status >= 500) =>
        {
            Sample::Failure
        }
        AttemptClass::Rejected | AttemptClass::Unsupported | AttemptClass::Cancelled => {
            Sample::Ignored
        }
    }
}
