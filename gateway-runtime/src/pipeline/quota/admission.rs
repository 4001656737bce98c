//! The admission of a call: the tokens and slots that it took, given back when it ends, however it
//! ends.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use futures_util::StreamExt;
use pin_project_lite::pin_project;

use crate::{
    base::{
        call::Call,
        error::Error,
        reply::{Chunks, Reply},
    },
    pipeline::quota::{BucketsBackend, QuotaEnforcer},
    quota::{FallbackBuckets, MethodLimits, PartitionKey, Policy},
};

/// The buckets from which a call took its tokens and slots.
pub(super) enum AdmissionSource {
    Memory,
    Share(Arc<FallbackBuckets>),
    Redis(Arc<FallbackBuckets>),
    /// Redis has not replied yet: the call may have a slot, and whether it has tokens is unknown.
    Asked(Arc<FallbackBuckets>),
}

/// The guard of an admission. Its drop is the end of the call.
pub(super) struct AdmissionGuard {
    limiting: Arc<QuotaEnforcer>,
    limits: Arc<MethodLimits>,
    call: Call,
    whose: PartitionKey,
    /// The source of the admission; none if there is nothing to give back.
    from: Option<AdmissionSource>,
    /// Whether the call is being polled: a drop meanwhile is a panic.
    is_polled: bool,
    failed: Option<bool>,
}

impl AdmissionGuard {
    pub(super) fn new(
        limiting: &Arc<QuotaEnforcer>,
        limits: Arc<MethodLimits>,
        call: &Call,
        whose: PartitionKey,
        from: AdmissionSource,
    ) -> Self {
        let (limiting, call) = (Arc::clone(limiting), call.clone());
        Self { limiting, limits, call, whose, from: Some(from), is_polled: false, failed: None }
    }

    /// Sets the source of the admission after the decision; `None` if nothing was taken.
    pub(super) fn set_source(&mut self, from: Option<AdmissionSource>) {
        self.from = from;
    }

    /// Ends the call. If the reply is a stream, its slots are held until the stream has ended.
    pub(super) fn end(mut self, outcome: Result<Reply, Error>) -> Result<Reply, Error> {
        self.failed = Some(outcome.is_err());
        match outcome {
            Ok(Reply::Items(chunks)) if self.limits.has_concurrency => {
                Ok(Reply::Items(self.until_the_end(chunks)))
            }
            Ok(Reply::RawStream(media, chunks)) if self.limits.has_concurrency => {
                Ok(Reply::RawStream(media, self.until_the_end(chunks)))
            }
            whole => whole,
        }
    }

    /// Ends the call as [`end`](Self::end) does, after Redis has confirmed the release, so that the
    /// caller's next call finds it done.
    pub(super) async fn release_confirmed(
        mut self,
        outcome: Result<Reply, Error>,
    ) -> Result<Reply, Error> {
        self.failed = Some(outcome.is_err());
        let streams = matches!(outcome, Ok(Reply::Items(_) | Reply::RawStream(..)));
        if let Some(AdmissionSource::Redis(shared)) = &self.from
            && !streams
        {
            let refund = self.refund();
            let ended = match refund.is_empty() && !self.limits.has_concurrency {
                true => Ok(()),
                false => {
                    shared.release(&self.whose, &self.limits, &refund, self.call.nonce()).await
                }
            };
            if ended.is_ok() {
                self.from = None;
            }
        }
        self.end(outcome)
    }

    fn until_the_end(self, chunks: Chunks) -> Chunks {
        Box::pin(chunks.map(move |chunk| {
            let _held = &self;
            chunk
        }))
    }

    /// Returns whether the call has failed. A call that was cut off by its deadline or a panic has;
    /// one whose caller has disconnected has not, since it may have been executed.
    fn has_failed(&self) -> bool {
        self.failed.unwrap_or_else(|| self.is_polled || Instant::now() >= self.call.deadline())
    }

    fn refund(&self) -> Vec<Policy> {
        if self.has_failed() { self.limiting.refund(&self.call, &self.limits) } else { Vec::new() }
    }
}

impl Drop for AdmissionGuard {
    fn drop(&mut self) {
        let Some(from) = self.from.take() else { return };
        let refund =
            if matches!(from, AdmissionSource::Asked(_)) { Vec::new() } else { self.refund() };
        if refund.is_empty() && !self.limits.has_concurrency {
            return;
        }
        match from {
            AdmissionSource::Memory => {
                if let BucketsBackend::Memory(memory) = &self.limiting.buckets {
                    memory.release(&self.whose, &self.limits.policies, &refund);
                }
            }
            AdmissionSource::Share(shared) => {
                let refund: Vec<_> = self
                    .limits
                    .share
                    .iter()
                    .filter(|p| refund.iter().any(|r| r.name == p.name))
                    .cloned()
                    .collect();
                shared.release_in_share(&self.whose, &self.limits, &refund);
            }
            AdmissionSource::Redis(shared) | AdmissionSource::Asked(shared) => {
                shared.release_in_background(
                    self.whose.clone(),
                    Arc::clone(&self.limits),
                    refund,
                    self.call.nonce(),
                );
            }
        }
    }
}

pin_project! {
    /// A call, and the guard of its admission.
    pub(super) struct Guarded<F> {
        #[pin]
        inner: F,
        // None after the call has ended.
        hold: Option<AdmissionGuard>,
    }
}

impl<F> Guarded<F> {
    pub(super) fn new(inner: F, hold: AdmissionGuard) -> Self {
        Self { inner, hold: Some(hold) }
    }
}

impl<F: Future<Output = Result<Reply, Error>>> Future for Guarded<F> {
    type Output = (Result<Reply, Error>, Option<AdmissionGuard>);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(hold) = this.hold {
            hold.is_polled = true;
        }
        let polled = this.inner.poll(context);
        if let Some(hold) = this.hold {
            hold.is_polled = false;
        }
        Poll::Ready((ready!(polled), this.hold.take()))
    }
}
