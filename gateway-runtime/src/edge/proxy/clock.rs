//! Times that threads share, in milliseconds since the first use of this module.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A time that is set and read without a lock. It begins with the epoch.
#[derive(Debug, Default)]
pub(super) struct AtomicTime(AtomicU64);

impl AtomicTime {
    /// Sets the time to `after` from now.
    pub(super) fn set_after(&self, after: Duration) {
        let since = (EPOCH.elapsed() + after).as_millis();
        self.0.store(u64::try_from(since).unwrap_or(u64::MAX), Relaxed);
    }

    /// Resets the time to the epoch.
    pub(super) fn clear(&self) {
        self.0.store(0, Relaxed);
    }

    /// Returns whether the time is the epoch.
    pub(super) fn is_clear(&self) -> bool {
        self.0.load(Relaxed) == 0
    }

    /// Returns the time.
    pub(super) fn get(&self) -> Instant {
        *EPOCH + Duration::from_millis(self.0.load(Relaxed))
    }
}
