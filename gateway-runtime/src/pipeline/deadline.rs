//! Ends a call that has not been answered in its time. A stream is answered once its head is there.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Timeout, timeout_at};
use tower::{Layer, Service};

use crate::{
    error::{Code, Error},
    pipeline::Invocation,
    reply::Reply,
    spec::Effect,
};

/// Makes [`Deadline`].
#[derive(Clone, Copy, Debug)]
pub(super) struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner }
    }
}

/// Drops the call at its deadline.
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
        let deadline = Instant::from_std(invocation.request.call.deadline());
        let effect = invocation.method.spec.effect;
        // The timer is only registered once the call has to wait.
        DeadlineFuture { inner: timeout_at(deadline, self.inner.call(invocation)), effect }
    }
}

pin_project! {
    /// The call, or its end.
    pub(super) struct DeadlineFuture<F> {
        #[pin]
        inner: Timeout<F>,
        effect: Effect,
    }
}

impl<F: Future<Output = Result<Reply, Error>>> Future for DeadlineFuture<F> {
    type Output = Result<Reply, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(context));
        Poll::Ready(outcome.unwrap_or_else(|_| Err(too_late(*this.effect))))
    }
}

/// What was dropped in its middle may have been done.
pub(super) fn too_late(effect: Effect) -> Error {
    match effect {
        Effect::Once => Error::new(
            Code::OUTCOME_UNKNOWN,
            "the call was not answered in its time; whether it was carried out is not known",
        ),
        Effect::Read | Effect::Idempotent | Effect::Keyed => {
            Error::new(Code::TIMEOUT, "the call was not answered in its time; it may be sent again")
        }
    }
}
