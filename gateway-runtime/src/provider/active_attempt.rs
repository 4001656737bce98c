//! One attempt while it is under way: whatever becomes of it, it ends once, and is counted and recorded.

use std::{borrow::Cow, sync::Arc, sync::atomic::Ordering::Relaxed};

use tokio::time::Instant;

use crate::{
    base::{
        attempt::{Attempt, Class},
        call::Call,
        money::Money,
        spec::Effect,
    },
    provider::{
        breaker::{Change, Permit, Verdict},
        error::ProviderError,
        member::{Member, Method},
        pool::Core,
        sticky::StickyKey,
    },
};

/// An attempt under way. Dropped without an end, its client has gone away.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) core: Arc<Core>,
    pub(super) call: Call,
    /// The place of the provider.
    pub(super) place: usize,
    pub(super) method: usize,
    pub(super) permit: Permit,
    pub(super) begun: Instant,
    pub(super) deadline: Instant,
    pub(super) cost: Option<Money>,
    pub(super) sticky: Option<StickyKey>,
    pub(super) progress: Progress,
}

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing was sent yet.
    Chosen,
    Asked,
    /// The first item of its stream is there.
    Streaming,
    Ended,
}

impl Running {
    /// Counts the attempt that begins.
    pub(super) fn begin(self) -> Self {
        let method = self.its().1;
        method.in_flight.fetch_add(1, Relaxed);
        method.latency.asked(self.core.millis(self.begun));
        self
    }

    /// The provider is asked now.
    pub(super) fn asked(mut self) -> Self {
        self.progress = Progress::Asked;
        self
    }

    /// The provider has answered.
    pub(super) fn fulfilled(mut self) {
        self.end(Class::Fulfilled, None, Cow::Borrowed(""));
    }

    /// The first item of a stream is there. A probe has done its work with it: streams may last for hours.
    pub(super) fn streaming(&mut self) {
        self.progress = Progress::Streaming;
        self.call.set_streaming_provider(self.its().0.provider.spec().name);
        let now = Instant::now();
        self.answered(now);
        if self.permit.is_probe() {
            self.settle(Verdict::Success, now);
            self.permit = self.its().1.breaker.permit_after_probe();
        }
    }

    /// It failed.
    pub(super) fn failed(mut self, error: &ProviderError) {
        self.end(error.class(), Some(error), Cow::Owned(error.message().to_owned()));
    }

    fn end(&mut self, class: Class, error: Option<&ProviderError>, why: Cow<'static, str>) {
        let now = Instant::now();
        let latency = now.saturating_duration_since(self.begun);
        let answered = class == Class::Fulfilled || self.progress == Progress::Streaming;
        if self.progress == Progress::Asked {
            let millis = self.core.millis(now);
            if !matches!(class, Class::Fulfilled | Class::Cancelled) {
                self.its().1.durations.record(latency);
            }
            match class {
                Class::Fulfilled => self.answered(now),
                Class::Invalid | Class::Unsupported => self.its().1.latency.record(millis, latency),
                Class::Ambiguous => self.its().1.latency.record_failure(millis, latency),
                Class::NotSent | Class::Rejected | Class::Cancelled => {}
            }
        }
        self.progress = Progress::Ended;
        let (member, method) = self.its();
        method.in_flight.fetch_sub(1, Relaxed);
        method.count(class);
        let attempt = Attempt {
            provider: member.provider.spec().name,
            capability: self.core.capability.name,
            method: self.core.capability.methods[self.method].name,
            class,
            status: error.and_then(ProviderError::status),
            answered,
            latency,
            cost: self.cost,
            why,
        };
        self.call.record(attempt);
        if let Some(error) = error.filter(|error| error.class() == Class::Rejected) {
            self.leave_alone(error, now);
        }
        self.settle(verdict(class, error), now);
    }

    /// The provider was not asked after all, which is no attempt.
    fn withdraw(&mut self) {
        self.progress = Progress::Ended;
        self.its().1.in_flight.fetch_sub(1, Relaxed);
        self.settle(Verdict::Neither, Instant::now());
    }

    /// The provider works, and is the one that its key was given.
    fn answered(&self, now: Instant) {
        let latency = now.saturating_duration_since(self.begun);
        let method = self.its().1;
        method.latency.record(self.core.millis(now), latency);
        method.durations.record(latency);
        if let Some(key) = self.sticky {
            self.core.sticky.answered(key, self.place);
        }
    }

    /// Does what a rejection asks for: a pause, or somebody's care.
    fn leave_alone(&self, error: &ProviderError, now: Instant) {
        let settings = &self.core.settings.breaker;
        let (member, method) = self.its();
        let pause = match (error.status(), error.retry_delay()) {
            (Some(status @ 401..=403), _) => {
                member.provider.set_aside(settings.set_aside, status, now);
                self.core.tell_aside(self.place, settings.set_aside);
                return;
            }
            (_, Some(pause)) => pause.min(settings.max_cool_down),
            (Some(429), None) => settings.cool_down,
            _ => return,
        };
        method.breaker.cool_down(now + pause);
        self.core.tell_pause(self.place, self.method, pause);
    }

    fn settle(&self, verdict: Verdict, now: Instant) {
        let (member, method) = self.its();
        let change = method.breaker.settle(self.permit, verdict, now, &self.core.settings.breaker);
        let Some(change) = change else { return };
        let provider = member.provider.spec().name;
        let (capability, method) = (self.core.capability.name, self.core.capability.methods[self.method].name);
        match change {
            Change::Opened(length) => {
                self.core.tell_open(self.place, self.method, length);
                let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(provider, capability, method, millis, "breaker opened: too many attempts failed");
            }
            Change::Closed => tracing::info!(provider, capability, method, "breaker closed: the provider works again"),
        }
    }

    /// The effect of the attempt's method.
    pub(super) fn effect(&self) -> Effect {
        self.core.capability.methods[self.method].effect
    }

    fn its(&self) -> (&Member, &Method) {
        let member = &self.core.members[self.place];
        (member, &member.methods[self.method])
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        match self.progress {
            Progress::Ended => return,
            Progress::Chosen => return self.withdraw(),
            Progress::Asked | Progress::Streaming => {}
        }
        if std::thread::panicking() {
            self.end(Class::Ambiguous, None, Cow::Borrowed("the provider's code panicked"));
        } else if self.progress == Progress::Asked && self.call.deadline() <= Instant::now().into_std() {
            self.end(Class::Ambiguous, None, Cow::Borrowed("the call's time was over"));
        } else {
            self.end(Class::Cancelled, None, Cow::Borrowed("the client went away"));
        }
    }
}

/// What the end of an attempt says of its provider. An answer that finds the request wrong shows that it works; one
/// that refuses it shows neither, unless with a 5xx.
fn verdict(class: Class, error: Option<&ProviderError>) -> Verdict {
    match class {
        Class::Fulfilled | Class::Invalid => Verdict::Success,
        Class::NotSent | Class::Ambiguous => Verdict::Failure,
        Class::Rejected if error.and_then(ProviderError::status).is_some_and(|status| status >= 500) => {
            Verdict::Failure
        }
        Class::Rejected | Class::Unsupported | Class::Cancelled => Verdict::Neither,
    }
}
