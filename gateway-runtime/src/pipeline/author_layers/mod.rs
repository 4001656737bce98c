//! An author's own tower layers, at named positions of the stack. A position without layers costs a
//! branch; at one with layers, a call pays for boxed services and futures.

#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{
    TryFutureExt,
    future::{BoxFuture, Either},
};
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
    pipeline::{call_service::CallService, deadline::deadline_error, invocation::Invocation},
};

/// The position of a layer in the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerPosition {
    /// Around everything, the access log and the request log too.
    Outermost,
    /// Inside authentication: the caller is authorized, and nothing has been validated, counted or
    /// charged yet.
    AfterAuthentication,
    /// Around the method alone: a call that arrives here has been counted, and its price is held.
    /// Cache hits and replays do not arrive here.
    AroundMethod,
}

/// The inner part of the stack, which a layer wraps. Its errors are boxed [`Error`]s.
pub type InnerService = BoxCloneSyncService<Invocation, Reply, BoxError>;

/// A tower layer for the pipeline.
///
/// Every `tower::Layer` whose service fits implements it. A type of your own can implement it
/// without being a layer:
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicBool, Ordering::Relaxed}};
///
/// use gateway_runtime::{
///     pipeline::{InnerService, Invocation, LayerPosition, PipelineLayer},
///     prelude::*,
/// };
/// use tower::{ServiceExt, service_fn, util::BoxCloneSyncService};
///
/// /// Refuses calls while the flag is set.
/// struct Maintenance(Arc<AtomicBool>);
///
/// impl PipelineLayer for Maintenance {
///     fn around(&self, rest: InnerService) -> InnerService {
///         let flag = Arc::clone(&self.0);
///         BoxCloneSyncService::new(service_fn(move |call: Invocation| {
///             let is_closed = flag.load(Relaxed);
///             let rest = rest.clone();
///             async move {
///                 if is_closed {
///                     return Err(Error::new(Code::OVERLOADED, "closed for maintenance").into());
///                 }
///                 rest.oneshot(call).await
///             }
///         }))
///     }
/// }
///
/// # fn add(gateway: Gateway) -> Gateway {
/// let flag = Arc::new(AtomicBool::new(false));
/// let gateway = gateway.layer(LayerPosition::AroundMethod, Maintenance(Arc::clone(&flag)));
/// # gateway
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be put into the pipeline",
    label = "no tower layer for calls",
    note = "it is a `tower::Layer<Rest>`, `Send + Sync + 'static`, whose service is a \
            `Service<Invocation, Response = Reply>` with \
            `Error: Into<BoxError>` and `Clone + Send + Sync + 'static`, and has futures that are \
            `Send + 'static`"
)]
pub trait PipelineLayer: Send + Sync + 'static {
    /// Wraps the inner part of the stack.
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

/// The author's layers, each with its position.
#[derive(Clone, Default)]
pub struct Layers(Vec<(LayerPosition, LayerFn)>);

impl Layers {
    /// Adds a layer at a position, inside those that were added there before it.
    pub fn add(&mut self, place: LayerPosition, layer: impl PipelineLayer) {
        self.0.push((place, Arc::new(move |rest| layer.around(rest))));
    }

    /// Returns a layer that is all layers of a position.
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

/// The layer that adds [`WithAuthorLayers`].
pub(super) struct AroundLayer(Vec<LayerFn>);

impl<S: CallService> Layer<S> for AroundLayer {
    type Service = WithAuthorLayers<S>;

    fn layer(&self, inner: S) -> WithAuthorLayers<S> {
        if self.0.is_empty() {
            return WithAuthorLayers::Nothing(inner);
        }
        let rest = BoxCloneSyncService::new(inner.map_err(BoxError::from));
        WithAuthorLayers::Layers(self.0.iter().rev().fold(rest, |rest, wrap| wrap(rest)))
    }
}

/// The inner part of the stack, with or without layers around it.
#[derive(Clone, Debug)]
pub(super) enum WithAuthorLayers<S> {
    /// The inner part alone.
    Nothing(S),
    /// The inner part within layers.
    Layers(InnerService),
}

impl<S> Service<Invocation> for WithAuthorLayers<S>
where
    S: Service<Invocation, Response = Reply, Error = Error>,
{
    type Response = Reply;
    type Error = Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<Reply, Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self {
            Self::Nothing(inner) => inner.poll_ready(context),
            // Readiness is awaited within the call, so that a layer which is not ready delays only
            // calls that reach it.
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

/// Converts the error of a layer: the gateway's own error is unwrapped, errors of tower's layers
/// have codes, and any other is an internal error whose text is for the log alone.
fn into_call_error(error: BoxError, call: &Call) -> Error {
    match Error::downcast(error) {
        Ok(error) => error,
        Err(error) if error.is::<Elapsed>() => deadline_error(call),
        Err(error) if error.is::<Overloaded>() => {
            Error::new(Code::OVERLOADED, "too many calls of this kind are in progress; retry later")
        }
        Err(error) => Error::internal(error),
    }
}
