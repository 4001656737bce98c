//! The deadline of a call: drops the call when its time is over. A stream is in time once its head
//! is there.
//!
//! A deadline that ends before the method is called is a definite failure, whatever was being
//! written: the call can be retried. Under `once` and `keyed` a method that is dropped in its
//! middle leaves the outcome unknown: a provider recognizes the repetition of a `keyed` call only
//! if the caller sends its own idempotency key again.

#[cfg(test)]
mod tests;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Timeout, timeout_at};
use tower::{Layer, Service};

use crate::{
    base::{
        call::Call,
        error::{Code, Error},
        reply::Reply,
        spec::Effect,
    },
    pipeline::invocation::Invocation,
};

/// The layer that adds [`Deadline`].
#[derive(Clone, Copy, Debug)]
pub(super) struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner }
    }
}

/// The service that drops a call at its deadline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline<S> {
    inner: S,
}

impl<S> Service<Invocation> for Deadline<S>
where
    S: Service<Invocation, Response = Reply, Error = Error>,
{
    type Response = Reply;
    type Error = Error;
    type Future = DeadlineFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: Invocation) -> Self::Future {
        let call = invocation.request.call.clone();
        // The timer is registered only when the call has to wait.
        DeadlineFuture {
            inner: timeout_at(Instant::from_std(call.deadline()), self.inner.call(invocation)),
            call,
        }
    }
}

pin_project! {
    /// A call that is dropped at its deadline.
    pub(super) struct DeadlineFuture<F> {
        #[pin]
        inner: Timeout<F>,
        call: Call,
    }
}

impl<F: Future<Output = Result<Reply, Error>>> Future for DeadlineFuture<F> {
    type Output = Result<Reply, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(context));
        Poll::Ready(outcome.unwrap_or_else(|_| Err(deadline_error(this.call))))
    }
}

/// Returns the error of a call that was dropped at its deadline.
pub(super) fn deadline_error(call: &Call) -> Error {
    match call.method().effect {
        Effect::Keyed | Effect::Once if call.is_dispatched() => {
            Error::new(Code::OUTCOME_UNKNOWN, "deadline exceeded; the outcome is unknown")
        }
        _ => Error::new(Code::TIMEOUT, "deadline exceeded; the call can be retried"),
    }
}
