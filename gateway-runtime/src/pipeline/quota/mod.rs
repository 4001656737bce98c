//! Quotas: a call takes a token of each rate and a slot of each concurrency that apply to it, or is
//! refused (SEMANTICS §6).

mod admission;
#[cfg(test)]
mod tests;

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::future::{self, BoxFuture, Either, Ready};
use http::{HeaderName, HeaderValue};
use pin_project_lite::pin_project;

use crate::{
    base::{
        call::Call,
        error::{Code, Error},
        reply::Reply,
    },
    pipeline::{
        call_service::CallService,
        invocation::Invocation,
        optional_layer::{Optional, OptionalLayer, OptionalPart},
        quota::admission::{AdmissionGuard, AdmissionSource, Guarded},
        take_ready::take_ready,
    },
    quota::{
        AdmittedBy, FallbackBuckets, MemoryBuckets, MethodLimits, PartitionKey, Policy, QuotaRules,
        QuotaSettings, QuotaStatus, RegisteredMethods,
    },
    redis::Redis,
    service::registry::Registry,
};

/// The policies in effect (draft-ietf-httpapi-ratelimit-headers-10).
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The status of the most restrictive policy (the same draft).
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The `Retry-After` of a concurrency limit, since the end of running calls is unknown.
const CONCURRENCY_RETRY_AFTER: Duration = Duration::from_secs(1);

/// The enforcer of quotas. The rules can change while it is in use; tokens that were taken stay
/// taken.
#[derive(Debug)]
pub struct QuotaEnforcer {
    rules: ArcSwap<QuotaRules>,
    /// The settings from which the rules were created.
    settings: ArcSwap<QuotaSettings>,
    methods: RegisteredMethods,
    buckets: BucketsBackend,
}

#[derive(Debug)]
enum BucketsBackend {
    Memory(Box<MemoryBuckets>),
    Shared(Arc<FallbackBuckets>),
}

impl QuotaEnforcer {
    /// Creates the enforcer from settings and attributes, with the buckets in Redis if there is
    /// one.
    #[must_use]
    pub fn new(settings: &QuotaSettings, registry: &Registry, redis: Option<Redis>) -> Arc<Self> {
        let methods: RegisteredMethods =
            registry.methods().map(|method| (method.service, method.spec)).collect();
        let buckets = match redis {
            Some(redis) => BucketsBackend::Shared(Arc::new(FallbackBuckets::new(redis))),
            None => BucketsBackend::Memory(Box::default()),
        };
        let rules = ArcSwap::from_pointee(QuotaRules::new(settings, Arc::clone(&methods)));
        Arc::new(Self {
            rules,
            settings: ArcSwap::from_pointee(settings.clone()),
            methods,
            buckets,
        })
    }

    /// Applies other settings, all at once. Buckets stay as they are.
    pub fn apply(&self, settings: &QuotaSettings) {
        self.rules.store(Arc::new(QuotaRules::new(settings, Arc::clone(&self.methods))));
        self.settings.store(Arc::new(settings.clone()));
    }

    /// Returns the settings in effect.
    #[must_use]
    pub fn settings(&self) -> Arc<QuotaSettings> {
        self.settings.load_full()
    }

    /// Returns the names in `settings` of services and methods that are not registered: typing
    /// mistakes, or those of other gateways.
    #[must_use]
    pub fn unknown_names(&self, settings: &QuotaSettings) -> Vec<String> {
        QuotaRules::unknown_names(settings, &self.methods)
    }

    /// Returns the number of calls that were decided by the local share alone, since Redis was
    /// unavailable.
    #[must_use]
    pub fn judged_alone(&self) -> u64 {
        match &self.buckets {
            BucketsBackend::Memory(_) => 0,
            BucketsBackend::Shared(shared) => shared.local_decisions(),
        }
    }

    /// Waits until all releases in flight are confirmed.
    pub async fn flushed(&self) {
        if let BucketsBackend::Shared(shared) = &self.buckets {
            shared.flushed().await;
        }
    }

    /// Returns the limits of a call, and whether it gives anything back when it ends.
    fn limits(&self, call: &Call) -> Option<(Arc<MethodLimits>, bool)> {
        let rules = self.rules.load();
        let limits = rules.limits(call)?;
        let keeps = rules.only_fulfilled || limits.has_concurrency;
        Some((limits, keeps))
    }

    /// Returns the policies of which a failed call gives a token back: those of `limits` that still
    /// exist, as they are now.
    fn refund(&self, call: &Call, limits: &MethodLimits) -> Vec<Policy> {
        let rules = self.rules.load();
        let Some(now) = rules.limits(call).filter(|_| rules.only_fulfilled) else {
            return Vec::new();
        };
        let was_taken =
            |policy: &&Policy| limits.policies.iter().any(|taken| taken.name == policy.name);
        now.policies.iter().filter(was_taken).cloned().collect()
    }
}

