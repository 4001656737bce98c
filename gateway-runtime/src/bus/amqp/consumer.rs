//! Consuming: declares, consumes and settles by a channel of its own, and begins anew when that is lost.

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

/// So many messages of a topic are here at once that nobody has looked at; others wait at the broker.
const TOPIC_PREFETCH: u16 = 1024;
/// How many of them are acknowledged with one word.
const TOPIC_BATCH: u64 = 128;
/// When nothing has come for so long, the broker is taken to have nothing to send …
const SETTLE_QUIET: Duration = Duration::from_millis(300);
/// … which is waited for no longer than this.
const QUIET_TIMEOUT: Duration = Duration::from_secs(3);
/// The limit of the wait for a queue to apply acknowledgements, before the channel closes.
const APPLIED_TIMEOUT: Duration = Duration::from_secs(2);
const APPLIED_POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How long after an attempt that failed the next is made.
const RESUBSCRIBE_DELAY: Duration = Duration::from_secs(1);

/// Somebody who consumes.
pub(super) struct ConsumerTask {
    pub(super) link: ReconnectingConnection,
    pub(super) subscription: Subscription,
    pub(super) timeout: Duration,
    pub(super) received: Arc<AtomicU64>,
}

/// What has become of a channel that was consumed from.
enum ConsumerEnd {
    /// It was lost, or the queue was deleted.
    Lost,
    /// Nobody wants more.
    Over,
}

impl ConsumerTask {
    /// Begins, in a task of this runtime.
    ///
    /// # Errors
    ///
    /// When the first attempt fails.
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
                    wire = self.link.up() => wire.ok_or_else(|| BusError::new(BusErrorKind::Disconnected, "the bus was closed")),
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
                    tracing::warn!(target: "gateway::bus", what = %self.name(), %error, "not consumed");
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

    /// A channel of its own, on which everything is declared.
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
        let mut given = ChannelDeliveries::new(channel);
        let mut ended = pin!(wire.ended());
        let end = loop {
            tokio::select! {
                biased;
                () = given.verdicts.wait() => given.settle(),
                delivery = consumer.next() => match delivery {
                    Some(Ok(delivery)) => {
                        self.received.fetch_add(1, Ordering::Relaxed);
                        let delivery = if is_settled { given.receive(delivery) } else { given.receive_and_settle(delivery) };
                        // Of calls there is room for all that are not settled; if not, for what was given by a channel before.
                        subscriber.send(delivery).await;
                    }
                    Some(Err(_)) | None => break ConsumerEnd::Lost,
                },
                leaving = subscriber.leaving() => {
                    let leaving = async {
                        if let (Leaving::Cancelled, Subscription::Calls(calls)) = (leaving, &self.subscription) {
                            given.receive_all(&mut consumer, calls.prefetch.into(), subscriber).await;
                        }
                        given.cancel(&mut consumer, self.timeout, subscriber, leaving).await;
                        given.settle_the_rest(&self.subscription).await;
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
        given.verdicts.lose();
        end
    }
}

/// What one channel has given.
struct ChannelDeliveries {
    channel: Channel,
    verdicts: Arc<AckQueue>,
    unsettled: UnackedDeliveries,
    /// Kept for their room.
    taken: Vec<(u64, Disposition)>,
    told: Vec<AckCommand>,
}

impl ChannelDeliveries {
    fn new(channel: Channel) -> Self {
        let (verdicts, unsettled) = (Arc::default(), UnackedDeliveries::default());
        Self { channel, verdicts, unsettled, taken: Vec::new(), told: Vec::new() }
    }

    fn receive(&mut self, delivery: lapin::message::Delivery) -> Delivery {
        let number = delivery.delivery_tag;
        self.unsettled.given(number);
        received(delivery, DeliveryReceipt::new(number, Arc::clone(&self.verdicts) as _))
    }

    /// One that needs no settling. Those that are not acknowledged in the end go with their queue.
    fn receive_and_settle(&mut self, delivery: lapin::message::Delivery) -> Delivery {
        let number = delivery.delivery_tag;
        if number.is_multiple_of(TOPIC_BATCH) {
            begin(self.channel.basic_ack(number, BasicAckOptions { multiple: true }));
        }
        received(delivery, DeliveryReceipt::none())
    }

    /// Tells the broker what was settled since it was last told.
    fn settle(&mut self) {
        self.verdicts.take(&mut self.taken);
        self.unsettled.settle(&mut self.taken, &mut self.told);
        for told in self.told.drain(..) {
            let again = BasicNackOptions { multiple: false, requeue: true };
            match told {
                AckCommand::Done(number) => {
                    begin(self.channel.basic_ack(number, BasicAckOptions { multiple: false }))
                }
                AckCommand::DoneUpTo(number) => {
                    begin(self.channel.basic_ack(number, BasicAckOptions { multiple: true }))
                }
                AckCommand::Again(number) => begin(self.channel.basic_nack(number, again)),
            }
        }
    }

    /// Receives, and settles nothing, until the broker has no room to send more, or nothing to send.
    ///
    /// A quorum queue may deliver while the cancellation is on its way to it. Such a delivery is lost to this consumer, and comes back
    /// to the queue as one that was delivered. Acknowledgements, which make room for deliveries, are what makes it likely.
    async fn receive_all(
        &mut self,
        consumer: &mut Consumer,
        prefetch: usize,
        subscriber: &Subscriber,
    ) {
        let end = Instant::now() + QUIET_TIMEOUT;
        while self.unsettled.open() < prefetch && Instant::now() < end {
            let Ok(Some(Ok(delivery))) = timeout(SETTLE_QUIET, consumer.next()).await else {
                return;
            };
            subscriber.send(self.receive(delivery)).await;
        }
    }

    /// Cancels the consumer. What the broker had sent by then goes to the subscriber who receives it, else back.
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
                    // The broker sends no more than there is room for.
                    Leaving::Cancelled => subscriber.send(delivery).await,
                    Leaving::Dropped => drop(delivery),
                }
            }
        }
        subscriber.end();
    }

    async fn settle_the_rest(&mut self, subscription: &Subscription) {
        self.settle();
        while self.unsettled.open() > 0 {
            self.verdicts.wait().await;
            self.settle();
        }
        if let Subscription::Calls(calls) = subscription {
            self.wait_until_applied(calls.name.clone()).await;
        }
        let _ = self.channel.close(200, "OK".into()).await;
    }

    /// Waits until the queue has applied the acknowledgements. A quorum queue applies them after the channel has taken them, and
    /// while it is slow the channel keeps some back, which are lost when the channel closes. A cancelled consumer counts as one
    /// until its deliveries are settled. Where other gateways consume, the count may have fallen before it is first read.
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

/// How often a message was delivered before. Quorum queues count; RabbitMQ overwrites what a publisher says in the header.
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

/// Begins what the library does to the end by itself: it is queued, and needs nobody who waits until it is written.
fn begin(sending: impl Future<Output = lapin::Result<()>>) {
    let _ = pin!(sending).poll(&mut Context::from_waker(Waker::noop()));
}
