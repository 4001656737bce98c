//! Quotas: a call takes a token for each policy that it is under, or is refused.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    ptr,
    sync::Arc,
    task::{Context, Poll, ready},
};

use foldhash::fast::RandomState;
use futures_util::future::{self, Either, Ready};
use http::{HeaderName, HeaderValue};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::Invocation;
use crate::{
    call::Call,
    error::{Code, Error},
    quota::{Policy, QuotaSettings, Quotas, Rate, Standing, Whose},
    registry::{Method, Registry},
    reply::Reply,
    spec::MethodSpec,
};

/// draft-ietf-httpapi-ratelimit-headers-10
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The same.
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// What calls are limited with.
#[derive(Debug)]
pub struct Limiting {
    quotas: Quotas,
    only_fulfilled: bool,
    /// The methods that are under any policy, by where their specification stands in the program.
    methods: HashMap<usize, Arc<Limits>, RandomState>,
}

/// What calls of one method are limited by.
#[derive(Debug)]
struct Limits {
    /// The widest first.
    policies: Vec<Policy>,
    /// The same for clients.
    header: HeaderValue,
}

impl Limiting {
    /// By what settings and attributes say; none when nothing is limited.
    #[must_use]
    pub fn new(settings: &QuotaSettings, registry: &Registry) -> Option<Arc<Self>> {
        if !settings.enabled {
            return None;
        }
        let limits = |method: &Arc<Method>| Some((place(method.spec), Arc::new(Limits::of(method, settings)?)));
        let methods: HashMap<_, _, _> = registry.methods().filter_map(limits).collect();
        let (quotas, only_fulfilled) = (Quotas::default(), settings.only_fulfilled);
        (!methods.is_empty()).then(|| Arc::new(Self { quotas, only_fulfilled, methods }))
    }
}

fn place(spec: &'static MethodSpec) -> usize {
    ptr::from_ref(spec).addr()
}

impl Limits {
    fn of(method: &Method, settings: &QuotaSettings) -> Option<Self> {
        let (service, version, name) = (method.service.name, method.service.version, method.spec.name);
        let total = settings.total.map(|rate| Policy { name: "total".into(), rate });
        let of_service = settings.services.get(service).map(|rate| Policy { name: service.into(), rate: *rate });
        let of_method = method.spec.quota.map(|quota| Policy {
            name: format!("{service}/v{version}/{name}").into(),
            rate: Rate { calls: quota.calls, per: quota.per },
        });
        let policies: Vec<_> = total.into_iter().chain(of_service).chain(of_method).collect();
        let items = policies
            .iter()
            .map(|Policy { name, rate }| format!("\"{name}\";q={};w={}", rate.calls, rate.per.as_secs()));
        let header = HeaderValue::try_from(items.collect::<Vec<_>>().join(", ")).ok()?;
        (!policies.is_empty()).then_some(Self { policies, header })
    }

    /// Tells the client how it stands.
    fn tell(&self, call: &Call, Standing { name, remaining, next }: &Standing) {
        let seconds = next.as_secs() + u64::from(next.subsec_nanos() > 0);
        if let Ok(standing) = HeaderValue::try_from(format!("\"{name}\";r={remaining};t={seconds}")) {
            call.add_response_header(POLICY, self.header.clone());
            call.add_response_header(LIMIT, standing);
        }
    }
}

/// Makes [`Limit`].
#[derive(Clone, Debug)]
pub(super) struct LimitLayer(pub(super) Option<Arc<Limiting>>);

impl<S> Layer<S> for LimitLayer {
    type Service = Limit<S>;

    fn layer(&self, inner: S) -> Limit<S> {
        Limit { inner, limiting: self.0.clone() }
    }
}

/// Refuses what is over its quota.
#[derive(Clone, Debug)]
pub(super) struct Limit<S> {
    inner: S,
    limiting: Option<Arc<Limiting>>,
}

impl<S> Service<Invocation> for Limit<S>
where
    S: Service<Invocation, Response = Reply, Error = Error>,
{
    type Response = Reply;
    type Error = Error;
    type Future = Either<LimitFuture<S::Future>, Ready<Result<Reply, Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: Invocation) -> Self::Future {
        let limiting = self.limiting.as_ref();
        let limits =
            limiting.and_then(|limiting| Some((limiting, limiting.methods.get(&place(invocation.method.spec))?)));
        let Some((limiting, limits)) = limits else {
            return Either::Left(LimitFuture { inner: self.inner.call(invocation), taken: None });
        };
        let call = &invocation.request.call;
        let whose = Whose::of(call);
        match limiting.quotas.admit(&whose, &limits.policies) {
            Ok(standing) => {
                limits.tell(call, &standing);
                let taken = limiting.only_fulfilled.then(|| (Arc::clone(limiting), Arc::clone(limits), whose));
                Either::Left(LimitFuture { inner: self.inner.call(invocation), taken })
            }
            Err(standing) => {
                limits.tell(call, &standing);
                Either::Right(future::ready(Err(exceeded(&standing))))
            }
        }
    }
}

fn exceeded(standing: &Standing) -> Error {
    let detail = format!("the quota `{}` is used up for now", standing.name);
    Error::new(Code::QUOTA_EXCEEDED, detail).retry_after(standing.next)
}

pin_project! {
    /// The call, and what it gives back when it fails.
    pub(super) struct LimitFuture<F> {
        #[pin]
        inner: F,
        taken: Option<(Arc<Limiting>, Arc<Limits>, Whose)>,
    }
}

impl<F: Future<Output = Result<Reply, Error>>> Future for LimitFuture<F> {
    type Output = Result<Reply, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(context));
        if let Some((limiting, limits, whose)) = this.taken.take().filter(|_| outcome.is_err()) {
            limiting.quotas.give_back(&whose, &limits.policies);
        }
        Poll::Ready(outcome)
    }
}
