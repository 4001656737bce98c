//! The pool of a capability's providers, and their state.

use std::{
    any::type_name,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    base::{cost::Cost, spec::CapabilitySpec},
    provider::{
        Capability,
        breaker_sync::{ErasedPool, EventSender},
        health::PoolHealth,
        member::PoolMember,
        registration::Provider,
        retry_budget::RetryBudget,
        settings::FailoverSettings,
        sticky::StickyMap,
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

/// The part of a pool that does not depend on the type of its capability.
#[derive(Debug)]
pub(super) struct PoolCore {
    pub(super) capability: &'static CapabilitySpec,
    pub(super) members: Box<[PoolMember]>,
    pub(super) settings: FailoverSettings,
    pub(super) budget: RetryBudget,
    pub(super) sticky: StickyMap,
    /// The sender of events to other gateways.
    pub(super) outbox: OnceLock<EventSender>,
    turns: Box<[AtomicUsize]>,
    begun: Instant,
}

impl<C: ?Sized + Capability> Pool<C> {
    /// Creates the pool of these providers, in the order of their names.
    #[must_use]
    pub fn new(mut candidates: Vec<ProviderImpl<C>>, settings: &FailoverSettings) -> Self {
        let now = Instant::now();
        let mut settings = settings.clone();
        settings.breaker.permit_timeout =
            settings.breaker.permit_timeout.max(settings.attempt_timeout + Duration::from_secs(1));
        let capability = C::SPEC;
        candidates.sort_by_key(|candidate| candidate.provider.spec().name);
        let (members, implementations) = candidates
            .into_iter()
            .map(|ProviderImpl { provider, implementation, mut costs }| {
                costs.resize(capability.methods.len(), Cost::Unknown);
                (PoolMember::new(provider, costs, &settings.breaker, now), implementation)
            })
            .unzip::<_, _, Vec<_>, Vec<_>>();
        let core = PoolCore {
            capability,
            members: members.into(),
            budget: RetryBudget::new(&settings),
            sticky: StickyMap::new(settings.sticky_keys),
            settings,
            outbox: OnceLock::new(),
            turns: capability.methods.iter().map(|_| AtomicUsize::new(0)).collect(),
            begun: now,
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

impl PoolCore {
    /// Returns the sequence number of this call among those of a method.
    pub(super) fn next_sequence(&self, method: usize) -> usize {
        self.turns[method].fetch_add(1, Relaxed)
    }

    /// Returns the milliseconds since the pool was created; wraps around.
    pub(super) fn millis(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.begun).as_millis() as u32
    }

    /// Returns the index of a provider.
    pub(super) fn index_of(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.provider.spec().name == name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.members.iter().map(|member| member.provider.spec().name)
    }
}
