//! A consumer. Declares, consumes and acknowledges on a channel of its own, and starts again when
//! the channel is lost.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use lapin::{
    Channel, Consumer,
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};

use crate::bus::{
    BusError, BusErrorKind, Deliveries, Subscription,
    amqp::{
        channel_deliveries::ChannelDeliveries,
        connection::AmqpConnection,
        convert, declare,
        reconnect::ReconnectingConnection,
        subscriber::{Leaving, Subscriber},
    },
};

/// The prefetch of a topic subscription; further messages wait at the broker.
const TOPIC_PREFETCH: u16 = 1024;

/// The delay after a failed attempt to subscribe.
const RESUBSCRIBE_DELAY: Duration = Duration::from_secs(1);

/// The task of one subscription.
pub(super) struct ConsumerTask {
    pub(super) link: ReconnectingConnection,
    pub(super) subscription: Subscription,
    pub(super) timeout: Duration,
    pub(super) received: Arc<AtomicU64>,
}

/// The reason for which a channel is no longer consumed from.
enum ConsumerEnd {
    /// The channel was lost, or the queue was deleted.
    Lost,
    /// The subscription has ended.
    Over,
}

impl ConsumerTask {
    /// Starts the task in the current runtime, and waits for its first attempt to subscribe.
    ///
    /// # Errors
    ///
    /// Fails if the first attempt fails.
    pub(super) async fn begin(self) -> Result<Deliveries, BusError> {
        let room = match &self.subscription {
            Subscription::Calls(calls) => calls.prefetch.into(),
            Subscription::Topic { .. } => TOPIC_PREFETCH.into(),
        };
        let (deliveries, received) = mpsc::channel(room);
        let (cancel, cancelled) = oneshot::channel();
        let (settled, settling) = oneshot::channel();
        let (began, beginning) = oneshot::channel();
        let mut subscriber = Subscriber::new(deliveries, cancelled, settled);
        tokio::spawn(async move { self.run(&mut subscriber, began).await });
        beginning.await.unwrap_or_else(|_| {
            Err(BusError::new(BusErrorKind::Disconnected, "the bus was closed"))
        })?;
        Ok(Deliveries::with_end(received, cancel, settling))
    }

    async fn run(
        mut self,
        subscriber: &mut Subscriber,
        began: oneshot::Sender<Result<(), BusError>>,
    ) {
        let mut began = Some(began);
        loop {
            let wire = match &began {
                Some(_) => self.link.now(),
                None => tokio::select! {
                    wire = self.link.up() => wire.ok_or_else(|| {
                        BusError::new(BusErrorKind::Disconnected, "the bus was closed")
                    }),
                    _ = subscriber.leaving() => return,
                },
            };
            let opened = match &wire {
                Ok(wire) => self.open(wire).await,
                Err(error) => Err(error.clone()),
            };
            match (opened, began.take()) {
                (Ok(opened), first) => {
                    let _ = first.map(|first| first.send(Ok(())));
                    let Ok(wire) = wire else { return };
                    match self.consume(&wire, opened, subscriber).await {
                        ConsumerEnd::Lost => {}
                        ConsumerEnd::Over => return,
                    }
                }
                (Err(error), Some(first)) => {
                    let _ = first.send(Err(error));
                    return;
                }
                (Err(error), None) => {
                    tracing::warn!(
                        target: "gateway::bus",
                        what = %self.name(),
                        %error,
                        "consumer not started"
                    );
                    tokio::select! {
                        () = sleep(RESUBSCRIBE_DELAY) => {}
                        _ = subscriber.leaving() => return,
                    }
                }
            }
        }
    }

    fn name(&self) -> &str {
        match &self.subscription {
            Subscription::Calls(calls) => &calls.name,
            Subscription::Topic { exchange, .. } => exchange,
        }
    }

    /// Opens a channel, declares the topology on it and starts to consume.
    async fn open(&self, wire: &AmqpConnection) -> Result<(Channel, Consumer), BusError> {
        let late =
            |_| Err(BusError::new(BusErrorKind::Disconnected, "RabbitMQ did not reply in time"));
        timeout(self.timeout, self.open_without_timeout(wire)).await.unwrap_or_else(late)
    }

    async fn open_without_timeout(
        &self,
        wire: &AmqpConnection,
    ) -> Result<(Channel, Consumer), BusError> {
        let failed = |error| declare::failed(&error, "the consumer");
        let channel = wire.connection().create_channel().await.map_err(failed)?;
        let (queue, prefetch) = match &self.subscription {
            Subscription::Calls(calls) => {
                declare::calls(&channel, calls).await?;
                (calls.name.clone(), calls.prefetch)
            }
            Subscription::Topic { exchange, pattern } => {
                (declare::topic(&channel, exchange, pattern).await?, TOPIC_PREFETCH)
            }
        };
        channel.basic_qos(prefetch, BasicQosOptions::default()).await.map_err(failed)?;
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(
            convert::short(queue)?,
            "".into(),
            options,
            FieldTable::default(),
        );
        let consumer = consumer.await.map_err(failed)?;
        Ok((channel, consumer))
    }

    async fn consume(
        &self,
        wire: &AmqpConnection,
        (channel, mut consumer): (Channel, Consumer),
        subscriber: &mut Subscriber,
    ) -> ConsumerEnd {
        let is_settled = matches!(self.subscription, Subscription::Calls(_));
        let mut deliveries = ChannelDeliveries::new(channel);
        let mut ended = pin!(wire.ended());
        let end = loop {
            tokio::select! {
                biased;
                () = deliveries.acks.wait() => deliveries.settle(),
                delivery = consumer.next() => match delivery {
                    Some(Ok(delivery)) => {
                        self.received.fetch_add(1, Ordering::Relaxed);
                        let delivery = if is_settled {
                            deliveries.receive(delivery)
                        } else {
                            deliveries.receive_and_settle(delivery)
                        };
                        // The prefetch of calls equals this channel's capacity, so `send` waits
                        // only while deliveries of an earlier channel fill it.
                        subscriber.send(delivery).await;
                    }
                    Some(Err(_)) | None => break ConsumerEnd::Lost,
                },
                leaving = subscriber.leaving() => {
                    let leaving = async {
                        if let Subscription::Calls(calls) = &self.subscription
                            && leaving == Leaving::Cancelled
                        {
                            let prefetch = calls.prefetch.into();
                            deliveries.receive_all(&mut consumer, prefetch, subscriber).await;
                        }
                        deliveries.cancel(&mut consumer, self.timeout, subscriber, leaving).await;
                        deliveries.settle_remaining(&self.subscription).await;
                    };
                    tokio::select! {
                        () = leaving => {}
                        _ = &mut ended => {}
                    }
                    break ConsumerEnd::Over;
                }
                _ = &mut ended => break ConsumerEnd::Lost,
            }
        };
        deliveries.acks.lose();
        end
    }
}
