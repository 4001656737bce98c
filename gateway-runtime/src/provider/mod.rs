//! Third-party providers behind a capability: one is chosen, and where the rules allow it, the next takes over.
//!
//! An author's method asks for [`Providers`], which binds the [`Pool`] of a capability to its call. `run` makes the
//! attempts of one call: `selection` says who can be asked, `failover` which attempt comes next by the `rules`, and
//! `running` counts and records it. `breaker` and `budget` keep providers that fail from being asked in vain;
//! `sharing` tells other gateways of them.

mod active_attempt;
mod bound_pool;
mod breaker;
mod breaker_sync;
mod completion;
mod error;
mod failover;
mod failover_rules;
mod health;
mod http_client;
mod idempotency_key;
mod member;
mod pool;
mod registration;
mod retry_budget;
mod selection;
mod settings;
mod sticky;
pub mod strategy;
#[cfg(test)]
mod tests;

use crate::base::spec::CapabilitySpec;
pub(crate) use crate::provider::{
    http_client::{connector, error_chain, is_not_sent},
    idempotency_key::{has_idempotency_key, parse_idempotency_key},
};
pub use crate::{
    base::cost::{Argument, Cost, argument},
    provider::{
        bound_pool::{Providers, call_method},
        breaker_sync::{ErasedPool, synchronize},
        completion::{
            AttemptGuard, Completion, CompletionOf, DefaultCompletion, OnFirstItem, OnReturn,
        },
        error::ProviderError,
        health::{Health, MethodHealth, PoolHealth, ProviderHealth},
        http_client::{HttpClient, HttpClientSettings, HttpRequest, HttpResponse},
        idempotency_key::IdempotencyKey,
        pool::{Pool, ProviderImpl},
        registration::Provider,
        settings::{BreakerSettings, FailoverSettings, ProviderSettings},
    },
};

/// A trait that providers implement; `#[capability]` on a trait `Trait` implements it for `dyn Trait`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a capability",
    label = "no trait object of a `#[capability]`",
    note = "write `dyn` and the name of a trait with `#[capability]`, as in `Providers<dyn RateSource>`"
)]
pub trait Capability: Send + Sync + 'static {
    /// What the attributes say.
    const SPEC: &'static CapabilitySpec;
}
