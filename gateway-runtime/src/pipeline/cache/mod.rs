//! The cache (RFC 9111, RFC 5861): the answer of a method that only reads is given again while it is fresh, and made
//! once for all who want it at the same time.
//!
//! An answer that is fresh, in memory and free is given at once, without a task, a box or a tree of values. All else is in
//! [`Search`]: look where answers are kept, join who is making this one, or make it.

mod directives;
mod lookup;
mod policy;
mod stats;

use std::{
    collections::HashMap,
    future::{Future, Ready, ready},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use foldhash::fast::RandomState;
use futures_util::future::Either;
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
        Invocation,
        billing::Billing,
        cache::{
            directives::RequestDirectives,
            lookup::{CacheLookup, FlightResult},
            policy::{CachePolicy, CacheStatus, ForwardReason, Freshness},
            stats::Figures,
        },
        persistence::Persistence,
    },
    service::registry::{Method, Registry},
};

/// What answers are kept with.
#[derive(Debug)]
pub struct ReplyCache {
    backend: Box<dyn CacheStore>,
    flights: Arc<SingleFlight<FlightResult>>,
    figures: Figures,
    /// The longest body that is kept, in bytes.
    longest: usize,
    /// The methods that are cached, by where their specification stands in the program.
    methods: HashMap<usize, CachePolicy, RandomState>,
}

impl ReplyCache {
    /// By what settings and attributes say, in `backend`; none when no method is cached.
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

    /// How often it helped, and what it holds.
    #[must_use]
    pub fn figures(&self) -> CacheFigures {
        self.figures.read(self.backend.usage())
    }

    fn terms(&self, method: &Method) -> Option<&CachePolicy> {
        // What most methods are asked, and no more than this.
        method.spec.cache?;
        self.methods.get(&method.spec.identity())
    }

    /// Gives a call that has paid for it an answer that was made for another.
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

/// Makes [`Cached`].
#[derive(Clone, Debug)]
pub(super) struct CachedLayer {
    /// None: the stage is off.
    pub(super) caching: Option<Arc<ReplyCache>>,
    /// What the calls are written down with by which answers are made anew.
    pub(super) keeping: Option<Arc<Persistence>>,
    /// What answers are charged with that are given again.
    pub(super) billing: Option<Arc<Billing>>,
}

impl<S> Layer<S> for CachedLayer {
    type Service = Cached<S>;

    fn layer(&self, inner: S) -> Cached<S> {
        Cached { inner, layer: self.clone() }
    }
}

/// Gives answers again.
#[derive(Clone, Debug)]
pub(super) struct Cached<S> {
    inner: S,
    layer: CachedLayer,
}

type Searching = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

impl<S> Service<Invocation> for Cached<S>
where
    S: Service<Invocation, Response = Reply, Error = Error, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static,
{
    type Response = Reply;
    type Error = Error;
    type Future = Either<S::Future, Either<Ready<Result<Reply, Error>>, Searching>>;

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
        // What browsers say of a WebSocket when they open it (`no-cache`) is about that alone.
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
        let CachedLayer { keeping, billing, .. } = self.layer.clone();
        let search = CacheLookup { caching: Arc::clone(caching), keeping, billing, key, asks };
        // The one that is ready goes along; a copy stays.
        let mut inner = self.inner.clone();
        std::mem::swap(&mut inner, &mut self.inner);
        Either::Right(Either::Right(Box::pin(search.answer(inner, invocation))))
    }
}
