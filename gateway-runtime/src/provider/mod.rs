//! Third-party providers behind a capability: one is chosen, and where the rules allow it, the next takes over.
//!
//! An author's method asks for [`Providers`], which binds the [`Pool`] of a capability to its call. `run` makes the
//! attempts of one call: `selection` says who can be asked, `failover` which attempt comes next by the `rules`, and
//! `running` counts and records it. `breaker` and `budget` keep providers that fail from being asked in vain;
//! `sharing` tells other gateways of them.

mod breaker;
mod budget;
mod error;
mod failover;
mod health;
mod http_client;
mod key;
mod member;
mod pool;
mod providers;
mod registered;
mod rules;
mod running;
mod selection;
mod settings;
mod settle;
mod sharing;
mod sticky;
mod window;

pub use self::{
    error::ProviderError,
    health::{Health, MethodHealth, PoolHealth, ProviderHealth},
    http_client::{HttpClient, HttpClientSettings, HttpRequest, HttpResponse},
    key::IdempotencyKey,
    pool::{Candidate, Pool},
    providers::{Providers, run},
    registered::Provider,
    settings::{BreakerSettings, FailoverSettings, ProviderSettings},
    settle::{Attending, FirstItem, Settle, SettleWhole, Settling, Whole},
    sharing::{AnyPool, share},
};
pub(crate) use self::{
    http_client::{causes, connector, was_never_begun},
    key::{brings_key, callers_key},
};
pub use crate::cost::{Argument, Cost, argument};
use crate::spec::CapabilitySpec;

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

#[cfg(test)]
mod tests;
