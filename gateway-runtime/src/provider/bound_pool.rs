//! Providers of a capability, bound to the call of an author's method.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use tokio::time::timeout_at;

use crate::{
    base::{call::Call, cost::Argument},
    provider::{
        Capability,
        completion::Completion,
        error::ProviderError,
        failover::Failover,
        pool::{Pool, PoolCore},
        sticky::StickyKey,
        strategy::Strategy,
    },
};

/// The providers of the capability `C`, bound to this call: a `Providers<dyn RateSource>` is itself
/// a `RateSource`.
///
/// A call of a capability's method tries the provider that the strategy puts first, and if the
/// effect and the outcome allow it, the next.
pub struct Providers<C: ?Sized> {
    pool: Arc<Pool<C>>,
    strategy: Arc<dyn Strategy>,
    call: Call,
    pinned: Option<usize>,
    sticky: Option<StickyKey>,
}

/// The providers bound to a call, without the capability's type.
pub(super) struct BoundPool<'a> {
    pub(super) core: &'a Arc<PoolCore>,
    pub(super) strategy: &'a dyn Strategy,
    pub(super) call: &'a Call,
    pub(super) pinned: Option<usize>,
    pub(super) sticky: Option<StickyKey>,
}

impl<C: ?Sized + Capability> Providers<C> {
    /// Creates the providers of `pool` for `call`, ordered by `strategy`.
    #[must_use]
    pub fn new(pool: Arc<Pool<C>>, strategy: Arc<dyn Strategy>, call: Call) -> Self {
        Self { pool, strategy, call, pinned: None, sticky: None }
    }

    /// Returns the provider of this name, and no other: the strategy does not apply, and failover
    /// only repeats.
    ///
    /// # Errors
    ///
    /// `invalid-request` if no provider has the name, since names come with the request or from
    /// what an earlier one stored.
    pub fn named(&self, name: &str) -> Result<Self, ProviderError> {
        let Some(place) = self.pool.core.index_of(name) else {
            let (capability, names) = (C::SPEC.name, self.names().collect::<Vec<_>>().join(", "));
            let message =
                format!("no provider of {capability} is named {name:?}; there are: {names}");
            return Err(
                ProviderError::invalid(message).with_public_detail("there is no such provider")
            );
        };
        Ok(Self { pinned: Some(place), ..self.clone() })
    }

    /// Returns these providers, with the one that `key` was first assigned to in front.
    ///
    /// A new key is assigned to the strategy's first choice, or if that fails, to the provider that
    /// succeeds. The assignment is final: later failures move single calls to others by the usual
    /// rules, never the key. A call that must never run elsewhere uses [`named`](Self::named). Keys
    /// are stored for each capability, in this process only, until it ends or the map is full
    /// (`sticky_keys`, 100,000 by default). Then the key that was used least recently is dropped,
    /// and assigned anew when it returns.
    #[must_use]
    pub fn sticky(&self, key: &str) -> Self {
        Self { sticky: Some(self.pool.core.sticky.key(key)), ..self.clone() }
    }

    /// Returns the number of providers, including disabled ones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pool.core.members.len()
    }

    /// Returns whether there are no providers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the names of the providers, in their order, including disabled ones.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.pool.core.names()
    }

    fn bound(&self) -> BoundPool<'_> {
        BoundPool {
            core: &self.pool.core,
            strategy: &*self.strategy,
            call: &self.call,
            pinned: self.pinned,
            sticky: self.sticky,
        }
    }
}

impl<C: ?Sized> Clone for Providers<C> {
    fn clone(&self) -> Self {
        Self {
            pool: Arc::clone(&self.pool),
            strategy: Arc::clone(&self.strategy),
            call: self.call.clone(),
            pinned: self.pinned,
            sticky: self.sticky,
        }
    }
}

impl<C: ?Sized> fmt::Debug for Providers<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers")
            .field("capability", &self.pool.core.capability.name)
            .field("strategy", &self.strategy.name())
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

/// Calls the capability's method with the index `method`. `#[capability]` generates a call of this
/// function for each method of the trait, for `Providers<dyn Trait>`.
///
/// `arguments` are the reference arguments, for strategies and costs. `attempt` calls one provider,
/// and runs once for each attempt. `settle` determines when a reply of this type is complete:
/// [`CompletionOf`](crate::provider::CompletionOf).
pub fn call_method<'a, C, T, S, F, const N: usize>(
    providers: &'a Providers<C>,
    method: usize,
    arguments: [&'a Argument; N],
    attempt: F,
    settle: S,
) -> Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>
where
    C: ?Sized + Capability,
    T: Send + 'a,
    S: Completion<T> + 'a,
    F: Fn(&'a C) -> Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>> + Send + 'a,
{
    Box::pin(async move {
        let mut failover = Failover::new(providers.bound(), method, &arguments);
        loop {
            let running = failover.next().await?;
            let running = failover.announce(running).await?;
            let asked = attempt(&*providers.pool.implementations[running.place]);
            let answering = async { settle.first(asked.await?).await };
            match timeout_at(running.deadline, answering).await {
                Ok(Ok(answer)) => return Ok(settle.finish(answer, running.into())),
                Ok(Err(error)) => failover.failed(running, error),
                Err(_) => failover.failed(running, ProviderError::timed_out("no answer in time")),
            }
        }
    })
}
