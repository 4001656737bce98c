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
mod call_channel;
mod call_channels;
mod confirms;
mod connection;
mod consumer;
mod convert;
mod declare;
mod declared;
mod event_channels;
mod guard;
mod reconnect;
mod replies;
mod subscriber;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::{
    runtime::Handle,
    time::{Instant, timeout, timeout_at},
};

#[cfg(fuzzing)]
pub use crate::bus::amqp::guard::filtered;
use crate::{
    base::{secret::Secret, start_error::StartError},
    bus::{
        Broker, BrokerStats, BusError, BusErrorKind, BusFuture, BusSettings, CallQueue, Deliveries,
        Message, ShortStr, Subscription,
        amqp::{
            call_channels::{CallChannels, ChannelContext},
            connection::{Address, AmqpConnection},
            consumer::ConsumerTask,
            declared::{Declaration, DeclaredTopology, keep_declared},
            event_channels::EventChannels,
            reconnect::ReconnectingConnection,
            replies::Replies,
        },
        pending_calls::{ReplyCounters, ReplyFuture},
    },
};

/// A broker that is RabbitMQ.
pub struct AmqpBroker(Arc<AmqpState>);

struct AmqpState {
    publishing: ReconnectingConnection,
    consuming: ReconnectingConnection,
    call_channels: ArcSwapOption<CallChannels>,
    events: EventChannels,
    declared: DeclaredTopology,
    replies: Replies,
    opening: ChannelContext,
    confirm_timeout: Duration,
    connect_timeout: Duration,
    figures: Counted,
}

#[derive(Default)]
struct Counted {
    calls: Arc<ReplyCounters>,
    published: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
}

impl AmqpBroker {
    /// Connects to the broker at a URL. The tasks of the connections run in the current runtime.
    ///
    /// # Errors
    ///
    /// Fails if RabbitMQ cannot be reached or refuses the login.
    pub async fn open(url: &Secret, settings: &BusSettings) -> Result<Self, StartError> {
        let address = Address::parse(url, settings).map_err(|why| {
            StartError::new(format!(
                "[bus]: `amqp` cannot be understood: {why}; write \
                 amqp://user:password@host:5672/vhost"
            ))
        })?;
        let figures = Counted::default();
        let unreachable = |why| {
            StartError::new(format!(
                "[bus]: RabbitMQ at {address} cannot be used: {why}; start it, or correct \
                 `amqp` (MESSAGE_BUS_AMQP_URL in the environment)"
            ))
        };
        let link =
            |name| ReconnectingConnection::open(address.clone(), name, Arc::clone(&figures.lost));
        let publishing = link("gateway: publishes").await.map_err(unreachable)?;
        let consuming = link("gateway: consumes").await.map_err(unreachable)?;
        let opening = ChannelContext {
            home: Handle::current(),
            timeout: settings.connect_timeout,
            counts: Arc::clone(&figures.calls),
            published: Arc::clone(&figures.published),
        };
        let shared = Arc::new(AmqpState {
            publishing,
            consuming,
            call_channels: ArcSwapOption::empty(),
            events: EventChannels::new(Arc::clone(&figures.published)),
            declared: DeclaredTopology::default(),
            replies: Replies::new(Arc::clone(&figures.published)),
            opening,
            confirm_timeout: settings.confirm_timeout,
            connect_timeout: settings.connect_timeout,
            figures,
        });
        tokio::spawn(keep_declared(Arc::downgrade(&shared)));
        Ok(Self(shared))
    }
}

