//! An author's own tower layers, at named places of the stack. Where there are none, the stack is as if the place were not
//! there; where there are some, a call pays for the boxes that they are in.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{TryFutureExt, future::Either};
use tower::{
    BoxError, Layer, Service, ServiceExt, load_shed::error::Overloaded, timeout::error::Elapsed,
    util::BoxCloneSyncService,
};

use crate::{
    base::{
        call::Call,
        error::{Code, Error},
        reply::Reply,
    },
    pipeline::{Invocation, deadline::deadline_error},
};

/// Where a layer is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerPosition {
    /// Around everything, the log and the record too.
    Outermost,
    /// Where the caller is known and may call the method; nothing has been judged, counted or charged yet.
    AfterAuthentication,
    /// Around the method alone: what answers here has been counted, and its price set aside. It sees neither what is
    /// answered from the cache nor what is answered again under an idempotency key.
    AroundMethod,
}

/// What a layer is put around: the rest of the stack. Its errors are [`Error`]s, in a box.
pub type InnerService = BoxCloneSyncService<Invocation, Reply, BoxError>;

/// A tower layer that can be put into the pipeline.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be put into the pipeline",
    label = "no tower layer for calls",
    note = "it is a `tower::Layer<Rest>`, `Send + Sync + 'static`, whose service is a `Service<Invocation, Response = Reply>` with \
            `Error: Into<BoxError>` and `Clone + Send + Sync + 'static`, and has futures that are `Send + 'static`"
)]
pub trait PipelineLayer: Send + Sync + 'static {
    /// Puts it around the rest of the stack.
    fn around(&self, rest: InnerService) -> InnerService;
}

#[diagnostic::do_not_recommend]
impl<L> PipelineLayer for L
where
    L: Layer<InnerService> + Send + Sync + 'static,
    L::Service: Service<Invocation, Response = Reply, Error: Into<BoxError>, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static,
{
    fn around(&self, rest: InnerService) -> InnerService {
        BoxCloneSyncService::new(self.layer(rest).map_err(Into::into))
    }
}

type LayerFn = Arc<dyn Fn(InnerService) -> InnerService + Send + Sync>;

/// Layers, each at its place.
#[derive(Clone, Default)]
pub struct Layers(Vec<(LayerPosition, LayerFn)>);

impl Layers {
    /// Puts a layer at a place, within those that were put there before it.
    pub fn add(&mut self, place: LayerPosition, layer: impl PipelineLayer) {
        self.0.push((place, Arc::new(move |rest| layer.around(rest))));
    }

    /// The layer that is all of those at a place.
    pub(super) fn at(&self, place: LayerPosition) -> AroundLayer {
        AroundLayer(
            self.0
                .iter()
                .filter(|(at, _)| *at == place)
                .map(|(_, wrap)| Arc::clone(wrap))
                .collect(),
        )
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(place, _)| place)).finish()
    }
}

/// Makes [`Around`].
pub(super) struct AroundLayer(Vec<LayerFn>);

impl<S> Layer<S> for AroundLayer
where
    S: Service<Invocation, Response = Reply, Error = Error, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static,
{
    type Service = WithAuthorLayers<S>;

    fn layer(&self, inner: S) -> WithAuthorLayers<S> {
        if self.0.is_empty() {
            return WithAuthorLayers::Nothing(inner);
        }
        let rest = BoxCloneSyncService::new(inner.map_err(BoxError::from));
        WithAuthorLayers::Layers(self.0.iter().rev().fold(rest, |rest, wrap| wrap(rest)))
    }
}

/// The rest of the stack, with or without something around it.
#[derive(Clone, Debug)]
pub(super) enum WithAuthorLayers<S> {
    /// Without.
    Nothing(S),
    /// With.
    Layers(InnerService),
}

type Boxed = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

impl<S> Service<Invocation> for WithAuthorLayers<S>
where
    S: Service<Invocation, Response = Reply, Error = Error>,
{
    type Response = Reply;
    type Error = Error;
    type Future = Either<S::Future, Boxed>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self {
            Self::Nothing(inner) => inner.poll_ready(context),
            // Asked within the call: what is not ready keeps that call waiting, and none that does not get this far.
            Self::Layers(_) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, invocation: Invocation) -> Self::Future {
        match self {
            Self::Nothing(inner) => Either::Left(inner.call(invocation)),
            Self::Layers(layers) => {
                let call = invocation.request.call.clone();
                Either::Right(Box::pin(
                    layers
                        .clone()
                        .oneshot(invocation)
                        .map_err(move |error| into_call_error(error, &call)),
                ))
            }
        }
    }
}

/// What a layer's error means: ours is itself, those of tower's own layers have codes, and any other is a fault that only
/// the log is told of.
fn into_call_error(error: BoxError, call: &Call) -> Error {
    match Error::downcast(error) {
        Ok(error) => error,
        Err(error) if error.is::<Elapsed>() => deadline_error(call),
        Err(error) if error.is::<Overloaded>() => {
            Error::new(Code::OVERLOADED, "too many calls of this kind are being carried out")
        }
        Err(error) => Error::internal(error),
    }
}
