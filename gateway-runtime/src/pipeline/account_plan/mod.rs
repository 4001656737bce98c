//! The plan of the caller's account, looked up if prices or limits differ by plan.

#[cfg(test)]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use futures_util::future::{BoxFuture, Either};

use crate::{
    base::{error::Error, reply::Reply},
    control::PlanCache,
    pipeline::{
        call_service::CallService,
        invocation::Invocation,
        optional_layer::{Optional, OptionalLayer, OptionalPart},
        take_ready::take_ready,
    },
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
pub(super) type AttachPlanLayer = OptionalLayer<Arc<PlanLookup>>;

/// The service that sets the plan of a call's account.
pub(super) type AttachPlan<S> = Optional<S, Arc<PlanLookup>>;

impl OptionalPart for Arc<PlanLookup> {
    type Future<S: CallService> = BoxFuture<'static, Result<Reply, Error>>;

    fn call<S: CallService>(
        &self,
        inner: &mut S,
        invocation: Invocation,
    ) -> Either<S::Future, Self::Future<S>> {
        let call = &invocation.request.call;
        let account = call.caller().account().filter(|_| self.is_needed.load(Relaxed));
        let Some(account) = account else {
            return Either::Left(inner.call(invocation));
        };
        if let Some(plan) = self.plans.cached(account) {
            call.set_plan(plan);
            return Either::Left(inner.call(invocation));
        }
        let lookup = Arc::clone(self);
        let mut inner = take_ready(inner);
        Either::Right(Box::pin(async move {
            let call = &invocation.request.call;
            let account = call.caller().account().unwrap_or_default();
            match lookup.plans.of(account).await {
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
