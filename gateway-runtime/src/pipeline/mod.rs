//! The pipeline: the layers that every call passes between its edge and its method, whatever its
//! transport.
//!
//! `Pipeline::new` in `stack` builds the whole stack. Read from the top, a call passes each layer
//! on its way in, and again on its way out. SEMANTICS §2 fixes the order: request log,
//! authentication, validation, idempotency, quota, cache, billing, the method. Each layer has a
//! file or a folder of its own; `optional_layer` is common to those that are off without their
//! part.

mod access_log;
mod account_plan;
mod authenticate;
mod author_layers;
mod billing;
mod cache;
mod call_service;
mod catch_panic;
mod deadline;
mod idempotency;
mod invocation;
mod invoke;
mod optional_layer;
mod persistence;
mod quota;
mod request_log;
mod settlement_draft;
mod stack;
mod take_ready;
#[cfg(test)]
mod tests;
mod validate;

pub(crate) use crate::pipeline::{
    access_log::REQUEST_TARGET, catch_panic::panicked, request_log::execution::may_have_happened,
};
#[cfg(feature = "internals")]
#[doc(hidden)]
pub use crate::pipeline::{
    account_plan::PlanLookup,
    author_layers::Layers,
    billing::{Billing, BillingSettings},
    cache::{CacheFigures, ReplyCache},
    persistence::{IdempotencySettings, Persistence, RequestLogSettings},
    quota::QuotaEnforcer,
    stack::{Pipeline, Stages},
};
#[cfg(not(feature = "internals"))]
pub(crate) use crate::pipeline::{
    account_plan::PlanLookup,
    author_layers::Layers,
    billing::{Billing, BillingSettings},
    cache::{CacheFigures, ReplyCache},
    persistence::{IdempotencySettings, Persistence, RequestLogSettings},
    quota::QuotaEnforcer,
    stack::{Pipeline, Stages},
};
pub use crate::{
    base::reply::Reply,
    pipeline::{
        author_layers::{InnerService, LayerPosition, PipelineLayer},
        invocation::Invocation,
    },
};
