//! The requests that wait until an instance of an upstream may take one more. Their number is
//! limited; beyond it requests are shed.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use tokio::sync::{Notify, futures::Notified};

/// The waiting requests of an upstream, of all workers: the first to wait is the first to go on.
#[derive(Debug, Default)]
pub(super) struct WaitingRoom {
    waiting: AtomicUsize,
    freed: Notify,
}

impl WaitingRoom {
    /// Enters; none if `most` requests wait already.
    pub(super) fn enter(&self, most: usize) -> Option<Waiting<'_>> {
        // Ordered before the look for a place that follows, as a place is freed before the look
        // for someone who waits: one of the two sees the other.
        let before = self.waiting.fetch_add(1, SeqCst);
        let waiting = Waiting(self);
        (before < most).then_some(waiting)
    }

    /// Lets the first one go on, since a place is free.
    pub(super) fn place_is_free(&self) {
        if self.waiting.load(SeqCst) > 0 {
            self.freed.notify_one();
        }
    }

    /// Lets all go on, since the instances have changed.
    pub(super) fn instances_have_changed(&self) {
        self.freed.notify_waiters();
    }
}

/// A request that waits, until this is dropped.
#[derive(Debug)]
pub(super) struct Waiting<'w>(&'w WaitingRoom);

impl Waiting<'_> {
    /// Waits for the next place. A notice that is dropped unused goes to the next one.
    pub(super) fn place(&self) -> Notified<'_> {
        self.0.freed.notified()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, SeqCst);
    }
}
