//! The intake of calls. Receives messages, assigns a slot and a worker to each, and returns those
//! that were not begun when it stops.

use std::{collections::VecDeque, convert::Infallible, num::NonZeroU16, sync::Arc};

use futures_util::future::join_all;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::{
    bus::{CallsStatus, Deliveries, Delivery},
    edge::bus_consumer::{executor::Executor, slot::IntakeSlot, workers::Workers},
};

/// The maximum number of messages that are taken from the subscription at once.
const INTAKE_BATCH: usize = 64;

/// The receiver of messages.
#[derive(Debug)]
pub(super) struct Intake {
    executor: Arc<Executor>,
    workers: Workers,
    status: Arc<CallsStatus>,
    slots: Arc<Semaphore>,
    /// The messages that were received and not begun.
    ready: VecDeque<Delivery>,
}

impl Intake {
    pub(super) fn new(
        executor: Arc<Executor>,
        workers: Workers,
        status: Arc<CallsStatus>,
        concurrency: NonZeroU16,
    ) -> Self {
        let slots = Arc::new(Semaphore::new(concurrency.get().into()));
        Self { executor, workers, status, slots, ready: VecDeque::with_capacity(INTAKE_BATCH) }
    }

    /// Receives until `stop` fires or the bus is closed; then waits until all received messages are
    /// acknowledged or returned.
    pub(super) async fn run(
        mut self,
        mut deliveries: Deliveries,
        stop: oneshot::Receiver<()>,
    ) -> Workers {
        let (working, mut worked) = mpsc::channel(1);
        // A dropped sender of `stop` stops the intake too.
        tokio::select! {
            () = self.receive(&mut deliveries, working) => {}
            _ = stop => {}
        }
        self.status.set_waiting(0);
        self.return_unbegun(&mut deliveries).await;
        // No value is ever sent: the channel closes when all calls have ended.
        let _ = worked.recv().await;
        deliveries.settled().await;
        self.workers
    }

    /// Executes received messages as slots become free. Cancel-safe: no message is held across an
    /// await.
    async fn receive(&mut self, deliveries: &mut Deliveries, working: mpsc::Sender<Infallible>) {
        let mut batch = Vec::with_capacity(INTAKE_BATCH);
        loop {
            if self.ready.is_empty() {
                if deliveries.next_batch(&mut batch, INTAKE_BATCH).await == 0 {
                    return;
                }
                self.ready.extend(batch.drain(..));
            }
            let Some(permit) = self.permit(deliveries).await else { return };
            if let Some(delivery) = self.ready.pop_front() {
                let slot = IntakeSlot::new(permit, Arc::clone(&self.status));
                self.workers.execute(delivery, slot, working.clone());
            }
        }
    }

    async fn permit(&self, deliveries: &Deliveries) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() {
            return Some(permit);
        }
        self.status.set_waiting(self.ready.len() + deliveries.waiting());
        let permit = Arc::clone(&self.slots).acquire_owned().await;
        self.status.set_waiting(0);
        // The semaphore is never closed.
        permit.ok()
    }

    /// Cancels the subscription, and returns the messages that were not begun, those on their way
    /// included.
    async fn return_unbegun(&mut self, deliveries: &mut Deliveries) {
        deliveries.cancel();
        let mut batch = Vec::with_capacity(INTAKE_BATCH);
        while deliveries.next_batch(&mut batch, INTAKE_BATCH).await > 0 {
            self.ready.extend(batch.drain(..));
        }
        join_all(self.ready.drain(..).map(|delivery| self.executor.return_unbegun(delivery))).await;
    }
}
