//! A consumer. Declares, consumes and acknowledges on a channel of its own, and starts again when
//! the channel is lost.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use futures_util::StreamExt;
use lapin::{
    Channel, Consumer,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions,
        BasicQosOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout},
};

use crate::bus::{
    BusError, BusErrorKind, Deliveries, Delivery, DeliveryReceipt, Disposition, ShortStr,
    Subscription,
    amqp::{
        acks::{AckCommand, AckQueue, UnackedDeliveries},
        connection::AmqpConnection,
        convert, declare,
        reconnect::ReconnectingConnection,
        subscriber::{Leaving, Subscriber},
    },
};

/// The prefetch of a topic subscription; further messages wait at the broker.
const TOPIC_PREFETCH: u16 = 1024;
/// The delivery_tag of topic messages that are acknowledged with one `basic.ack`.
const TOPIC_BATCH: u64 = 128;
/// The silence after which the broker is dispositions to have nothing more to send.
const SETTLE_QUIET: Duration = Duration::from_millis(300);
/// The time limit of the wait for that silence.
const QUIET_TIMEOUT: Duration = Duration::from_secs(3);
/// The time limit of the wait for a queue to apply acknowledgements before the channel closes.
const APPLIED_TIMEOUT: Duration = Duration::from_secs(2);
const APPLIED_POLL_INTERVAL: Duration = Duration::from_millis(20);
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
                        "not consumed"
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
            |_| Err(BusError::new(BusErrorKind::Disconnected, "RabbitMQ did not answer in time"));
        timeout(self.timeout, self.open_in_any_time(wire)).await.unwrap_or_else(late)
    }

    async fn open_in_any_time(
        &self,
        wire: &AmqpConnection,
    ) -> Result<(Channel, Consumer), BusError> {
        let failed = |error| declare::failed(&error, "what is consumed");
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
                        deliveries.settle_the_rest(&self.subscription).await;
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

/// The deliveries of one channel.
struct ChannelDeliveries {
    channel: Channel,
    acks: Arc<AckQueue>,
    unacked: UnackedDeliveries,
    /// The buffers of `settle`, reused for their capacity.
    dispositions: Vec<(u64, Disposition)>,
    commands: Vec<AckCommand>,
}

impl ChannelDeliveries {
    fn new(channel: Channel) -> Self {
        let (acks, unacked) = (Arc::default(), UnackedDeliveries::default());
        Self { channel, acks, unacked, dispositions: Vec::new(), commands: Vec::new() }
    }

    fn receive(&mut self, delivery: lapin::message::Delivery) -> Delivery {
        let delivery_tag = delivery.delivery_tag;
        self.unacked.add(delivery_tag);
        received(delivery, DeliveryReceipt::new(delivery_tag, Arc::clone(&self.acks) as _))
    }

    /// Receives a delivery that the subscriber does not acknowledge; acknowledged in batches. The
    /// last, incomplete batch is dropped with its queue.
    fn receive_and_settle(&mut self, delivery: lapin::message::Delivery) -> Delivery {
        let delivery_tag = delivery.delivery_tag;
        if delivery_tag.is_multiple_of(TOPIC_BATCH) {
            begin(self.channel.basic_ack(delivery_tag, BasicAckOptions { multiple: true }));
        }
        received(delivery, DeliveryReceipt::none())
    }

    /// Sends the acknowledgements that have accumulated to the broker.
    fn settle(&mut self) {
        self.acks.take(&mut self.dispositions);
        self.unacked.settle(&mut self.dispositions, &mut self.commands);
        for command in self.commands.drain(..) {
            let requeue = BasicNackOptions { multiple: false, requeue: true };
            match command {
                AckCommand::Done(delivery_tag) => {
                    begin(self.channel.basic_ack(delivery_tag, BasicAckOptions { multiple: false }))
                }
                AckCommand::DoneUpTo(delivery_tag) => {
                    begin(self.channel.basic_ack(delivery_tag, BasicAckOptions { multiple: true }))
                }
                AckCommand::Again(delivery_tag) => {
                    begin(self.channel.basic_nack(delivery_tag, requeue))
                }
            }
        }
    }

    /// Receives, and acknowledges nothing, until the prefetch is exhausted or the broker has
    /// nothing to send.
    ///
    /// A quorum queue may deliver while `basic.cancel` is on its way. Such a delivery is lost to
    /// this consumer and returns to the queue with an increased delivery count. Acknowledgements
    /// make room for deliveries, and so make this likely.
    async fn receive_all(
        &mut self,
        consumer: &mut Consumer,
        prefetch: usize,
        subscriber: &Subscriber,
    ) {
        let end = Instant::now() + QUIET_TIMEOUT;
        while self.unacked.open() < prefetch && Instant::now() < end {
            let Ok(Some(Ok(delivery))) = timeout(SETTLE_QUIET, consumer.next()).await else {
                return;
            };
            subscriber.send(self.receive(delivery)).await;
        }
    }

    /// Cancels the consumer. Deliveries that the broker had sent by then go to a subscriber that
    /// still receives; otherwise they are requeued.
    async fn cancel(
        &mut self,
        consumer: &mut Consumer,
        most: Duration,
        subscriber: &mut Subscriber,
        how: Leaving,
    ) {
        let cancelling = self.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
        if matches!(timeout(most, cancelling).await, Ok(Ok(()))) {
            while let Some(Ok(delivery)) = consumer.next().await {
                let delivery = self.receive(delivery);
                match how {
                    // The channel has capacity for all that the broker may have sent.
                    Leaving::Cancelled => subscriber.send(delivery).await,
                    Leaving::Dropped => drop(delivery),
                }
            }
        }
        subscriber.end();
    }

    async fn settle_the_rest(&mut self, subscription: &Subscription) {
        self.settle();
        while self.unacked.open() > 0 {
            self.acks.wait().await;
            self.settle();
        }
        if let Subscription::Calls(calls) = subscription {
            self.wait_until_applied(calls.name.clone()).await;
        }
        let _ = self.channel.close(200, "OK".into()).await;
    }

    /// Waits until the queue has applied the acknowledgements.
    ///
    /// A quorum queue applies acknowledgements after the channel has accepted them. While the queue
    /// is slow, the channel holds some of them back, and they are lost when it closes. A cancelled
    /// consumer is counted until its deliveries are acknowledged, so a falling count shows that
    /// they are. Where other gateways consume, the count may fall before it is first read.
    async fn wait_until_applied(&self, queue: ShortStr) {
        let end = Instant::now() + APPLIED_TIMEOUT;
        let mut first = None;
        while Instant::now() < end {
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let Ok(name) = convert::short(queue.clone()) else { return };
            let declared = self.channel.queue_declare(name, passive, FieldTable::default());
            let Ok(Ok(declared)) = timeout(APPLIED_TIMEOUT, declared).await else { return };
            let consumers = declared.consumer_count();
            if consumers < *first.get_or_insert(consumers) || consumers == 0 {
                return;
            }
            sleep(APPLIED_POLL_INTERVAL).await;
        }
    }
}

fn received(delivery: lapin::message::Delivery, receipt: DeliveryReceipt) -> Delivery {
    let delivered_before = delivered_before(&delivery);
    Delivery {
        message: convert::message(delivery),
        delivered_before,
        arrived: Instant::now(),
        receipt,
    }
}

/// Returns how often a message was delivered before. Quorum queues count deliveries, and RabbitMQ
/// overwrites a value that the publisher set in the header.
fn delivered_before(delivery: &lapin::message::Delivery) -> u32 {
    if !delivery.redelivered {
        return 0;
    }
    let count = delivery
        .properties
        .headers()
        .as_ref()
        .and_then(|headers| headers.inner().get("x-delivery-count"));
    let count = match count {
        Some(AMQPValue::LongLongInt(count)) => u32::try_from(*count).unwrap_or(u32::MAX),
        Some(AMQPValue::LongInt(count)) => u32::try_from(*count).unwrap_or(u32::MAX),
        Some(AMQPValue::LongUInt(count)) => *count,
        _ => 1,
    };
    count.max(1)
}

/// Starts an operation that the library completes by itself: the first poll queues the frame, and
/// nothing has to wait until it is written.
fn begin(sending: impl Future<Output = lapin::Result<()>>) {
    let _ = pin!(sending).poll(&mut Context::from_waker(Waker::noop()));
}
