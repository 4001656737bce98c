//! The assignment of sticky keys to providers.

use std::{
    hash::{BuildHasher, Hash},
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

use foldhash::fast::{FixedState, RandomState};
use lru::LruCache;

/// The hash of a key; two keys with the same hash share a provider, which does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StickyKey(u64);

#[derive(Clone, Copy, Debug)]
struct StickyAssignment {
    member: usize,
    /// True once the provider has succeeded; until then another that does may take its place.
    is_final: bool,
}

/// A bounded map of keys, in this process; the least recently used are dropped.
#[derive(Debug)]
pub(super) struct StickyMap {
    hasher: RandomState,
    given: Mutex<LruCache<StickyKey, StickyAssignment, FixedState>>,
}

impl StickyMap {
    pub(super) fn new(keys: u32) -> Self {
        let keys = NonZeroUsize::new(keys as usize).unwrap_or(NonZeroUsize::MIN);
        // The map grows with its keys: a full capacity from the start would cost memory in pools
        // that never use it.
        let mut given = LruCache::unbounded_with_hasher(FixedState::default());
        given.resize(keys);
        Self { hasher: RandomState::default(), given: Mutex::new(given) }
    }

    pub(super) fn key(&self, key: &str) -> StickyKey {
        StickyKey(self.hasher.hash_one(key))
    }

    /// Returns the provider of `key`; a new key is assigned to `first`.
    pub(super) fn given(&self, key: StickyKey, first: usize) -> usize {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.get_or_insert(key, || StickyAssignment { member: first, is_final: false }).member
    }

    /// Makes the assignment of `key` to `member` final, unless it is final already.
    pub(super) fn answered(&self, key: StickyKey, member: usize) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if given.peek(&key).is_none_or(|given| !given.is_final) {
            given.put(key, StickyAssignment { member, is_final: true });
        }
    }
}
