//! The slot of a call, and its load on a worker thread; both are given back on drop.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::OwnedSemaphorePermit;

use crate::bus::CallsStatus;

/// A slot: the right to execute a call.
#[derive(Debug)]
pub(super) struct IntakeSlot {
    status: Arc<CallsStatus>,
    #[expect(dead_code, reason = "it is returned when this is dropped")]
    permit: OwnedSemaphorePermit,
}

impl IntakeSlot {
    pub(super) fn new(permit: OwnedSemaphorePermit, status: Arc<CallsStatus>) -> Self {
        status.begin();
        Self { status, permit }
    }
}

impl Drop for IntakeSlot {
    fn drop(&mut self) {
        self.status.end();
    }
}

/// The slot and the load of a call, held while its method runs.
#[derive(Debug)]
#[expect(dead_code, reason = "they are given back when this is dropped")]
pub(super) struct TakenDelivery(pub(super) IntakeSlot, pub(super) Load);

/// A unit of load: one call of a worker.
#[derive(Debug)]
pub(super) struct Load(Arc<AtomicUsize>);

impl Load {
    /// Adds a unit to the load of a worker.
    pub(super) fn on(worker_load: &Arc<AtomicUsize>) -> Self {
        worker_load.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(worker_load))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
