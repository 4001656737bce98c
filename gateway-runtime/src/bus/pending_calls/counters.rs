//! Counters of calls and their replies.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::bus::BrokerStats;

/// Counters of calls and replies, shared by all channels.
#[derive(Debug, Default)]
pub(in crate::bus) struct ReplyCounters {
    pub(super) pending: AtomicU64,
    pub(super) answered: AtomicU64,
    pub(super) late: AtomicU64,
    pub(super) duplicate: AtomicU64,
    pub(super) unknown: AtomicU64,
}

impl ReplyCounters {
    /// Adds the counters to `stats`.
    pub(in crate::bus) fn add_to(&self, stats: &mut BrokerStats) {
        let Self { pending, answered, late, duplicate, unknown } = self;
        stats.pending += pending.load(Ordering::Relaxed);
        stats.replied += answered.load(Ordering::Relaxed);
        stats.late_replies += late.load(Ordering::Relaxed);
        stats.duplicate += duplicate.load(Ordering::Relaxed);
        stats.unknown += unknown.load(Ordering::Relaxed);
    }
}
