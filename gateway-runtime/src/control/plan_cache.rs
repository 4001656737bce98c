//! A cache of the plans of accounts.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use lru::LruCache;

use crate::store::{Store, StoreError};

/// The most accounts in the cache; the least recently used is evicted first.
const MAX_CACHED_ACCOUNTS: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();
/// The lifetime of a cached plan: a new account, or a new plan, takes effect everywhere within two
/// seconds.
const PLAN_TTL: Duration = Duration::from_secs(1);

/// A cache of the plans of accounts.
#[derive(Debug)]
pub struct PlanCache {
    store: Store,
    known: Mutex<LruCache<Arc<str>, CachedPlan>>,
}

#[derive(Clone, Debug)]
struct CachedPlan {
    /// The plan; `None` if the account does not exist.
    plan: Option<Arc<str>>,
    cached_at: Instant,
}

impl PlanCache {
    /// Creates a cache of the plans in `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, known: Mutex::new(LruCache::new(MAX_CACHED_ACCOUNTS)) }
    }

    /// Returns the plan of an account, if it is cached; the inner value is `None` if the account
    /// does not exist.
    #[must_use]
    pub fn cached(&self, account: &str) -> Option<Option<Arc<str>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(account)
            .filter(|known| known.cached_at.elapsed() < PLAN_TTL)
            .map(|known| known.plan.clone())
    }

    /// Reads and caches the plan of an account; `None` if the account does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read.
    pub async fn of(&self, account: &str) -> Result<Option<Arc<str>>, StoreError> {
        let plan = self.store.plan(account).await?.map(Arc::from);
        let known = CachedPlan { plan: plan.clone(), cached_at: Instant::now() };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).put(account.into(), known);
        Ok(plan)
    }
}
