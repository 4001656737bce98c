//! Which plan an account has, remembered for a moment.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use lru::LruCache;

use crate::store::{Store, StoreError};

/// How many accounts are remembered; the least recently used go first.
const MAX_CACHED_ACCOUNTS: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();
/// How long: an account that is opened, or gets another plan, has it everywhere within two seconds.
const PLAN_TTL: Duration = Duration::from_secs(1);

/// The plans of accounts.
#[derive(Debug)]
pub struct PlanCache {
    books: Store,
    known: Mutex<LruCache<Arc<str>, CachedPlan>>,
}

#[derive(Clone, Debug)]
struct CachedPlan {
    /// None where there is no such account.
    plan: Option<Arc<str>>,
    at: Instant,
}

impl PlanCache {
    /// The plans that stand in `books`.
    #[must_use]
    pub fn new(books: Store) -> Self {
        Self { books, known: Mutex::new(LruCache::new(MAX_CACHED_ACCOUNTS)) }
    }

    /// The plan of an account, if it is remembered; the inner one is none where there is no such account.
    #[must_use]
    pub fn cached(&self, account: &str) -> Option<Option<Arc<str>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(account)
            .filter(|known| known.at.elapsed() < PLAN_TTL)
            .map(|known| known.plan.clone())
    }

    /// The plan of an account; none where there is no such account.
    ///
    /// # Errors
    ///
    /// When the books cannot be read.
    pub async fn of(&self, account: &str) -> Result<Option<Arc<str>>, StoreError> {
        let plan = self.books.plan(account).await?.map(Arc::from);
        let known = CachedPlan { plan: plan.clone(), at: Instant::now() };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).put(account.into(), known);
        Ok(plan)
    }
}
