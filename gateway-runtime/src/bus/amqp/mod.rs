//! RabbitMQ over AMQP 0-9-1. No other module names the client library.
//!
//! There are two connections, one to publish and one to consume (SEMANTICS §11): a broker whose
//! memory is full stops reading from connections that publish. Every wait has a limit.
//!
//! The library's own recovery is off, since the topology to restore is known here.
//!
//! - `reconnect`: a connection that is re-established when it is lost, one `connection` at a time
//! - `guard`: a filter of received frames that the library could not parse
//! - `call_channels`: a `call_channel` for each exchange that is called
//! - `replies`, `event_channels`: channels for replies and for other messages, with `confirms`
//! - `consumer`: consumes for a `subscriber`, and sends its `acks` in batches
//! - `declare`, `declared`: the topology, and its restoration
//! - `convert`: messages to and from the library's types

mod acks;
mod address;
mod call_channel;
mod call_channels;
mod channel_deliveries;
mod confirms;
mod connection;
mod consumer;
mod convert;
mod declare;
mod declared;
mod event_channels;
mod guard;
mod reconnect;
mod redeclare;
mod replies;
mod state;
mod subscriber;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64, atomic::Ordering},
};

use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use tokio::{
    runtime::Handle,
    time::{Instant, timeout, timeout_at},
};

#[cfg(fuzzing)]
pub use crate::bus::amqp::guard::filtered;
#[cfg(test)]
pub(super) use crate::bus::amqp::tests::take;
use crate::{
    base::{secret::Secret, start_error::StartError},
    bus::{
        Broker, BrokerStats, BusError, BusErrorKind, BusSettings, CallQueue, Deliveries, Message,
        ShortStr, Subscription,
        amqp::{
            address::Address,
            call_channels::ChannelContext,
            consumer::ConsumerTask,
            declared::{Declaration, DeclaredTopology},
            event_channels::EventChannels,
            reconnect::ReconnectingConnection,
            redeclare::keep_declared,
            replies::Replies,
            state::{AmqpCounters, AmqpState},
        },
    },
};

/// A broker that is RabbitMQ.
pub struct AmqpBroker(Arc<AmqpState>);

impl AmqpBroker {
    /// Connects to the broker at a URL. The tasks of the connections run in the current runtime.
    ///
    /// # Errors
    ///
    /// Fails if RabbitMQ cannot be reached or refuses the login.
    pub async fn open(url: &Secret, settings: &BusSettings) -> Result<Self, StartError> {
        let address = Address::parse(url, settings).map_err(|error| {
            StartError::new(format!(
                "[bus]: invalid URL in `amqp`: {error}\n\
                 help: write `amqp://user:password@host:5672/vhost`"
            ))
        })?;
        let counters = AmqpCounters::default();
        let unreachable = |error| {
            StartError::new(format!(
                "[bus]: RabbitMQ at {address} cannot be used: {error}\n\
                 help: start it, or correct `amqp` (in the environment: `MESSAGE_BUS_AMQP_URL`)"
            ))
        };
        let link =
            |name| ReconnectingConnection::open(address.clone(), name, Arc::clone(&counters.lost));
        let publishing = link("gateway: publishes").await.map_err(unreachable)?;
        let consuming = link("gateway: consumes").await.map_err(unreachable)?;
        let opening = ChannelContext {
            home: Handle::current(),
            timeout: settings.connect_timeout,
            counts: Arc::clone(&counters.calls),
            published: Arc::clone(&counters.published),
        };
        let shared = Arc::new(AmqpState {
            publishing,
            consuming,
            call_channels: ArcSwapOption::empty(),
            events: EventChannels::new(Arc::clone(&counters.published)),
            declared: DeclaredTopology::default(),
            replies: Replies::new(Arc::clone(&counters.published)),
            opening,
            confirm_timeout: settings.confirm_timeout,
            connect_timeout: settings.connect_timeout,
            counters,
        });
        tokio::spawn(keep_declared(Arc::downgrade(&shared)));
        Ok(Self(shared))
    }
}

impl Broker for AmqpBroker {
    fn publish(&self, message: Message) -> BoxFuture<'static, Result<(), BusError>> {
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            let deadline = Instant::now() + this.confirm_timeout;
            this.publish(message, deadline).await
        })
    }

    fn declare_topic(&self, exchange: ShortStr) -> BoxFuture<'static, Result<(), BusError>> {
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            let wire = this.publishing.now()?;
            let late = |_| {
                Err(BusError::new(BusErrorKind::Disconnected, "RabbitMQ did not reply in time"))
            };
            timeout(this.connect_timeout, this.declared.declare_topic(&wire, exchange))
                .await
                .unwrap_or_else(late)
        })
    }

    fn reply(&self, message: Message) -> BoxFuture<'static, Result<(), BusError>> {
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            let deadline = Instant::now() + this.confirm_timeout;
            this.replies.publish(this.publishing.now()?, message, deadline).await
        })
    }

    fn call(
        &self,
        message: Message,
        deadline: Instant,
    ) -> BoxFuture<'static, Result<Message, BusError>> {
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            let late = |_| {
                Err(BusError::new(
                    BusErrorKind::Disconnected,
                    "no channel for the exchange was opened in time",
                ))
            };
            let waiting =
                timeout_at(deadline, this.send(message, deadline)).await.unwrap_or_else(late)?;
            this.reply_to(waiting, deadline).await
        })
    }

    fn declare(&self, queue: &CallQueue) -> BoxFuture<'static, Result<(), BusError>> {
        let this = Arc::clone(&self.0);
        let queue = queue.clone();
        Box::pin(async move {
            let wire = this.consuming.now()?;
            let late = |_| {
                Err(BusError::new(BusErrorKind::Disconnected, "RabbitMQ did not reply in time"))
            };
            timeout(this.connect_timeout, this.declared.declare_calls(&wire, queue))
                .await
                .unwrap_or_else(late)
        })
    }

    fn consume(
        &self,
        subscription: Subscription,
    ) -> BoxFuture<'static, Result<Deliveries, BusError>> {
        let consuming = ConsumerTask {
            link: self.0.consuming.clone(),
            subscription,
            timeout: self.0.connect_timeout,
            received: Arc::clone(&self.0.counters.received),
        };
        let declaration = match &consuming.subscription {
            Subscription::Calls(calls) => Some(Declaration::Calls(calls.clone())),
            Subscription::Topic { .. } => None,
        };
        let beginning = self.0.opening.home.spawn(consuming.begin());
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            let begun = beginning.await.unwrap_or_else(|_| {
                Err(BusError::new(BusErrorKind::Disconnected, "the bus was closed"))
            })?;
            declaration.iter().for_each(|declaration| this.declared.add(declaration));
            Ok(begun)
        })
    }

    fn state(&self) -> Result<(), BusError> {
        let publishing = self.0.publishing.now()?;
        self.0.consuming.now()?;
        if publishing.is_blocked() {
            return Err(BusError::new(
                BusErrorKind::Blocked,
                "RabbitMQ blocks the connection: its memory or its disk is full",
            ));
        }
        Ok(())
    }

    fn stats(&self) -> BrokerStats {
        let AmqpCounters { calls, published, received, lost } = &self.0.counters;
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut stats = BrokerStats {
            published: count(published),
            received: count(received),
            connections_lost: count(lost),
            ..BrokerStats::default()
        };
        calls.add_to(&mut stats);
        stats
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            tokio::join!(this.consuming.close(), this.publishing.close());
        })
    }
}

impl fmt::Debug for AmqpBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpBroker").field("state", &self.state()).finish_non_exhaustive()
    }
}
