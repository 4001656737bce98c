//! Third-party providers behind a capability: a strategy chooses one, and if the rules allow it,
//! failover tries the next.
//!
//! An author's method uses [`Providers`], which binds the pool of a capability to its call.
//! `providers` makes the attempts of one call: `selection` finds the available providers,
//! `failover` decides by the `failover_rules` which attempt comes next, and `active_attempt` counts
//! and records it. `breaker` and `retry_budget` spare failing providers; `breaker_sync` shares
//! their state with other gateways.

mod active_attempt;
mod attempt_stream;
mod bound_pool;
mod breaker;
mod breaker_sync;
mod call_failure;
mod capability;
mod completion;
mod erased_pool;
mod error;
mod failover;
mod failover_rules;
mod health;
mod http_client;
mod idempotency_key;
mod member;
mod pool;
mod pool_core;
mod providers;
mod registration;
mod retry_budget;
mod selection;
mod settings;
mod sticky;
pub mod strategy;
#[cfg(test)]
mod tests;
mod unavailability;

#[cfg(not(feature = "http-client"))]
pub(crate) use crate::provider::http_client::HttpClient;
#[cfg(feature = "http-client")]
pub use crate::provider::http_client::{HttpClient, HttpRequest, HttpResponse};
#[cfg(feature = "http-client")]
pub(crate) use crate::provider::http_client::{connector, error_chain, is_not_sent};
pub(crate) use crate::provider::idempotency_key::{has_idempotency_key, parse_idempotency_key};
pub use crate::{
    base::attempt::AttemptClass,
    provider::{
        capability::Capability, error::ProviderError, http_client::HttpClientSettings,
        idempotency_key::IdempotencyKey, providers::Providers,
    },
};
// For generated code.
#[doc(hidden)]
pub use crate::provider::completion::{CompletionOf, DefaultCompletion};
#[cfg(feature = "internals")]
#[doc(hidden)]
pub use crate::{
    base::cost::{Argument, Cost, argument},
    provider::{
        breaker_sync::synchronize,
        completion::{AttemptGuard, BegunStream, Completion, OnFirstItem, OnReturn},
        erased_pool::ErasedPool,
        health::{Health, MethodHealth, PoolHealth, ProviderHealth},
        pool::{Pool, ProviderImpl},
        providers::call_method,
        registration::Provider,
        settings::{BreakerSettings, FailoverSettings, ProviderSettings},
    },
};
#[cfg(not(feature = "internals"))]
pub(crate) use crate::{
    base::cost::{Argument, Cost, argument},
    provider::{
        breaker_sync::synchronize,
        completion::{AttemptGuard, BegunStream, Completion, OnFirstItem, OnReturn},
        erased_pool::ErasedPool,
        health::{Health, MethodHealth, PoolHealth, ProviderHealth},
        pool::{Pool, ProviderImpl},
        providers::call_method,
        registration::Provider,
        settings::{BreakerSettings, FailoverSettings, ProviderSettings},
    },
};
