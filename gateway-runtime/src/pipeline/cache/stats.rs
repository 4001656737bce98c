//! How often the cache helped.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{cache::CacheUsage, pipeline::cache::policy::CacheStatus};

/// How often the cache helped since the gateway started, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheFigures {
    /// Answers that were there.
    pub hits: u64,
    /// Answers that were made.
    pub misses: u64,
    /// Calls that waited for an answer that was being made.
    pub collapsed: u64,
    /// Answers that were too old, given because they could not be made anew.
    pub stale_if_error: u64,
    /// What is held.
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
