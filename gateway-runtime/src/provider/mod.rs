//! Third-party providers behind a capability: a strategy chooses one, and if the rules allow it,
//! failover tries the next.
//!
//! An author's method uses [`Providers`], which binds the [`Pool`] of a capability to its call.
//! `bound_pool` makes the attempts of one call: `selection` finds the available providers,
//! `failover` decides by the `failover_rules` which attempt comes next, and `active_attempt` counts
//! and records it. `breaker` and `retry_budget` spare failing providers; `breaker_sync` shares
//! their state with other gateways.

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

/// A trait that providers implement; `#[capability]` on a trait `Trait` implements this one for
/// `dyn Trait`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a capability",
    label = "no trait object of a `#[capability]`",
    note = "write `dyn` and the name of a trait with `#[capability]`, as in \
            `Providers<dyn RateSource>`"
)]
pub trait Capability: Send + Sync + 'static {
    /// The specification of the capability, from its attributes.
    const SPEC: &'static CapabilitySpec;
}
