//! Whether the server answers. One that does not is asked by one task alone; everybody else fails at once.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use crate::redis::RedisError;

/// Open as long as the server answers.
#[derive(Debug, Default)]
pub(crate) struct Reachability {
    closed: AtomicBool,
}

impl Reachability {
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Whether it was open: then the caller is the one who must ask until the server answers, and [`open`](Self::open)
    /// it.
    pub(crate) fn close(&self, why: &RedisError) -> bool {
        let was_open = !self.closed.swap(true, Ordering::Relaxed);
        if was_open {
            tracing::warn!(%why, "Redis does not answer: gateways share nothing until it does");
        }
        was_open
    }

    pub(crate) fn open(&self, closed_at: Instant) {
        self.closed.store(false, Ordering::Relaxed);
        tracing::info!(away = ?closed_at.elapsed(), "Redis answers again");
    }
}
