//! The subscriber's side of a subscription: where deliveries go, and how the subscriber leaves.

use tokio::sync::{mpsc, oneshot};

use crate::bus::Delivery;

/// The counterpart of [`Deliveries`](crate::bus::Deliveries). Its drop signals that all deliveries
/// are acknowledged.
pub(super) struct Subscriber {
    /// The sender of deliveries; none after the last one was sent.
    deliveries: Option<mpsc::Sender<Delivery>>,
    /// The signal of a cancellation; none after it was received.
    cancelled: Option<oneshot::Receiver<()>>,
    #[expect(dead_code, reason = "it is dropped with this")]
    settled: oneshot::Sender<()>,
}

/// The way in which a subscriber leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    /// Cancelled: it still receives the deliveries on their way.
    Cancelled,
    /// Dropped: it receives nothing more.
    Dropped,
}

impl Subscriber {
    pub(super) fn new(
        deliveries: mpsc::Sender<Delivery>,
        cancelled: oneshot::Receiver<()>,
        settled: oneshot::Sender<()>,
    ) -> Self {
        Self { deliveries: Some(deliveries), cancelled: Some(cancelled), settled }
    }

    /// Ends the deliveries.
    pub(super) fn end(&mut self) {
        self.deliveries = None;
    }

    pub(super) async fn send(&self, delivery: Delivery) {
        if let Some(deliveries) = &self.deliveries {
            // A delivery that cannot be sent is dropped, which requeues it.
            let _ = deliveries.send(delivery).await;
        }
    }

    /// Waits until the subscriber leaves.
    pub(super) async fn leaving(&mut self) -> Leaving {
        let Some(deliveries) = &self.deliveries else { return Leaving::Dropped };
        let cancelled = async {
            if let Some(cancelled) = &mut self.cancelled {
                let signal = cancelled.await;
                self.cancelled = None;
                if signal.is_ok() {
                    return;
                }
            }
            // Dropped without a cancellation; `closed()` below detects that.
            std::future::pending().await
        };
        tokio::select! {
            () = cancelled => {}
            () = deliveries.closed() => return Leaving::Dropped,
        }
        Leaving::Cancelled
    }
}
