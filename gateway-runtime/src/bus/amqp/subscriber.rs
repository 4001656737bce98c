//! Who receives what a channel was given, and how they leave.

use tokio::sync::{mpsc, oneshot};

use crate::bus::Delivery;

/// The other end of [`Deliveries`](crate::bus::Deliveries). Its consumer knows that all is settled when this is dropped.
pub(super) struct Subscriber {
    /// None after what was on its way has been sent.
    deliveries: Option<mpsc::Sender<Delivery>>,
    /// None after it was received.
    cancelled: Option<oneshot::Receiver<()>>,
    #[expect(dead_code, reason = "it is dropped with this")]
    settled: oneshot::Sender<()>,
}

/// How a consumer leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    /// In good order: it receives what is on its way.
    Cancelled,
    /// It receives nothing more.
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

    /// Nothing more comes.
    pub(super) fn end(&mut self) {
        self.deliveries = None;
    }

    pub(super) async fn send(&self, delivery: Delivery) {
        if let Some(deliveries) = &self.deliveries {
            // What cannot be sent is dropped, and requeued by that.
            let _ = deliveries.send(delivery).await;
        }
    }

    /// Waits until the consumer leaves.
    pub(super) async fn leaving(&mut self) -> Leaving {
        let Some(deliveries) = &self.deliveries else { return Leaving::Dropped };
        let cancelled = async {
            if let Some(cancelled) = &mut self.cancelled {
                let told = cancelled.await;
                self.cancelled = None;
                if told.is_ok() {
                    return;
                }
            }
            // Dropped without a word: that is seen by what it receives.
            std::future::pending().await
        };
        tokio::select! {
            () = cancelled => {}
            () = deliveries.closed() => return Leaving::Dropped,
        }
        Leaving::Cancelled
    }
}
