//! The interface of a message broker.

use std::fmt;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::bus::{BrokerStats, BusError, CallQueue, Deliveries, Message, ShortStr};

/// A message broker.
///
/// Every future ends within its deadline or the broker's own timeouts, even if the other side is
/// silent. A lost connection is re-established, with all declarations and consumers; meanwhile
/// every operation fails at once.
pub trait Broker: fmt::Debug + Send + Sync + 'static {
    /// Publishes a message, and waits until the broker has confirmed it.
    ///
    /// # Errors
    ///
    /// Fails if the broker has not accepted the message, or the outcome is unknown.
    /// `BusErrorKind::Unroutable` only for a message that is [mandatory](Message::mandatory).
    fn publish(&self, message: Message) -> BoxFuture<'static, Result<(), BusError>>;

    /// Publishes a reply to the queue that its caller named.
    ///
    /// As [`publish`](Self::publish), but replies wait neither for each other nor for other
    /// messages: a caller's queue that accepts nothing delays replies to that queue only.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish); `BusErrorKind::Unroutable` if the caller has left.
    fn reply(&self, message: Message) -> BoxFuture<'static, Result<(), BusError>>;

    /// Publishes a mandatory message that expires at `deadline`, and waits for the reply: the
    /// first, if there are several. The broker sets `correlation_id` and `reply_to`.
    ///
    /// # Errors
    ///
    /// Fails if no reply arrives. [`BusError::is_ambiguous`] returns whether a consumer may
    /// have received the message.
    fn call(
        &self,
        message: Message,
        deadline: Instant,
    ) -> BoxFuture<'static, Result<Message, BusError>>;

    /// Declares a durable topic exchange for messages to publish, and keeps it declared.
    ///
    /// # Errors
    ///
    /// Fails if an exchange of this name exists with another declaration, or the broker does not
    /// permit it.
    fn declare_topic(&self, exchange: ShortStr) -> BoxFuture<'static, Result<(), BusError>>;

    /// Declares a call queue with its retry queues and its dead-letter queue, and keeps them
    /// declared.
    ///
    /// # Errors
    ///
    /// Fails if the queue exists with other arguments, or cannot be declared.
    fn declare(&self, queue: &CallQueue) -> BoxFuture<'static, Result<(), BusError>>;

    /// Starts to consume. Declares what the subscription needs.
    ///
    /// # Errors
    ///
    /// Fails if a queue or exchange exists with another declaration.
    fn consume(
        &self,
        subscription: Subscription,
    ) -> BoxFuture<'static, Result<Deliveries, BusError>>;

    /// Returns whether the broker can be used now; the error gives the reason.
    fn state(&self) -> Result<(), BusError>;

    /// Returns the counters since the start.
    fn stats(&self) -> BrokerStats;

    /// Closes the connections in an orderly way; messages sent from now on fail. The in-process
    /// broker has no connections.
    fn close(&self) -> BoxFuture<'static, ()>;
}

/// A source of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscription {
    /// A call queue that several gateways share, and that loses nothing.
    Calls(CallQueue),
    /// New messages of a topic exchange, for this subscriber alone; they need no acknowledgement.
    Topic {
        /// The exchange, which is declared.
        exchange: ShortStr,
        /// The pattern of routing keys: words separated by dots; `*` matches one word, `#` any
        /// number.
        pattern: ShortStr,
    },
}

impl Subscription {
    /// The number of messages that wait for a topic subscriber before some are dropped.
    pub const TOPIC_BACKLOG: usize = 1 << 16;
}
