//! The plan of the caller's account, looked up if prices or limits differ by plan.

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use futures_util::future::{BoxFuture, Either};
use tower::{Layer, Service};

use crate::{
    base::{error::Error, reply::Reply},
    control::PlanCache,
    pipeline::{invocation::Invocation, take_ready::take_ready},
};

/// The lookup of plans.
#[derive(Debug)]
pub struct PlanLookup {
    plans: PlanCache,
    is_needed: AtomicBool,
}

impl PlanLookup {
    /// Creates a lookup that is off, until [`apply`](Self::apply) turns it on.
    #[must_use]
    pub fn new(plans: PlanCache) -> Self {
        Self { plans, is_needed: AtomicBool::new(false) }
    }

    /// Sets whether prices or limits differ by plan.
    pub fn apply(&self, is_needed: bool) {
        self.is_needed.store(is_needed, Relaxed);
    }
}

/// The layer that adds [`AttachPlan`].
#[derive(Clone, Debug)]
pub(super) struct AttachPlanLayer(pub(super) Option<Arc<PlanLookup>>);

impl<S> Layer<S> for AttachPlanLayer {
    type Service = AttachPlan<S>;

    fn layer(&self, inner: S) -> AttachPlan<S> {
        AttachPlan { inner, planning: self.0.clone() }
    }
}

/// The service that sets the plan of a call's account.
#[derive(Clone, Debug)]
pub(super) struct AttachPlan<S> {
    inner: S,
    planning: Option<Arc<PlanLookup>>,
}

impl<S> Service<Invocation> for AttachPlan<S>
where
    S: Service<Invocation, Response = Reply, Error = Error, Future: Send + 'static>
        + Clone
        + Send
        + 'static,
{
    type Response = Reply;
    type Error = Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<Reply, Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: Invocation) -> Self::Future {
        let planning = self.planning.as_ref().filter(|planning| planning.is_needed.load(Relaxed));
        let call = &invocation.request.call;
        let (Some(planning), Some(account)) = (planning, call.caller().account()) else {
            return Either::Left(self.inner.call(invocation));
        };
        if let Some(plan) = planning.plans.cached(account) {
            call.set_plan(plan);
            return Either::Left(self.inner.call(invocation));
        }
        let planning = Arc::clone(planning);
        let mut inner = take_ready(&mut self.inner);
        Either::Right(Box::pin(async move {
            let call = &invocation.request.call;
            let account = call.caller().account().unwrap_or_default();
            match planning.plans.of(account).await {
                Ok(plan) => call.set_plan(plan),
                // A call that is free goes on, under the general limits. A call that has a price is
                // refused when its hold is placed.
                Err(error) => {
                    call.mark_plan_unknown();
                    tracing::warn!(%error, "account plan unavailable");
                }
            }
            inner.call(invocation).await
        }))
    }
}
