//! The reachability of the server. While it does not answer, one task probes it, and all commands
//! fail at once.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use crate::redis::RedisError;

/// A switch that is open while the server answers.
#[derive(Debug, Default)]
pub(crate) struct Reachability {
    closed: AtomicBool,
}

impl Reachability {
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Closes the switch. Returns whether it was open: then the caller must probe until the server
    /// answers, and [`open`](Self::open) it.
    pub(crate) fn close(&self, reason: &RedisError) -> bool {
        let was_open = !self.closed.swap(true, Ordering::Relaxed);
        if was_open {
            tracing::warn!(%reason, "Redis unavailable: falling back to local state");
        }
        was_open
    }

    pub(crate) fn open(&self, closed_at: Instant) {
        self.closed.store(false, Ordering::Relaxed);
        tracing::info!(away = ?closed_at.elapsed(), "Redis available again");
    }
}
