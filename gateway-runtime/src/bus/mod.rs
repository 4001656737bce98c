//! The bus: messages to and from other programs, over RabbitMQ (AMQP 0-9-1) or within the process
//! (SEMANTICS §11).
//!
//! A [`Broker`] is either of the two. Its users (`edge::bus_dispatch`, `edge::bus_consumer`,
//! `publisher`) do not depend on which. Only `amqp` names the client library for RabbitMQ.
//!
//! - `message`, `field`: a message and its headers
//! - `delivery`: received messages and their acknowledgement
//! - `calls`: counters of the calls that arrive over the bus
//! - `pending_calls`: calls that wait for their replies
//! - `memory_broker`: the in-process broker
//! - `publisher`: events

#[cfg(feature = "amqp")]
mod amqp;
mod calls;
mod delivery;
mod error;
mod field;
mod memory_broker;
mod message;
mod pending_calls;
pub(crate) mod publisher;
mod settings;
mod stats;
#[cfg(test)]
mod tests;
mod topic_pattern;

use std::{fmt, future::Future, pin::Pin, time::Duration};

use tokio::time::Instant;

#[cfg(feature = "amqp")]
pub use crate::bus::amqp::AmqpBroker;
#[cfg(all(feature = "amqp", fuzzing))]
pub use crate::bus::amqp::filtered as filtered_frames;
pub(crate) use crate::bus::settings::check_exchange;
pub use crate::bus::{
    calls::{CallsStats, CallsStatus, DroppedReply},
    delivery::{Acknowledge, Deliveries, Delivery, DeliveryReceipt, Disposition},
    error::{BusError, BusErrorKind},
    field::{MessageHeader, MessageHeaders, Narrow},
    memory_broker::MemoryBroker,
    message::{Message, ShortStr},
    settings::{BusSettings, CallsSettings},
    stats::BrokerStats,
};

/// The future of a broker's operation.
pub type BusFuture<T> = Pin<Box<dyn Future<Output = Result<T, BusError>> + Send>>;

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
    /// [`BusErrorKind::Unroutable`] only for a message that is [mandatory](Message::mandatory).
    fn publish(&self, message: Message) -> BusFuture<()>;

    /// Publishes a reply to the queue that its caller named.
    ///
    /// As [`publish`](Self::publish), but replies wait neither for each other nor for other
    /// messages: a caller's queue that accepts nothing delays replies to that queue only.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish); [`BusErrorKind::Unroutable`] if the caller has left.
    fn reply(&self, message: Message) -> BusFuture<()>;

    /// Publishes a mandatory message that expires at `deadline`, and waits for the reply: the
    /// first, if there are several. The broker sets `correlation_id` and `reply_to`.
    ///
    /// # Errors
    ///
    /// Fails if no reply arrives. [`BusError::may_have_happened`] returns whether a consumer may
    /// have received the message.
    fn call(&self, message: Message, deadline: Instant) -> BusFuture<Message>;

    /// Declares a durable topic exchange for messages to publish, and keeps it declared.
    ///
    /// # Errors
    ///
    /// Fails if an exchange of this name exists with another declaration, or the broker does not
    /// permit it.
    fn declare_topic(&self, exchange: ShortStr) -> BusFuture<()>;

    /// Declares a call queue with its retry queues and its dead-letter queue, and keeps them
    /// declared.
    ///
    /// # Errors
    ///
    /// Fails if the queue exists with other arguments, or cannot be declared.
    fn declare(&self, queue: &CallQueue) -> BusFuture<()>;

    /// Starts to consume. Declares what the subscription needs.
    ///
    /// # Errors
    ///
    /// Fails if a queue or exchange exists with another declaration.
    fn consume(&self, subscription: Subscription) -> BusFuture<Deliveries>;

    /// Returns whether the broker can be used now; the error gives the reason.
    fn state(&self) -> Result<(), BusError>;

    /// Returns the counters since the start.
    fn figures(&self) -> BrokerStats;

    /// Closes the connections in an orderly way; messages sent from now on fail. The in-process
    /// broker has no connections.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send>>;
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
        format!("{}.retry.{}", self.name, crate::base::duration::format(delay)).into()
    }
}
