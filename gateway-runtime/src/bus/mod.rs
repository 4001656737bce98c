//! The bus: messages to other programs and from them, over RabbitMQ (AMQP 0-9-1) or within the process.
//!
//! A [`Broker`] is one of the two; what gateways do with it (`relay`, `consume`, `publisher`) does not
//! know which. `message` is what is carried, `delivery` what was received and must be settled, `calls` how the calls of methods
//! stand, `pending` the calls that
//! wait for an answer, `memory` the broker within the process. Only `amqp` names the library that speaks to RabbitMQ.

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

/// What a broker does, on its way.
pub type BusFuture<T> = Pin<Box<dyn Future<Output = Result<T, BusError>> + Send>>;

/// Who carries messages.
///
/// Whatever it waits for has an end: every future ends within the deadline it is given or the broker's own time-outs, also
/// when the other side is silent. A connection that is lost comes back by itself, with all that was declared and consumed;
/// meanwhile everything fails at once.
pub trait Broker: fmt::Debug + Send + Sync + 'static {
    /// Publishes a message, and waits until the broker has taken it over.
    ///
    /// # Errors
    ///
    /// When it has not, or nobody knows; [`Fault::Unroutable`] only for a message that is [mandatory](Message::mandatory).
    fn publish(&self, message: Message) -> BusFuture<()>;

    /// Publishes a reply to the queue that its caller named. As [`publish`](Self::publish), but replies never wait for each
    /// other nor for other messages: a caller's queue that takes nothing delays replies to that queue alone.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish); [`Fault::Unroutable`] where the caller has left.
    fn reply(&self, message: Message) -> BusFuture<()>;

    /// Publishes a message, mandatory, which has so long to live as is left until `deadline`, and waits for the answer to
    /// it: the first, if there are several. `correlation_id` and `reply_to` are the broker's to set.
    ///
    /// # Errors
    ///
    /// When no answer has come; [`BusError::may_have_happened`] tells whether somebody may have got the message.
    fn call(&self, message: Message, deadline: Instant) -> BusFuture<Message>;

    /// Declares a durable topic exchange that messages will be published to, and keeps it declared.
    ///
    /// # Errors
    ///
    /// When an exchange of this name is otherwise declared, or the broker does not allow it.
    fn declare_topic(&self, exchange: ShortStr) -> BusFuture<()>;

    /// Declares a queue of calls, and the queues beside it, and keeps them declared.
    ///
    /// # Errors
    ///
    /// When it is there already with other arguments, or cannot be declared.
    fn declare(&self, queue: &CallQueue) -> BusFuture<()>;

    /// Begins to consume; what has to be declared for it is.
    ///
    /// # Errors
    ///
    /// When what is there already is otherwise declared.
    fn consume(&self, subscription: Subscription) -> BusFuture<Deliveries>;

    /// Whether it can be used now; why not, else.
    fn state(&self) -> Result<(), BusError>;

    /// What it has done until now.
    fn figures(&self) -> BrokerStats;

    /// Ends its connections in good order; what is sent from now on fails. The broker within the process has none.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// From where messages come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscription {
    /// A queue of calls that several gateways share, and lose nothing of.
    Calls(CallQueue),
    /// What is published to a topic exchange from now on, for this subscriber alone; it needs no settling to go on.
    Topic {
        /// The exchange, which is declared.
        exchange: ShortStr,
        /// Words separated by dots; `*` stands for one, `#` for any number.
        pattern: ShortStr,
    },
}

impl Subscription {
    /// So many messages wait for who consumes a topic, before some are lost to him.
    pub const TOPIC_BACKLOG: usize = 1 << 16;
}

/// A durable queue whose messages are consumed once, with the queues beside it where they wait to be tried again (one for each
/// delay), and where those end that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallQueue {
    /// Its name: `gateway.calls`.
    pub name: ShortStr,
    /// How many messages are here at once that are not settled.
    pub prefetch: u16,
    /// How often a message is delivered whose consumers are lost. The consumer counts: a broker that did would lose the
    /// message, or not say why it is dead.
    pub delivery_limit: u32,
    /// How long messages wait in the queues for retries.
    pub delays: Vec<Duration>,
}

impl CallQueue {
    /// The exchange that dead letters are published to, with the queue's name as their key: a topic exchange, so that others can
    /// be told of them too.
    pub const DEAD_LETTERS: &str = "gateway.dead-letters";

    /// Where messages end that cannot be carried out.
    #[must_use]
    pub fn dead_letter_queue(&self) -> ShortStr {
        format!("{}.dead", self.name).into()
    }

    /// Where messages wait for one of the [`delays`](Self::delays), before they come back.
    #[must_use]
    pub fn retry_queue(&self, delay: Duration) -> ShortStr {
        format!("{}.retry.{}", self.name, crate::base::duration::format(delay)).into()
    }
}