impl Broker for AmqpBroker {
    fn publish(&self, message: Message) -> BusFuture<()> {
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            let deadline = Instant::now() + this.confirm_timeout;
            this.publish(message, deadline).await
        })
    }

    fn declare_topic(&self, exchange: ShortStr) -> BusFuture<()> {
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            let wire = this.publishing.now()?;
            let late = |_| {
                Err(BusError::new(BusErrorKind::Disconnected, "RabbitMQ did not answer in time"))
            };
            timeout(this.connect_timeout, this.declared.declare_topic(&wire, exchange))
                .await
                .unwrap_or_else(late)
        })
    }

    fn reply(&self, message: Message) -> BusFuture<()> {
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            let deadline = Instant::now() + this.confirm_timeout;
            this.replies.publish(this.publishing.now()?, message, deadline).await
        })
    }

    fn call(&self, message: Message, deadline: Instant) -> BusFuture<Message> {
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            let late = |_| {
                Err(BusError::new(
                    BusErrorKind::Disconnected,
                    "the way to the exchange was not open in time",
                ))
            };
            let waiting =
                timeout_at(deadline, this.send(message, deadline)).await.unwrap_or_else(late)?;
            this.answer(waiting, deadline).await
        })
    }

    fn declare(&self, queue: &CallQueue) -> BusFuture<()> {
        let (this, queue) = (Arc::clone(&self.0), queue.clone());
        Box::pin(async move {
            let wire = this.consuming.now()?;
            let late = |_| {
                Err(BusError::new(BusErrorKind::Disconnected, "RabbitMQ did not answer in time"))
            };
            timeout(this.connect_timeout, this.declared.declare_calls(&wire, queue))
                .await
                .unwrap_or_else(late)
        })
    }

    fn consume(&self, subscription: Subscription) -> BusFuture<Deliveries> {
        let (link, received) = (self.0.consuming.clone(), Arc::clone(&self.0.figures.received));
        let consuming =
            ConsumerTask { link, subscription, timeout: self.0.connect_timeout, received };
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

    fn figures(&self) -> BrokerStats {
        let Counted { calls, published, received, lost } = &self.0.figures;
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (published, received, lost) = (count(published), count(received), count(lost));
        let mut figures =
            BrokerStats { published, received, connections_lost: lost, ..BrokerStats::default() };
        calls.add_to(&mut figures);
        figures
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            tokio::join!(this.consuming.close(), this.publishing.close());
        })
    }
}

impl AmqpState {
    /// Publishes a message. If it is returned although its exchange or queue was declared here, the
    /// topology is restored and the message published again.
    async fn publish(&self, message: Message, deadline: Instant) -> Result<(), BusError> {
        let wire = self.publishing.now()?;
        let again = self
            .declared
            .includes(&message.exchange, &message.routing_key)
            .then(|| message.clone());
        let published = self.events.publish(Arc::clone(&wire), message, deadline).await;
        let is_missing = |error: &BusError| error.kind() == BusErrorKind::Unroutable;
        let Some(message) = again.filter(|_| published.as_ref().is_err_and(is_missing)) else {
            return published;
        };
        if let Ok(Err(error)) =
            timeout_at(deadline, self.declared.restore(&wire, Instant::now())).await
        {
            return Err(error);
        }
        self.events.publish(wire, message, deadline).await
    }

    /// Sends a call on the call channel of its exchange.
    async fn send(&self, message: Message, deadline: Instant) -> Result<ReplyFuture, BusError> {
        if message.exchange.len() > Message::MAX_NAME_BYTES {
            return Err(convert::too_long());
        }
        let channel = self.call_channels(self.publishing.now()?).get(&message.exchange).await?;
        channel.send(message, deadline.saturating_duration_since(Instant::now()))
    }

    /// Returns the call channels of the current connection.
    fn call_channels(&self, wire: Arc<AmqpConnection>) -> Arc<CallChannels> {
        let call_channels = self.call_channels.load();
        if let Some(call_channels) = &*call_channels
            && call_channels.belongs_to(&wire)
        {
            return Arc::clone(call_channels);
        }
        let new = Arc::new(CallChannels::new(wire, self.opening.clone()));
        // Of concurrent callers, all use the channels of the first.
        let before = self.call_channels.compare_and_swap(&call_channels, Some(Arc::clone(&new)));
        match &*before {
            Some(others) if others.belongs_to(new.wire()) => Arc::clone(others),
            _ => new,
        }
    }

    async fn answer(
        &self,
        mut waiting: ReplyFuture,
        deadline: Instant,
    ) -> Result<Message, BusError> {
        let confirmed = deadline.min(Instant::now() + self.confirm_timeout);
        if let Ok(answer) = timeout_at(confirmed, &mut waiting).await {
            return answer;
        }
        if !waiting.is_confirmed() {
            return Err(BusError::new(
                BusErrorKind::ConfirmTimeout,
                "RabbitMQ did not confirm the message in time",
            ));
        }
        let late = |_| Err(BusError::new(BusErrorKind::ReplyTimeout, "no answer came in time"));
        timeout_at(deadline, waiting).await.unwrap_or_else(late)
    }
}

impl fmt::Debug for AmqpBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpBroker").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// Takes the first message from a queue without consumers; waits for one.
#[cfg(test)]
pub(super) async fn take(url: &Secret, queue: &crate::bus::ShortStr) -> Message {
    let address = Address::parse(url, &BusSettings::default()).unwrap();
    let wire = AmqpConnection::connect(&address, "test").await.unwrap();
    let channel = wire.connection().create_channel().await.unwrap();
    loop {
        let options = lapin::options::BasicGetOptions { no_ack: true };
        if let Some(got) =
            channel.basic_get(convert::short(queue.clone()).unwrap(), options).await.unwrap()
        {
            return convert::message(got.delivery);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