/// Adds `RateLimit-Policy` and `RateLimit` to the response.
fn add_rate_limit_headers(limits: &MethodLimits, call: &Call, standing: &QuotaStatus) {
    if let Ok(standing) = HeaderValue::try_from(standing.to_string()) {
        call.add_response_header(POLICY, limits.header.clone());
        call.add_response_header(LIMIT, standing);
    }
}

fn exceeded(standing: &QuotaStatus) -> Error {
    let detail = match standing.reset {
        Some(_) => format!("quota `{}` exceeded", standing.name),
        None => format!("concurrency limit `{}` reached", standing.name),
    };
    Error::new(Code::QUOTA_EXCEEDED, detail)
        .with_retry_after(standing.reset.unwrap_or(CONCURRENCY_RETRY_AFTER))
}

/// The layer that adds [`EnforceQuota`].
pub(super) type EnforceQuotaLayer = OptionalLayer<Arc<QuotaEnforcer>>;

/// The service that refuses calls over their quota.
pub(super) type EnforceQuota<S> = Optional<S, Arc<QuotaEnforcer>>;

impl OptionalPart for Arc<QuotaEnforcer> {
    type Future<S: CallService> = Either<
        LimitFuture<S::Future>,
        Either<Ready<Result<Reply, Error>>, BoxFuture<'static, Result<Reply, Error>>>,
    >;

    fn call<S: CallService>(
        &self,
        inner: &mut S,
        invocation: Invocation,
    ) -> Either<S::Future, Self::Future<S>> {
        let call = &invocation.request.call;
        let Some((limits, keeps)) = self.limits(call) else {
            return Either::Left(inner.call(invocation));
        };
        let memory = match &self.buckets {
            BucketsBackend::Memory(memory) => memory,
            BucketsBackend::Shared(shared) => {
                let (enforcer, shared) = (Arc::clone(self), Arc::clone(shared));
                let asked = ask(take_ready(inner), invocation, enforcer, limits, shared);
                return Either::Right(Either::Right(Either::Right(Box::pin(asked))));
            }
        };
        let whose = PartitionKey::of(call);
        match memory.admit(&whose, &limits.policies) {
            Ok(standing) => {
                add_rate_limit_headers(&limits, call, &standing);
                if !keeps {
                    return Either::Left(inner.call(invocation));
                }
                let from = AdmissionSource::Memory;
                let hold = AdmissionGuard::new(self, limits, call, whose, from);
                let running = Guarded::new(inner.call(invocation), hold);
                Either::Right(Either::Left(LimitFuture { running }))
            }
            Err(standing) => {
                add_rate_limit_headers(&limits, call, &standing);
                let refused = future::ready(Err(exceeded(&standing)));
                Either::Right(Either::Right(Either::Left(refused)))
            }
        }
    }
}

/// Executes a call whose buckets are in Redis.
async fn ask<S: CallService>(
    mut inner: S,
    invocation: Invocation,
    limiting: Arc<QuotaEnforcer>,
    limits: Arc<MethodLimits>,
    shared: Arc<FallbackBuckets>,
) -> Result<Reply, Error> {
    let call = invocation.request.call.clone();
    let whose = PartitionKey::of(&call);
    // Created before the request: a call that is dropped before the reply may have a slot.
    let mut hold = AdmissionGuard::new(
        &limiting,
        Arc::clone(&limits),
        &call,
        whose.clone(),
        AdmissionSource::Asked(Arc::clone(&shared)),
    );
    let admission = shared.admit(&whose, &limits, call.nonce()).await;
    hold.set_source(match (&admission.result, admission.admitted_by) {
        (Ok(_), AdmittedBy::Redis) => Some(AdmissionSource::Redis(shared)),
        (Ok(_), AdmittedBy::Share) => Some(AdmissionSource::Share(shared)),
        (Err(_), _) => None,
    });
    match admission.result {
        Ok(standing) => add_rate_limit_headers(&limits, &call, &standing),
        Err(standing) => {
            add_rate_limit_headers(&limits, &call, &standing);
            return Err(exceeded(&standing));
        }
    }
    let (outcome, hold) = Guarded::new(inner.call(invocation), hold).await;
    match hold {
        Some(hold) => hold.release_confirmed(outcome).await,
        None => outcome,
    }
}

pin_project! {
    /// A call, and the guard of its admission.
    pub(super) struct LimitFuture<F> {
        #[pin]
        running: Guarded<F>,
    }
}

impl<F: Future<Output = Result<Reply, Error>>> Future for LimitFuture<F> {
    type Output = Result<Reply, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (outcome, hold) = ready!(self.project().running.poll(context));
        Poll::Ready(match hold {
            Some(hold) => hold.end(outcome),
            None => outcome,
        })
    }
}
