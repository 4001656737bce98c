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
    assignments: Mutex<LruCache<StickyKey, StickyAssignment, FixedState>>,
}

impl StickyMap {
    pub(super) fn new(keys: u32) -> Self {
        let keys = NonZeroUsize::new(keys as usize).unwrap_or(NonZeroUsize::MIN);
        // The map grows with its keys: a full capacity from the start would cost memory in pools
        // that never use it.
        let mut assignments = LruCache::unbounded_with_hasher(FixedState::default());
        assignments.resize(keys);
        Self { hasher: RandomState::default(), assignments: Mutex::new(assignments) }
    }

    pub(super) fn key(&self, key: &str) -> StickyKey {
        StickyKey(self.hasher.hash_one(key))
    }

    /// Returns the provider of `key`; a new key is assigned to `first`.
    pub(super) fn assign(&self, key: StickyKey, first: usize) -> usize {
        let mut assignments = self.assignments.lock().unwrap_or_else(PoisonError::into_inner);
        assignments
            .get_or_insert(key, || StickyAssignment { member: first, is_final: false })
            .member
    }

    /// Makes the assignment of `key` to `member` final, unless it is final already.
    pub(super) fn confirm(&self, key: StickyKey, member: usize) {
        let mut assignments = self.assignments.lock().unwrap_or_else(PoisonError::into_inner);
        if assignments.peek(&key).is_none_or(|assignment| !assignment.is_final) {
            assignments.put(key, StickyAssignment { member, is_final: true });
        }
    }
}
