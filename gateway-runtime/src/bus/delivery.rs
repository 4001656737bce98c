//! What was received, and must be settled.

use std::{fmt, mem, sync::Arc};

use tokio::sync::mpsc;

use super::Message;

/// A message that was received.
#[derive(Debug)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Whether it was given before, to who may have carried it out.
    pub redelivered: bool,
    /// With which it is settled.
    pub receipt: Receipt,
}

/// What becomes of a message that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done with.
    Done,
    /// It goes back to its queue.
    Again,
}

/// Settles the messages of one consumer; calls return at once.
pub trait Settle: fmt::Debug + Send + Sync {
    /// Settles the message of this number. The broker may never hear of it: then it gives the message again.
    fn settle(&self, number: u64, verdict: Verdict);
}

/// With which a message is settled. One that is dropped sends it back.
pub struct Receipt {
    number: u64,
    settle: Option<Arc<dyn Settle>>,
}

impl Receipt {
    /// The receipt of a message with this number.
    #[must_use]
    pub fn new(number: u64, settle: Arc<dyn Settle>) -> Self {
        Self { number, settle: Some(settle) }
    }

    /// A receipt of what needs no settling.
    #[must_use]
    pub const fn none() -> Self {
        Self { number: 0, settle: None }
    }

    /// The message is done with.
    pub fn done(mut self) {
        self.settle(Verdict::Done);
    }

    fn settle(&mut self, verdict: Verdict) {
        if let Some(settle) = mem::take(&mut self.settle) {
            settle.settle(self.number, verdict);
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.settle(Verdict::Again);
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receipt").field(&self.number).finish()
    }
}

/// What a subscription gives, in order; dropping it ends the subscription, and what was not looked at goes back.
#[derive(Debug)]
pub struct Deliveries {
    received: mpsc::Receiver<Delivery>,
}

impl Deliveries {
    /// What `received` gives. The broker ends the subscription when nobody receives any more.
    #[must_use]
    pub fn new(received: mpsc::Receiver<Delivery>) -> Self {
        Self { received }
    }

    /// The next; none when the broker was closed for good.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.received.recv().await
    }

    /// Whatever is here, up to `most`, as soon as there is something; zero when the broker was closed for good.
    pub async fn next_many(&mut self, many: &mut Vec<Delivery>, most: usize) -> usize {
        self.received.recv_many(many, most).await
    }
}
