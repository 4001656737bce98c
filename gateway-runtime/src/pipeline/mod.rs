//! What every call goes through between its edge and its method, by whatever road it came.
//!
//! [`Pipeline::new`] is the whole of it: read from the top, a call passes each layer on its way in and again on its
//! way out. One layer a file.

mod access_log;
mod account_plan;
mod authenticate;
mod author_layers;
mod billing;
mod cache;
mod catch_panic;
mod deadline;
mod idempotency;
mod invoke;
mod persistence;
mod quota;
mod request_log;
mod settlement_draft;
mod validate;

use std::{future::Future, sync::Arc};

use tower::{ServiceBuilder, ServiceExt};

pub(crate) use crate::pipeline::{
    access_log::REQUEST_TARGET, catch_panic::panicked, request_log::execution::may_have_happened,
};
pub use crate::pipeline::{
    account_plan::PlanLookup,
    author_layers::{InnerService, LayerPosition, Layers, PipelineLayer},
    billing::{Billing, BillingSettings},
    cache::{CacheFigures, ReplyCache},
    persistence::{IdempotencySettings, Persistence, RequestLogSettings},
    quota::QuotaEnforcer,
};
use crate::{
    auth::Authenticator,
    base::{
        call::{Call, CallRequest},
        error::Error,
        reply::Reply,
    },
    pipeline::{
        access_log::{AccessLog, TraceLayer},
        account_plan::{AttachPlan, AttachPlanLayer},
        authenticate::{Authenticate, AuthenticateLayer},
        author_layers::WithAuthorLayers,
        billing::{PlaceHold, PlaceHoldLayer},
        cache::{Cached, CachedLayer},
        catch_panic::{CatchPanic, UnwindLayer},
        deadline::{Deadline, DeadlineLayer},
        idempotency::{Idempotent, IdempotentLayer},
        invoke::InvokeMethod,
        quota::{EnforceQuota, EnforceQuotaLayer},
        request_log::{RecordLayer, RequestLog},
        settlement_draft::SettlementDraft,
        validate::{Validate, ValidateLayer},
    },
    service::registry::Method,
};

/// What the layers pass on: a call, and the method that it is for.
#[derive(Debug)]
pub struct Invocation {
    /// The method.
    pub method: Arc<Method>,
    /// The call.
    pub request: CallRequest,
    /// What is noted of it for its record.
    tab: SettlementDraft,
    /// Whether the caller may call, where its edge has found that out from the head.
    authorized: Option<Result<(), Error>>,
}

/// The layers, from the outermost in …
type Stack = WithAuthorLayers<
    AccessLog<RequestLog<CatchPanic<Deadline<Authenticate<WithAuthorLayers<InnerStack>>>>>>,
>;
/// … and those that calls reach which may be made.
type InnerStack = Validate<
    Idempotent<AttachPlan<EnforceQuota<Cached<PlaceHold<WithAuthorLayers<InvokeMethod>>>>>>,
>;

/// What layers work with; one that has nothing to work with is off, and costs a branch.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    /// Who judges credentials. Without one nobody is known: methods that require a caller are refused to all, and
    /// credentials are not looked at.
    pub authenticator: Option<Arc<Authenticator>>,
    /// Where calls are written down. Without one keys are not honoured.
    pub keeping: Option<Arc<Persistence>>,
    /// What tells the plans of accounts.
    pub planning: Option<Arc<PlanLookup>>,
    /// What calls are limited with.
    pub limiting: Option<Arc<QuotaEnforcer>>,
    /// What answers are kept with. Without it each is made.
    pub caching: Option<Arc<ReplyCache>>,
    /// What calls are charged with; only what is recorded can be charged.
    pub billing: Option<Arc<Billing>>,
    /// What an author puts around them.
    pub layers: Layers,
}

/// The stack of layers; each call has a copy of its own, which costs a count for each layer that is on.
#[derive(Clone, Debug)]
pub struct Pipeline {
    stack: Stack,
    authenticator: Option<Arc<Authenticator>>,
}

impl Pipeline {
    /// The stack.
    #[must_use]
    pub fn new(stages: Stages) -> Self {
        let Stages { layers, keeping, .. } = stages;
        let keys = keeping.clone().filter(|keeping| keeping.keys.enabled);
        let authenticator = stages.authenticator.clone();
        let stack = ServiceBuilder::new()
            .layer(layers.at(LayerPosition::Outermost))
            // Outside all others, so that refused calls are logged too, and with their time in every other layer.
            .layer(TraceLayer)
            // Sees how a call has ended, panics and lateness too, and writes it down.
            .layer(RecordLayer(keeping.clone(), stages.billing.clone()))
            // Around all that can panic, so that the line says why.
            .layer(UnwindLayer)
            .layer(DeadlineLayer)
            // Before all that tells a stranger anything, or costs an account something.
            .layer(AuthenticateLayer(stages.authenticator))
            .layer(layers.at(LayerPosition::AfterAuthentication))
            // Judges the input by the method's schema; a call that fails here has cost nothing yet.
            .layer(ValidateLayer)
            // Carries out once what comes with a key, and knows by its input that it is the same.
            .layer(IdempotentLayer(keys))
            // After it, so that an answer which is given again costs neither quota nor money.
            .layer(AttachPlanLayer(stages.planning))
            .layer(EnforceQuotaLayer(stages.limiting))
            // Gives again what was made for another call, to whom may call and is within its quota, at its price.
            .layer(CachedLayer {
                caching: stages.caching,
                keeping,
                billing: stages.billing.clone(),
            })
            // The last, so that no money is set aside for what is not carried out.
            .layer(PlaceHoldLayer(stages.billing))
            .layer(layers.at(LayerPosition::AroundMethod))
            .service(InvokeMethod);
        Self { stack, authenticator }
    }

    /// Identifies the caller of a call, and decides whether it may call `method`, from the head alone: an edge that has a
    /// body to read does this first, and passes the result to [`call_authorized`](Self::call_authorized).
    ///
    /// # Errors
    ///
    /// `unauthenticated`, `forbidden`, or why that cannot be found out now.
    pub(crate) async fn authorize(&self, method: &Method, call: &Call) -> Result<(), Error> {
        authenticate::authorize(self.authenticator.as_ref(), method, call).await
    }

    /// Carries out one call.
    pub fn call(
        &self,
        method: &Arc<Method>,
        request: CallRequest,
    ) -> impl Future<Output = Result<Reply, Error>> + Send + use<> {
        self.call_authorized(method, request, None)
    }

    /// Carries out one call, of which [`authorize`](Self::authorize) has said whether it may be. One that may not has its
    /// log line and its row all the same.
    pub(crate) fn call_authorized(
        &self,
        method: &Arc<Method>,
        request: CallRequest,
        authorized: Option<Result<(), Error>>,
    ) -> impl Future<Output = Result<Reply, Error>> + Send + use<> {
        let invocation = Invocation {
            method: Arc::clone(method),
            request,
            tab: SettlementDraft::default(),
            authorized,
        };
        self.stack.clone().oneshot(invocation)
    }
}
