//! The stack of layers, outermost first. SEMANTICS §2 fixes the order: an anonymous caller learns
//! nothing from validation, and a refused call has claimed no key, spent no quota and held no
//! money.

use std::{future::Future, sync::Arc};

use tower::{ServiceBuilder, ServiceExt};

use crate::{
    auth::Authenticator,
    base::{
        call::{Call, CallRequest},
        error::Error,
        reply::Reply,
    },
    pipeline::{
        access_log::{AccessLog, TraceLayer},
        account_plan::{AttachPlan, AttachPlanLayer, PlanLookup},
        authenticate::{self, Authenticate, AuthenticateLayer},
        author_layers::{LayerPosition, Layers, WithAuthorLayers},
        billing::{Billing, PlaceHold, PlaceHoldLayer},
        cache::{Cached, CachedLayer, ReplyCache},
        catch_panic::{CatchPanic, UnwindLayer},
        deadline::{Deadline, DeadlineLayer},
        idempotency::{Idempotent, IdempotentLayer},
        invocation::Invocation,
        invoke::InvokeMethod,
        persistence::Persistence,
        quota::{EnforceQuota, EnforceQuotaLayer, QuotaEnforcer},
        request_log::{RecordLayer, RequestLog},
        settlement_draft::SettlementDraft,
        validate::{Validate, ValidateLayer},
    },
    service::registry::Method,
};

/// The outer layers, which see every call.
type Stack = WithAuthorLayers<
    AccessLog<RequestLog<CatchPanic<Deadline<Authenticate<WithAuthorLayers<InnerStack>>>>>>,
>;

/// The inner layers, which see only calls whose caller is authorized.
type InnerStack = Validate<
    Idempotent<AttachPlan<EnforceQuota<Cached<PlaceHold<WithAuthorLayers<InvokeMethod>>>>>>,
>;

/// The parts that layers work with. A layer without its part is off, and costs a branch.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    /// The authenticator. Without one, credentials are not read, every caller is anonymous, and
    /// methods that require a caller refuse every call.
    pub authenticator: Option<Arc<Authenticator>>,
    /// The store's writer. Without one, nothing is recorded and idempotency keys are not honoured.
    pub persistence: Option<Arc<Persistence>>,
    /// The lookup of the plans of accounts.
    pub planning: Option<Arc<PlanLookup>>,
    /// The enforcer of quotas.
    pub limiting: Option<Arc<QuotaEnforcer>>,
    /// The cache of replies. Without one, every call reaches its method.
    pub caching: Option<Arc<ReplyCache>>,
    /// The billing of calls; only recorded calls can be charged.
    pub billing: Option<Arc<Billing>>,
    /// The author's own layers.
    pub layers: Layers,
}

/// The stack of layers. Each call clones it, which costs a reference count for each layer that is
/// on.
#[derive(Clone, Debug)]
pub struct Pipeline {
    stack: Stack,
    authenticator: Option<Arc<Authenticator>>,
}

impl Pipeline {
    /// Builds the stack.
    #[must_use]
    pub fn new(stages: Stages) -> Self {
        let Stages { layers, persistence, .. } = stages;
        let keys = persistence.clone().filter(|persistence| persistence.keys.enabled);
        let authenticator = stages.authenticator.clone();
        let stack = ServiceBuilder::new()
            .layer(layers.at(LayerPosition::Outermost))
            // Outside all others, so that refused calls are logged too, and the line covers the
            // time in all layers.
            .layer(TraceLayer)
            // Outside the panics and the deadline, so that it records how each call has ended, also
            // by them.
            .layer(RecordLayer(persistence.clone(), stages.billing.clone()))
            // Around all that can panic, so that the record and the log line say why.
            .layer(UnwindLayer)
            .layer(DeadlineLayer)
            // Before all layers that reveal anything to an anonymous caller or cost an account
            // anything.
            .layer(AuthenticateLayer(stages.authenticator))
            .layer(layers.at(LayerPosition::AfterAuthentication))
            // A call that fails here has cost nothing yet.
            .layer(ValidateLayer)
            // After validation, since the fingerprint is taken of the valid input.
            .layer(IdempotentLayer::new(keys))
            // After idempotency, so that a replay costs neither quota nor money.
            .layer(AttachPlanLayer::new(stages.planning))
            .layer(EnforceQuotaLayer::new(stages.limiting))
            // After authentication and quota: a cached reply is for callers who may call, within
            // their quota and at the price of a hit.
            .layer(CachedLayer {
                caching: stages.caching,
                persistence,
                billing: stages.billing.clone(),
            })
            // Innermost, so that no money is held for a call that does not reach its method.
            .layer(PlaceHoldLayer::new(stages.billing))
            .layer(layers.at(LayerPosition::AroundMethod))
            .service(InvokeMethod);
        Self { stack, authenticator }
    }

    /// Identifies the caller of a call, and decides whether it may call `method`, from the head
    /// alone. An edge that has a body to read authorizes first, and passes the result to
    /// [`call_authorized`](Self::call_authorized).
    ///
    /// # Errors
    ///
    /// `unauthenticated` or `forbidden`; or another error, if the credentials cannot be checked
    /// now.
    pub(crate) async fn authorize(&self, method: &Method, call: &Call) -> Result<(), Error> {
        authenticate::authorize(self.authenticator.as_ref(), method, call).await
    }

    /// Executes a call.
    pub fn call(
        &self,
        method: &Arc<Method>,
        request: CallRequest,
    ) -> impl Future<Output = Result<Reply, Error>> + Send + use<> {
        self.call_authorized(method, request, None)
    }

    /// Executes a call whose edge has called [`authorize`](Self::authorize). A call that is refused
    /// has its log line and its row too.
    pub(crate) fn call_authorized(
        &self,
        method: &Arc<Method>,
        request: CallRequest,
        authorized: Option<Result<(), Error>>,
    ) -> impl Future<Output = Result<Reply, Error>> + Send + use<> {
        let invocation = Invocation {
            method: Arc::clone(method),
            request,
            draft: SettlementDraft::default(),
            authorized,
        };
        self.stack.clone().oneshot(invocation)
    }
}
