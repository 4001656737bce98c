//! A queue of calls, with its retry queues and its dead-letter queue.

use std::time::Duration;

use crate::{base::duration, bus::ShortStr};

/// A durable queue of calls, each consumed once. It comes with a retry queue for each delay, where
/// messages wait to be tried again, and a dead-letter queue for messages that cannot be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallQueue {
    /// The name of the queue, such as `gateway.calls`.
    pub name: ShortStr,
    /// The maximum number of unacknowledged messages at this gateway.
    pub prefetch: u16,
    /// The number of deliveries of a message whose consumers are lost. The consumer counts them:
    /// the broker would drop the message, or give no reason for the dead letter.
    pub delivery_limit: u32,
    /// The delays of the retry queues.
    pub delays: Vec<Duration>,
}

impl CallQueue {
    /// The exchange for dead letters, with the queue's name as routing key. A topic exchange, so
    /// that others can subscribe to them too.
    pub const DEAD_LETTERS: &str = "gateway.dead-letters";

    /// Returns the name of the dead-letter queue, for messages that cannot be executed.
    #[must_use]
    pub fn dead_letter_queue(&self) -> ShortStr {
        format!("{}.dead", self.name).into()
    }

    /// Returns the name of the retry queue in which messages wait for one of the
    /// [`delays`](Self::delays) before they return.
    #[must_use]
    pub fn retry_queue(&self, delay: Duration) -> ShortStr {
        format!("{}.retry.{}", self.name, duration::format(delay)).into()
    }
}
