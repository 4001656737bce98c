//! Received messages and their acknowledgement.

use std::{fmt, mem, sync::Arc};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::bus::Message;

/// A received message.
#[derive(Debug)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// The number of earlier deliveries, to consumers that may have begun to execute the message.
    pub delivered_before: u32,
    /// The time of arrival. The message's `expiration` counts from it (SEMANTICS §11).
    pub arrived: Instant,
    /// The receipt that acknowledges the delivery.
    pub receipt: DeliveryReceipt,
}

/// The disposition of a received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The message is acknowledged: the broker deletes it.
    Ack,
    /// The message is requeued.
    Requeue,
}

/// Acknowledges the messages of one consumer. Its methods return at once.
pub trait Acknowledge: fmt::Debug + Send + Sync {
    /// Applies a disposition to the delivery with this tag. If the broker does not receive it, the
    /// message is delivered again.
    fn settle(&self, delivery_tag: u64, disposition: Disposition);
}

/// A receipt that acknowledges one delivery. Dropping it requeues the message.
pub struct DeliveryReceipt {
    delivery_tag: u64,
    settle: Option<Arc<dyn Acknowledge>>,
}

impl DeliveryReceipt {
    /// Creates the receipt of the delivery with this tag.
    #[must_use]
    pub fn new(delivery_tag: u64, settle: Arc<dyn Acknowledge>) -> Self {
        Self { delivery_tag, settle: Some(settle) }
    }

    /// Creates a receipt for a delivery that needs no acknowledgement.
    #[must_use]
    pub const fn none() -> Self {
        Self { delivery_tag: 0, settle: None }
    }

    /// Acknowledges the message.
    pub fn ack(mut self) {
        self.settle(Disposition::Ack);
    }

    fn settle(&mut self, disposition: Disposition) {
        if let Some(settle) = mem::take(&mut self.settle) {
            settle.settle(self.delivery_tag, disposition);
        }
    }
}

impl Drop for DeliveryReceipt {
    fn drop(&mut self) {
        self.settle(Disposition::Requeue);
    }
}

impl fmt::Debug for DeliveryReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receipt").field(&self.delivery_tag).finish()
    }
}

/// The deliveries of a subscription, in order. Dropping it ends the subscription, and requeues the
/// deliveries that were not received from it; [`cancel`](Self::cancel) ends it in an orderly way.
#[derive(Debug)]
pub struct Deliveries {
    received: mpsc::Receiver<Delivery>,
    ending: Option<DeliveryEnd>,
}

/// The signals for the end of a subscription: the request to cancel, and the notice that the broker
/// has all acknowledgements.
#[derive(Debug)]
struct DeliveryEnd {
    cancel: Option<oneshot::Sender<()>>,
    settled: oneshot::Receiver<()>,
}

impl Deliveries {
    /// Creates deliveries from a channel. The broker ends the subscription when the receiver is
    /// closed; acknowledgements take effect at once.
    #[must_use]
    pub fn new(received: mpsc::Receiver<Delivery>) -> Self {
        Self { received, ending: None }
    }

    /// Creates deliveries from a channel, with an orderly end. After `cancel` is sent, the broker
    /// sends the deliveries on their way and closes `received`. It drops the sender of `settled`
    /// when it has the acknowledgements of all deliveries.
    #[must_use]
    pub fn with_end(
        received: mpsc::Receiver<Delivery>,
        cancel: oneshot::Sender<()>,
        settled: oneshot::Receiver<()>,
    ) -> Self {
        Self { received, ending: Some(DeliveryEnd { cancel: Some(cancel), settled }) }
    }

    /// Returns the next delivery; none when the broker was closed for good, or the subscription
    /// cancelled.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.received.recv().await
    }

    /// Receives up to `most` deliveries, as soon as there is one; returns how many. Zero when the
    /// broker was closed for good, or the subscription cancelled.
    pub async fn next_batch(&mut self, many: &mut Vec<Delivery>, most: usize) -> usize {
        self.received.recv_many(many, most).await
    }

    /// Returns the number of deliveries that have arrived and were not received yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.received.len()
    }

    /// Ends the subscription. Deliveries that the broker had sent by then still arrive, and none
    /// after them.
    pub fn cancel(&mut self) {
        match &mut self.ending {
            // An error means that the broker was closed.
            Some(ending) => drop(ending.cancel.take().map(|cancel| cancel.send(()))),
            None => self.received.close(),
        }
    }

    /// Waits until the broker has the acknowledgements of all deliveries. Call it only after
    /// [`cancel`](Self::cancel).
    pub async fn settled(self) {
        let Self { received, ending } = self;
        drop(received);
        if let Some(ending) = ending {
            // An error is the signal: the sender was dropped.
            let _ = ending.settled.await;
        }
    }
}
