//! Layers with an optional part. Without the part, calls pass through, at the cost of a branch.

use std::task::{Context, Poll};

use futures_util::future::Either;
use tower::{Layer, Service};

use crate::{
    base::{error::Error, reply::Reply},
    pipeline::{call_service::CallService, invocation::Invocation},
};

/// The part of a layer.
pub(super) trait OptionalPart: Clone {
    /// The future of a call that does not pass through.
    type Future<S: CallService>: Future<Output = Result<Reply, Error>> + Send + 'static;

    /// Passes a call through to `inner` (`Left`), or executes it otherwise (`Right`).
    ///
    /// `inner` was polled ready. A future that calls it later takes it with
    /// [`take_ready`](crate::pipeline::take_ready::take_ready).
    fn call<S: CallService>(
        &self,
        inner: &mut S,
        invocation: Invocation,
    ) -> Either<S::Future, Self::Future<S>>;
}

/// The layer that adds [`Optional`].
#[derive(Clone, Debug)]
pub(super) struct OptionalLayer<P>(pub(super) Option<P>);

impl<P> OptionalLayer<P> {
    /// Creates the layer; without a part it is off.
    pub(super) fn new(part: Option<P>) -> Self {
        Self(part)
    }
}

impl<S, P: Clone> Layer<S> for OptionalLayer<P> {
    type Service = Optional<S, P>;

    fn layer(&self, inner: S) -> Optional<S, P> {
        Optional { inner, part: self.0.clone() }
    }
}

/// The service that executes calls by its part, if it has one.
#[derive(Clone, Debug)]
pub(super) struct Optional<S, P> {
    inner: S,
    part: Option<P>,
}

impl<S: CallService, P: OptionalPart> Service<Invocation> for Optional<S, P> {
    type Response = Reply;
    type Error = Error;
    type Future = Either<S::Future, P::Future<S>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: Invocation) -> Self::Future {
        match &self.part {
            Some(part) => part.call(&mut self.inner, invocation),
            None => Either::Left(self.inner.call(invocation)),
        }
    }
}
