//! The bus: messages to and from other programs, over RabbitMQ (AMQP 0-9-1) or within the process
//! (SEMANTICS §11).
//!
//! A [`Broker`] is either of the two. Its users (`edge::bus_dispatch`, `edge::bus_consumer`,
//! `publisher`) do not depend on which. Only `amqp` names the client library for RabbitMQ.
//!
//! - `broker`, `call_queue`: the interface of a broker, and a queue of calls
//! - `message`, `headers`: a message and its headers
//! - `delivery`: received messages and their acknowledgement
//! - `calls`: counters of the calls that arrive over the bus
//! - `pending_calls`: calls that wait for their replies
//! - `memory_broker`: the in-process broker
//! - `publisher`: events

#[cfg(feature = "amqp")]
mod amqp;
mod broker;
mod call_queue;
mod calls;
mod delivery;
mod error;
mod headers;
mod memory_broker;
mod message;
mod names;
mod open;
mod pending_calls;
pub(crate) mod publisher;
mod settings;
mod short_str;
mod stats;
#[cfg(test)]
mod tests;
mod topic_pattern;

#[cfg(feature = "amqp")]
pub use crate::bus::amqp::AmqpBroker;
#[cfg(all(feature = "amqp", fuzzing))]
pub use crate::bus::amqp::filtered as filtered_frames;
pub(crate) use crate::bus::names::check_exchange;
pub use crate::bus::{
    broker::{Broker, Subscription},
    call_queue::CallQueue,
    calls::{CallsStats, CallsStatus, DroppedReply},
    delivery::{Acknowledge, Deliveries, Delivery, DeliveryReceipt, Disposition},
    error::{BusError, BusErrorKind},
    headers::{MessageHeader, MessageHeaders, Narrow},
    memory_broker::MemoryBroker,
    message::Message,
    settings::{BusSettings, CallsSettings},
    short_str::ShortStr,
    stats::BrokerStats,
};
