//! Providers of a capability, bound to the call of an author's method.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use tokio::time::timeout_at;

use crate::{
    base::{call::Call, cost::Argument},
    provider::{
        bound_pool::BoundPool, capability::Capability, completion::Completion,
        error::ProviderError, failover::Failover, pool::Pool, sticky::StickyKey,
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
        let Some(member) = self.pool.core.index_of(name) else {
            let capability = C::SPEC.name;
            let names = self.names().collect::<Vec<_>>().join(", ");
            let message = format!("unknown provider {name:?} of {capability}; registered: {names}");
            return Err(ProviderError::invalid(message).with_public_detail("unknown provider"));
        };
        Ok(Self { pinned: Some(member), ..self.clone() })
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
/// `arguments` are the reference arguments, for strategies and costs. `send` calls one provider,
/// and runs once for each attempt. `completion` determines when a reply of this type is complete:
/// [`CompletionOf`](crate::provider::CompletionOf).
pub fn call_method<'a, C, T, S, F, const N: usize>(
    providers: &'a Providers<C>,
    method: usize,
    arguments: [&'a Argument; N],
    send: F,
    completion: S,
) -> BoxFuture<'a, Result<T, ProviderError>>
where
    C: ?Sized + Capability,
    T: Send + 'a,
    S: Completion<T> + 'a,
    F: Fn(&'a C) -> BoxFuture<'a, Result<T, ProviderError>> + Send + 'a,
{
    Box::pin(async move {
        let mut failover = Failover::new(providers.bound(), method, &arguments);
        loop {
            let chosen = failover.next().await?;
            let attempt = failover.announce(chosen).await?;
            let reply = send(&*providers.pool.implementations[attempt.member]);
            let completed = async { completion.first(reply.await?).await };
            match timeout_at(attempt.deadline, completed).await {
                Ok(Ok(complete)) => return Ok(completion.finish(complete, attempt.into())),
                Ok(Err(error)) => failover.failed(attempt, error),
                Err(_) => failover.failed(attempt, ProviderError::timed_out("no reply in time")),
            }
        }
    })
}
