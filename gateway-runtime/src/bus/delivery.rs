//! What was received, and must be settled.

use std::{fmt, mem, sync::Arc};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::bus::Message;

/// A message that was received.
#[derive(Debug)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// How often the broker delivered it before, to consumers that may have begun to work on it.
    pub delivered_before: u32,
    /// When it arrived here. Its `expiration` counts from then.
    pub arrived: Instant,
    /// With which it is settled.
    pub receipt: DeliveryReceipt,
}

/// What becomes of a message that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It is done with.
    Done,
    /// It goes back to its queue.
    Again,
}

/// Settles the messages of one consumer; calls return at once.
pub trait Acknowledge: fmt::Debug + Send + Sync {
    /// Settles the message of this number. The broker may never hear of it: then it gives the message again.
    fn settle(&self, number: u64, verdict: Disposition);
}

/// With which a message is settled. One that is dropped sends it back.
pub struct DeliveryReceipt {
    delivery_tag: u64,
    settle: Option<Arc<dyn Acknowledge>>,
}

impl DeliveryReceipt {
    /// The receipt of a message with this number.
    #[must_use]
    pub fn new(number: u64, settle: Arc<dyn Acknowledge>) -> Self {
        Self { delivery_tag: number, settle: Some(settle) }
    }

    /// A receipt of what needs no settling.
    #[must_use]
    pub const fn none() -> Self {
        Self { delivery_tag: 0, settle: None }
    }

    /// The message is done with.
    pub fn done(mut self) {
        self.settle(Disposition::Done);
    }

    fn settle(&mut self, verdict: Disposition) {
        if let Some(settle) = mem::take(&mut self.settle) {
            settle.settle(self.delivery_tag, verdict);
        }
    }
}

impl Drop for DeliveryReceipt {
    fn drop(&mut self) {
        self.settle(Disposition::Again);
    }
}

impl fmt::Debug for DeliveryReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receipt").field(&self.delivery_tag).finish()
    }
}

/// The messages of a subscription, in order. Dropping it ends the subscription, and requeues what was not received from it;
/// [`cancel`](Self::cancel) ends it in good order.
#[derive(Debug)]
pub struct Deliveries {
    received: mpsc::Receiver<Delivery>,
    ending: Option<DeliveryEnd>,
}

/// How a subscription is cancelled, and how its consumer knows that the broker has read all acknowledgements.
#[derive(Debug)]
struct DeliveryEnd {
    cancel: Option<oneshot::Sender<()>>,
    settled: oneshot::Receiver<()>,
}

impl Deliveries {
    /// What `received` gives. The broker ends the subscription when the receiver is closed; settling takes no time.
    #[must_use]
    pub fn new(received: mpsc::Receiver<Delivery>) -> Self {
        Self { received, ending: None }
    }

    /// What `received` gives. After `cancel` was sent to, the broker sends what is on its way, and closes `received`; it
    /// drops the other end of `settled` when all deliveries are settled and the broker knows it.
    #[must_use]
    pub fn with_end(
        received: mpsc::Receiver<Delivery>,
        cancel: oneshot::Sender<()>,
        settled: oneshot::Receiver<()>,
    ) -> Self {
        Self { received, ending: Some(DeliveryEnd { cancel: Some(cancel), settled }) }
    }

    /// The next; none when the broker was closed for good, or the subscription cancelled.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.received.recv().await
    }

    /// Whatever is here, up to `most`, as soon as there is something; zero when the broker was closed for good, or the
    /// subscription cancelled.
    pub async fn next_batch(&mut self, many: &mut Vec<Delivery>, most: usize) -> usize {
        self.received.recv_many(many, most).await
    }

    /// How many are here and were not received yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.received.len()
    }

    /// Ends the subscription. What the broker had sent by then still comes; after it, nothing does.
    pub fn cancel(&mut self) {
        match &mut self.ending {
            // The broker may have been closed.
            Some(ending) => drop(ending.cancel.take().map(|cancel| cancel.send(()))),
            None => self.received.close(),
        }
    }

    /// Waits until all deliveries are settled and the broker knows it. Only after [`cancel`](Self::cancel).
    pub async fn settled(self) {
        let Self { received, ending } = self;
        drop(received);
        if let Some(ending) = ending {
            // An error is the signal: the sender was dropped.
            let _ = ending.settled.await;
        }
    }
}
