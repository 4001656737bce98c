//! The cache (RFC 9111, RFC 5861): a reply of a method that only reads is served again while it is
//! fresh, and made once for all calls that need it at the same time (SEMANTICS §9).
//!
//! A reply that is fresh, in memory and free is served at once, without a task, a box or a JSON
//! tree. All else is a [`CacheLookup`]: it searches the store, joins the flight that makes the
//! reply, or makes it. A `revalidation` renews a stale reply that has been served.

mod directives;
mod lookup;
mod policy;
mod revalidation;
mod stats;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use foldhash::fast::RandomState;
use futures_util::future::{BoxFuture, Either};
use tower::{Layer, Service};

pub use crate::pipeline::cache::stats::CacheFigures;
use crate::{
    base::{
        call::{Call, Origin},
        error::Error,
        reply::Reply,
    },
    cache::{CacheSettings, CacheStore, CachedReply, SingleFlight},
    pipeline::{
        billing::Billing,
        cache::{
            directives::RequestDirectives,
            lookup::{CacheLookup, FlightResult},
            policy::{CachePolicy, CacheStatus, ForwardReason, Freshness},
            stats::Figures,
        },
        call_service::CallService,
        invocation::Invocation,
        persistence::Persistence,
        take_ready::take_ready,
    },
    service::registry::{Method, Registry},
};

/// The cache of replies: its store, its flights and the policies of methods.
#[derive(Debug)]
pub struct ReplyCache {
    backend: Box<dyn CacheStore>,
    flights: Arc<SingleFlight<FlightResult>>,
    figures: Figures,
    /// The maximum length of a cached body, in bytes.
    longest: usize,
    /// The policies of cached methods, by the identity of their specification.
    methods: HashMap<usize, CachePolicy, RandomState>,
}

impl ReplyCache {
    /// Creates the cache from settings and attributes, with replies in `backend`; `None` if no
    /// method is cached.
    #[must_use]
    pub fn new(
        settings: &CacheSettings,
        registry: &Registry,
        backend: Box<dyn CacheStore>,
    ) -> Option<Arc<Self>> {
        let terms = |method: &Arc<Method>| {
            Some((method.spec.identity(), CachePolicy::of(method, settings)?))
        };
        let methods: HashMap<_, _, _> = registry.methods().filter_map(terms).collect();
        let longest = settings.reply_bytes;
        let (flights, figures) = (Arc::default(), Figures::default());
        (!methods.is_empty())
            .then(|| Arc::new(Self { backend, flights, figures, longest, methods }))
    }

    /// Returns the counters and the usage of the cache.
    #[must_use]
    pub fn figures(&self) -> CacheFigures {
        self.figures.read(self.backend.usage())
    }

    fn terms(&self, method: &Method) -> Option<&CachePolicy> {
        // Most methods are not cached, and pay for this check alone.
        method.spec.cache?;
        self.methods.get(&method.spec.identity())
    }

    /// Serves a reply that was made for another call, after this call has paid for it.
    fn serve_cached(
        &self,
        call: &Call,
        terms: &CachePolicy,
        status: CacheStatus,
        entry: CachedReply,
        age: Duration,
    ) -> Reply {
        call.mark_cache_hit();
        self.figures.count(status);
        terms.add_cache_headers(call, status, age);
        terms.reply(entry.body)
    }
}

/// The layer that adds [`Cached`].
#[derive(Clone, Debug)]
pub(super) struct CachedLayer {
    /// The cache; none if the layer is off.
    pub(super) caching: Option<Arc<ReplyCache>>,
    /// The store's writer, which records the calls of revalidations.
    pub(super) persistence: Option<Arc<Persistence>>,
    /// The billing of cache hits.
    pub(super) billing: Option<Arc<Billing>>,
}

impl<S> Layer<S> for CachedLayer {
    type Service = Cached<S>;

    fn layer(&self, inner: S) -> Cached<S> {
        Cached { inner, layer: self.clone() }
    }
}

/// The service that serves cached replies.
#[derive(Clone, Debug)]
pub(super) struct Cached<S> {
    inner: S,
    layer: CachedLayer,
}

impl<S: CallService> Service<Invocation> for Cached<S> {
    type Response = Reply;
    type Error = Error;
    type Future = Either<
        S::Future,
        Either<Ready<Result<Reply, Error>>, BoxFuture<'static, Result<Reply, Error>>>,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: Invocation) -> Self::Future {
        let caching = self.layer.caching.as_ref();
        let Some((caching, terms)) =
            caching.and_then(|caching| Some((caching, caching.terms(&invocation.method)?)))
        else {
            return Either::Left(self.inner.call(invocation));
        };
        let call = &invocation.request.call;
        // A browser that opens a WebSocket sends directives (`no-cache`) about the handshake alone.
        let asks = if call.origin() == Origin::Http {
            RequestDirectives::of(call.headers())
        } else {
            RequestDirectives::default()
        };
        if asks.no_store {
            policy::tell_of_nothing(call, ForwardReason::Bypass);
            return Either::Left(self.inner.call(invocation));
        }
        let key = terms.key(&invocation);
        let is_free = self.layer.billing.as_ref().is_none_or(|billing| !billing.charges_hit(call));
        if is_free
            && let Some(entry) = caching.backend.get_local(&key)
            && let age = entry.age()
            && asks.allows(age)
            && terms.judge(age) == Freshness::Fresh
        {
            return Either::Right(Either::Left(ready(Ok(caching.serve_cached(
                call,
                terms,
                CacheStatus::Hit,
                entry,
                age,
            )))));
        }
        let CachedLayer { persistence, billing, .. } = self.layer.clone();
        let search = CacheLookup { caching: Arc::clone(caching), persistence, billing, key, asks };
        let inner = take_ready(&mut self.inner);
        Either::Right(Either::Right(Box::pin(search.answer(inner, invocation))))
    }
}
