//! The pool of a capability's providers: who has it, and how each is called.

use std::{
    any::type_name,
    fmt,
    sync::{Arc, OnceLock, atomic::AtomicUsize},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    base::cost::Cost,
    provider::{
        capability::Capability, erased_pool::ErasedPool, health::PoolHealth, member::PoolMember,
        pool_core::PoolCore, registration::Provider, retry_budget::RetryBudget,
        settings::FailoverSettings, sticky::StickyMap,
    },
};

/// A provider that has the capability `C`.
pub struct ProviderImpl<C: ?Sized> {
    provider: Arc<Provider>,
    implementation: Arc<C>,
    costs: Vec<Cost>,
}

impl<C: ?Sized> ProviderImpl<C> {
    /// Creates a provider's entry in a pool. `costs` are those of the capability's methods, in the
    /// order of its trait; missing ones are unknown.
    #[must_use]
    pub fn new(provider: Arc<Provider>, implementation: Arc<C>, costs: Vec<Cost>) -> Self {
        Self { provider, implementation, costs }
    }
}

impl<C: ?Sized> fmt::Debug for ProviderImpl<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Candidate").field(&self.provider.spec().name).finish()
    }
}

/// The pool of the capability `C`. There is one for the whole program, which holds the state that
/// calls of all services contribute.
pub struct Pool<C: ?Sized> {
    pub(super) core: Arc<PoolCore>,
    pub(super) implementations: Box<[Arc<C>]>,
}

impl<C: ?Sized + Capability> Pool<C> {
    /// Creates the pool of these providers, in the order of their names.
    #[must_use]
    pub fn new(mut providers: Vec<ProviderImpl<C>>, settings: &FailoverSettings) -> Self {
        let now = Instant::now();
        let mut settings = settings.clone();
        settings.breaker.permit_timeout =
            settings.breaker.permit_timeout.max(settings.attempt_timeout + Duration::from_secs(1));
        let capability = C::SPEC;
        providers.sort_by_key(|entry| entry.provider.spec().name);
        let mut members = Vec::with_capacity(providers.len());
        let mut implementations = Vec::with_capacity(providers.len());
        for ProviderImpl { provider, implementation, mut costs } in providers {
            costs.resize(capability.methods.len(), Cost::Unknown);
            members.push(PoolMember::new(provider, costs, &settings.breaker, now));
            implementations.push(implementation);
        }
        let core = PoolCore {
            capability,
            members: members.into(),
            budget: RetryBudget::new(&settings),
            sticky: StickyMap::new(settings.sticky_keys),
            settings,
            events: OnceLock::new(),
            sequences: capability.methods.iter().map(|_| AtomicUsize::new(0)).collect(),
            created: now,
        };
        Self { core: Arc::new(core), implementations: implementations.into() }
    }
}

impl<C: ?Sized> Pool<C> {
    /// Returns the health of the providers now.
    #[must_use]
    pub fn health(&self) -> PoolHealth {
        self.any().health()
    }

    /// Returns the pool without the type of its capability.
    #[must_use]
    pub fn any(&self) -> ErasedPool {
        ErasedPool(Arc::clone(&self.core))
    }
}

impl<C: ?Sized> fmt::Debug for Pool<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("capability", &type_name::<C>())
            .field("core", &self.core)
            .finish()
    }
}
