//! Counters of the cache.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{cache::CacheUsage, pipeline::cache::policy::CacheStatus};

/// The counters of the cache since the gateway started, and its usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheFigures {
    /// Replies served from the cache.
    pub hits: u64,
    /// Replies that a method made.
    pub misses: u64,
    /// Calls that waited for the flight of another call.
    pub collapsed: u64,
    /// Stale replies, served because making a new one failed.
    pub stale_if_error: u64,
    /// The usage of the store of replies.
    pub holding: CacheUsage,
}

#[derive(Debug, Default)]
pub(super) struct Figures {
    hits: AtomicU64,
    misses: AtomicU64,
    collapsed: AtomicU64,
    stale_if_error: AtomicU64,
}

impl Figures {
    pub(super) fn count(&self, status: CacheStatus) {
        let counter = match status {
            CacheStatus::Hit => &self.hits,
            CacheStatus::Made { .. } => &self.misses,
            CacheStatus::Collapsed(_) => &self.collapsed,
            CacheStatus::Failed { .. } => &self.stale_if_error,
        };
        counter.fetch_add(1, Relaxed);
    }

    pub(super) fn read(&self, holding: CacheUsage) -> CacheFigures {
        CacheFigures {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            collapsed: self.collapsed.load(Relaxed),
            stale_if_error: self.stale_if_error.load(Relaxed),
            holding,
        }
    }
}
